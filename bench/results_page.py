"""The page of results: a section for each benchmark; those that were not run again stay as they were."""

import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

NO_FIGURES = ("bench", "machine", "versions", "spread")

_SECTION = re.compile(r"^## (\S+)\n(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)


def sections(text: str) -> dict[str, str]:
    """The sections of a page by benchmark, each from its heading to before the next."""
    return {found[1]: found[0] for found in _SECTION.finditer(text)}


def section(name: str, question: str, collected: Mapping[str, Any]) -> str:
    """One benchmark's section: its question, command and time, and its figures or its fault."""
    command, fault = collected["commands"][name], collected["failed"].get(name)
    there = collected["machine"]
    taken = f"Taken {collected['date']} in {collected['wall_s'][name]:,.0f} s with Python {there['python']}"
    taken += f"; load before the start {there['load']:.1f}."
    lines = [f"## {name}", "", question, "", f"    {command}", "", taken, ""]
    if fault:
        lines += [f"**Failed: {fault}.**", ""]
    else:
        lines += ["| figure | median | spread |", "| --- | ---: | ---: |"]
        rows = figures(collected["benchmarks"][name])
        lines += [f"| `{figure}` | {median} | {spread} |" for figure, median, spread in rows] + [""]
    return "\n".join(lines) + "\n"


def page(parts: Mapping[str, str], collected: Mapping[str, Any]) -> str:
    """The text of RESULTS.md from its sections in order."""
    there = collected["machine"]
    memory = f", {there['memory_bytes'] / 2**30:.0f} GiB" if there["memory_bytes"] else ""
    lines = [
        "# Results",
        "",
        "Written by `python -m bench release`; do not edit.  A figure is the median of its rounds, its spread the",
        "distance between their quartiles; a figure without a spread was set, counted, computed or taken once.",
        "",
        f"- Last written: {collected['date']}",
        f"- Machine: {there['cpus']} x {there['processor']}{memory}, {there['system']}",
        f"- Versions: Python {there['python']}, "
        + ", ".join(f"{name} {one}" for name, one in collected["versions"].items()),
        "",
    ]
    failed = [name for name, part in parts.items() if "\n**Failed: " in part]
    if failed:
        lines += [f"**Failed: {', '.join(failed)}.**", ""]
    return "\n".join(lines) + "\n" + "".join(parts.values()).rstrip("\n") + "\n"


def figures(result: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Each figure of a result: its dotted path, its value, and what stands under `spread` with the same path."""
    spreads = dict(_leaves(result.get("spread", {})))
    own = {name: value for name, value in result.items() if name not in NO_FIGURES}
    return [(path, _text(value), _text(spreads.get(path, ""))) for path, value in _leaves(own)]


def write_results(text: str, path: Path) -> int:
    """Put the page in place whole or not at all.  Returns the exit code: 2 when it cannot be written."""
    fresh = path.with_name(f"{path.name}.new")
    try:
        with open(fresh, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        print(f"The results cannot be written to {path}: {error.strerror}.", file=sys.stderr)
        return 2
    return 0


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each value that holds no others, with its dotted path; the places of a list count from 0."""
    if isinstance(value, list):
        value = dict(enumerate(value))
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    else:
        yield path, value


def _text(value: Any) -> str:
    """A value for the page: four digits of a fraction count, and nothing may break its row."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return "" if value is None else " ".join(str(value).replace("|", "/").split())
