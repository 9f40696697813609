"""Packing: what goes into a box with the cards."""
