"""Where a manifest that somebody kept is not what the ledger says was sent: the line, and which of its cells."""

from __future__ import annotations

import csv
import io
import re
from itertools import zip_longest

from sqlalchemy import Engine

from controller.ledger.consignments import Consignments
from controller.packing.manifest import CARDS, UNITS, ManifestError, manifest_csv

_CONSIGNMENT = re.compile(rb"^consignment,([0-9]{1,15}),", re.MULTILINE)
_COLUMNS = {len(CARDS): tuple(CARDS), len(UNITS): tuple(UNITS)}


def broken_fault(ledger: Engine, content: bytes, error: ManifestError) -> str:
    """Give what is wrong with bytes that are no manifest any more."""
    found = _CONSIGNMENT.search(content)
    consignment_id = int(found[1]) if found else 0
    return difference(ledger, consignment_id, content) or (
        f"line {error.line}: it is not as a manifest is written, and no consignment of this ledger tells how it was"
    )


def difference(ledger: Engine, consignment_id: int, content: bytes) -> str:
    """Give the first line and cell that differ from the ledger's own manifest; empty: none does, or it has none."""
    sent = Consignments(ledger).manifest(consignment_id)
    if sent is None:
        return ""
    pairs = zip_longest(manifest_csv(sent).split(b"\r\n"), content.split(b"\r\n"))
    for number, (own, line) in enumerate(pairs, 1):
        if own != line:
            cell = _cell(own, line)
            return f"line {number}: {cell} is not what the ledger says of consignment {consignment_id}"
    return ""


def _cell(own: bytes | None, line: bytes | None) -> str:
    """Give the name of the first cell that differs; never what stands there."""
    wanted, found = _cells(own), _cells(line)
    if not wanted or len(wanted) != len(found):
        return "the line"
    place = next((place for place, (a, b) in enumerate(zip(wanted, found, strict=True)) if a != b), 0)
    names = _COLUMNS.get(len(wanted))
    return f"`{names[place] if names else wanted[0]}`"


def _cells(line: bytes | None) -> list[str]:
    try:
        return next(csv.reader(io.StringIO((line or b"").decode("utf-8-sig")), strict=True), [])
    except (UnicodeDecodeError, csv.Error):
        return []
