"""Verbs of stock: counts, shifts, supplies and what they are good for."""

from __future__ import annotations

from controller.desk.desk import Verb

VERBS: dict[str, Verb] = {}
