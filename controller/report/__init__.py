"""The report: figures folded from moves, charts, the printable page, and text for a terminal."""
