"""The demo: a whole centre on loopback, its staff, its screen and its report; the door is `sims.demo.whole`."""
