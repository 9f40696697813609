"""Everything pretend, speaking the real protocols: stations, people, upstream, demo."""
