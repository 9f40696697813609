"""The service: what is decided (`controller.core`, pure) and the doing of it (everything else here)."""
