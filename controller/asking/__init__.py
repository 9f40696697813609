"""A client's side of the upstream and operator wire: plain code, without I/O."""
