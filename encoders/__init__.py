"""Values to bytes and back: chip text record, portrait codec, print job, bounded msgpack.  No I/O, no clock, no settings."""
