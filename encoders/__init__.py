"""Values to bytes and back: chip text record, portrait codec, print job, bounded msgpack; no I/O, clock or settings."""
