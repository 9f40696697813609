"""A tour of the console: a demo that stays open, a real browser in it, pictures of it; `python -m sims.tour`."""
