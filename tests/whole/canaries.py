"""Canaries: people who do not exist, whose data is unlike anything else, and the search for it in any writing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from controller.application import Application
from sims.faces import FaceSource
from sims.people import Population

MARKS = "甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳"
COM = b"\xff\xfe"
SLICE_BYTES = 48


def canaries(first: int, count: int, today: str) -> list[Application]:
    """Give applications whose name, address, number and portrait are each found again wherever they lie."""
    population = Population(11, faces=FaceSource(11))
    return [_canary(population.application(index, today), index) for index in range(first, first + count)]


def _canary(app: Application, index: int) -> Application:
    mark = MARKS[index % len(MARKS)]
    comment = f"CANARY-PORTRAIT-{index:04d}-OF-NOBODY".encode()
    segment = COM + (len(comment) + 2).to_bytes(2) + comment
    return msgspec.structs.replace(
        app,
        name=f"司马鹤鸣{mark}",
        address=f"{app.address[:6]}啄木鸟巷{index + 700}号{mark}座",
        portrait=app.portrait[:2] + segment + app.portrait[2:],
    )


def forms(people: Iterable[Application]) -> dict[bytes, str]:
    """Give the bytes by which each canary would be found, with what they are of."""
    found: dict[bytes, str] = {}
    for app in people:
        texts = {"name": app.name, "address": app.address, "street": app.address[6:], "number": app.identity_number}
        for what, text in texts.items():
            for code in ("utf-8", "utf-16-le", "utf-16-be", "gbk"):
                found[text.encode(code)] = f"{what} in {code}"
            found[json.dumps(text)[1:-1].encode()] = f"{what} in JSON"
        middle = len(app.portrait) // 2
        found[app.portrait[6:40]] = "comment of the portrait"
        found[app.portrait[middle : middle + SLICE_BYTES]] = "bytes of the portrait"
    return found


def sightings(folder: Path, people: Iterable[Application]) -> list[str]:
    """Give where anything of the canaries stands in the files of a folder, or in their names."""
    return [f"{path.name}: {what}" for path in _files(folder) for what in _seen_in(path, forms(people))]


def _files(folder: Path) -> Iterator[Path]:
    yield from sorted(path for path in folder.rglob("*") if path.is_file())


def _seen_in(path: Path, wanted: dict[bytes, str]) -> list[str]:
    try:
        content = str(path).encode() + b"\0" + path.read_bytes()
    except FileNotFoundError:  # a write-ahead log that was just closed
        return []
    return [what for one, what in wanted.items() if one in content]
