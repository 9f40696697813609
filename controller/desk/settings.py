"""The verb of the settings: each one as it is now, its unit, its default, and whether it was changed."""

from __future__ import annotations

import dataclasses
from typing import Any

from controller.config import Config
from controller.desk.desk import Args, Desk, Verb

UNITS = {  # how a name ends -> what its number counts
    "_per_s": "per_s",
    "_per_day": "per_day",
    "_s": "s",
    "_mib": "mib",
    "_days": "days",
    "_hours": "hours",
    "_percent": "percent",
    "_share": "share",
    "_age": "years",
}
HIDDEN = frozenset({("storage", "url")})  # it may hold a password


async def _settings(desk: Desk, user: str, args: Args) -> Any:
    return settings_rows(desk.config)


def settings_rows(config: Config) -> list[dict[str, Any]]:
    """Give a row for each setting, in the order of the sections; of a hidden one only whether it is set."""
    shipped, rows = Config(), []
    for section in dataclasses.fields(config):
        mine, theirs = getattr(config, section.name), getattr(shipped, section.name)
        for one in dataclasses.fields(mine):
            value, default = getattr(mine, one.name), getattr(theirs, one.name)
            is_hidden = (section.name, one.name) in HIDDEN
            rows.append(
                {
                    "section": section.name,
                    "name": one.name,
                    "value": "" if is_hidden else value,
                    "default": "" if is_hidden else default,
                    "unit": unit_of(one.name, value),
                    "changed": value != default,
                    "hidden": is_hidden,
                }
            )
    return rows


def unit_of(name: str, value: object) -> str:
    """Give what a setting's number counts, empty for texts, for yes and no, and for plain counts."""
    if isinstance(value, bool | str):
        return ""
    return next((unit for ending, unit in UNITS.items() if name.endswith(ending)), "")


VERBS: dict[str, Verb] = {"settings": _settings}
