"""The benchmarks' own tests: what they list, refuse and write; no figure is judged here."""
