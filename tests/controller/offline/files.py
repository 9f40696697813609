"""Files of applications to be checked, and their answers."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path

import msgspec

from controller.application import Application
from controller.checks.context import CheckContext
from controller.checks.finding import FINDINGS, Finding
from controller.offline.answers import Answer
from controller.offline.checking import Checking
from controller.offline.jsonl import read_jsonl
from controller.offline.pictures import Pictures, ReadPicture
from tests.controller.checks.samples import TODAY, context, good, number_of, portrait

FACE = "face.jpg"
KEY = bytes(32)
BATCH = "520102000000" + TODAY


def face_only(name: str) -> bytes | Finding:
    """Give the one picture there is."""
    return portrait() if name == FACE else FINDINGS["portrait.missing"]


def batch(sequence: int, count: int, /, **changes: object) -> str:
    """Give the line of a batch's header."""
    head = {"batch_number": f"{BATCH}{sequence:05d}", "received_on": TODAY, "card_kind": "second", "count": count}
    return json.dumps({"batch": head | changes})


def application(sequence: int = 1, **changes: object) -> str:
    """Give the line of a good application, or of one with other fields; `sequence` makes it another person's."""
    app = msgspec.structs.asdict(person(sequence)) | {"portrait": FACE} | changes
    return json.dumps({"application": app})


def person(sequence: int) -> Application:
    """Give one of many good applications of men."""
    return good(
        acceptance_number=f"52010200120251220{sequence:05d}",
        identity_number=number_of("520102", "19900307", f"{2 * sequence - 1:03d}"),
    )


def answers_of(
    lines: Iterable[str | bytes], in_context: CheckContext | None = None, read: ReadPicture = face_only
) -> list[Answer]:
    """Give the answers to the lines of a file."""
    raw = b"".join((line.encode() if isinstance(line, str) else line) + b"\n" for line in lines)
    checking = Checking(in_context or context(), Pictures(read), KEY)
    return list(checking.answers(read_jsonl(io.BytesIO(raw))))


def codes_of(lines: Iterable[str | bytes]) -> list[list[str]]:
    """Give the codes found for each line."""
    return [[finding.code for finding in answer.findings] for answer in answers_of(lines)]


def write_file(folder: Path, lines: Iterable[str]) -> Path:
    """Give a file of these lines, with the one portrait beside it."""
    (folder / FACE).write_bytes(portrait())
    path = folder / "applications.jsonl"
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path
