"""Verbs of the campaign: how far each unit is, and the periodic report."""

from __future__ import annotations

from controller.desk.desk import Verb

VERBS: dict[str, Verb] = {}
