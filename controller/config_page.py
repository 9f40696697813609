"""The page of all settings for people: `python -m controller.config_page > docs/config.md`."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import io
import sys
import textwrap
import tokenize
from collections.abc import Iterator
from typing import Any

from controller.config import WORDS, Config
from controller.core.settings import SettingError
from controller.markdown import table

HEAD = """\
# Settings

Printed by `python -m controller.config_page` from `controller/config.py` and `controller/core/settings.py`; do not
edit.

The service reads one file, `cardmill serve --config config.toml`; the one in the root of the project has each setting
with its default. A missing file, section or line means the default. Whatever is misspelt, of the wrong type or out of
range stops the start with a sentence (exit code 2). Every change takes a restart.

Seconds (`_s`) are floor seconds, unless the line says real: on a real floor they are the same. `MiB` is 1,048,576
bytes. What is allowed is what the service says when a value is not; where it says nothing, the column is empty.
"""
UNITS = {  # how a name ends -> what its number counts
    "_per_s": "a second",
    "_per_day": "a day",
    "_s": "s",
    "_mib": "MiB",
    "_days": "days",
    "_hours": "hours",
    "_percent": "%",
    "_share": "share, 0 to 1",
    "_age": "years",
    "threshold": "log ratio",
}
UNFIT: dict[type, tuple[Any, ...]] = {int: (-1,), float: (-1.0,), str: ("\x00",), bool: (True,)}  # what none allows


def page() -> str:
    """Give the page as Markdown."""
    return HEAD + "\n".join(line for one in dataclasses.fields(Config) for line in _section(one)) + "\n"


def _section(section: dataclasses.Field[Any]) -> Iterator[str]:
    kind: Any = section.default_factory
    yield f"\n## [{section.name}]\n"
    yield f"{_title(kind)}\n"
    yield from table(("setting", "type", "unit", "default", "allowed", "meaning"), _settings(section.name, kind))


def _settings(section: str, kind: Any) -> Iterator[tuple[str, ...]]:
    meanings = meanings_of(kind)
    for one in dataclasses.fields(kind):
        default = one.default
        written = f'"{default}"' if isinstance(default, str) else str(default).lower()
        allowed = allowed_of(kind, f"{section}.{one.name}", default)
        cells = (WORDS[type(default)], unit_of(one.name, default), f"`{written}`", allowed)
        yield f"`{one.name}`", *cells, meanings.get(one.name, "")


def _title(kind: type) -> str:
    """Give the sentence of the section, without its name, which is the heading."""
    sentence = (kind.__doc__ or "").partition(": ")[2]
    return sentence[:1].upper() + sentence[1:]


def meanings_of(kind: type) -> dict[str, str]:
    """Give the comment beside each setting of a section, by the setting's name."""
    source = textwrap.dedent(inspect.getsource(kind))
    (body,) = ast.parse(source).body
    assert isinstance(body, ast.ClassDef)
    lines = {one.lineno: one.target.id for one in body.body if _is_setting(one)}  # type: ignore[attr-defined]
    comments = (one for one in tokenize.generate_tokens(io.StringIO(source).readline) if one.type == tokenize.COMMENT)
    return {lines[one.start[0]]: one.string.lstrip("# ") for one in comments if one.start[0] in lines}


def _is_setting(node: ast.stmt) -> bool:
    return isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)


def unit_of(name: str, default: object) -> str:
    """Give what a setting's number counts; empty for texts, for true and false, and for plain counts."""
    if isinstance(default, bool | str):
        return ""
    return next((unit for ending, unit in UNITS.items() if name.endswith(ending)), "")


def allowed_of(kind: type, name: str, default: object) -> str:
    """Give what may be set, in the words with which the service refuses something else; empty where it takes all."""
    for unfit in UNFIT[type(default)]:
        try:
            kind(**{name.partition(".")[2]: unfit})
        except SettingError as error:
            if error.name.partition(" ")[0] == name:
                return error.allowed.replace("|", "\\|")
    return ""


if __name__ == "__main__":
    sys.stdout.write(page())
