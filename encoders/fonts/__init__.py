"""The bundled fonts, which characters they can draw, and the command that finds that out."""
