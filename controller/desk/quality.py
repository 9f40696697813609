"""Verbs of quality: held stations, who works where, trace and recall."""

from __future__ import annotations

from controller.desk.desk import Verb

VERBS: dict[str, Verb] = {}
