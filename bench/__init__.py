"""How fast and how good, side by side with peers: one file a question."""
