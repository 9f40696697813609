"""The command line, without a service: what it draws, completes, hints at and refuses by itself."""
