"""The console in a real browser, on a demo of its own."""
