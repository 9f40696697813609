"""The console: real pages over real sockets."""
