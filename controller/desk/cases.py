"""Verbs of cases: cards that came back, and remakes with their clock."""

from __future__ import annotations

from controller.desk.desk import Verb

VERBS: dict[str, Verb] = {}
