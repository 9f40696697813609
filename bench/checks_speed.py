"""A file of good applications in which no two portraits are equal, to time the checks on."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec

from sims.faces import FaceSource
from sims.people import Population

TODAY = "20260312"
BATCH_ROWS = 1_000


def write_speed_file(folder: Path, cards: int, seed: int) -> Path:
    """Write so many good applications with a portrait each (17 MB a thousand); gives the file."""
    people, path = Population(seed, TODAY, FaceSource(seed)), folder / "speed.jsonl"
    with path.open("w", encoding="utf-8") as file:
        for number in range(cards):
            if number % BATCH_ROWS == 0:
                head = {
                    "batch_number": f"520100000000{TODAY}{number // BATCH_ROWS + 1:05d}",
                    "received_on": TODAY,
                    "card_kind": "second",
                    "count": min(BATCH_ROWS, cards - number),
                }
                file.write(json.dumps({"batch": head}) + "\n")
            app = people.application(number, TODAY)
            name = f"{number}.jpg"
            (folder / name).write_bytes(app.portrait)
            fields = msgspec.structs.asdict(app) | {"portrait": name}
            file.write(json.dumps({"application": fields}, ensure_ascii=False) + "\n")
    return path
