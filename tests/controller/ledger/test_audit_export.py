"""The export, held by a checker that knows `docs/audit.md` and nothing of the product."""

from __future__ import annotations

import hashlib
import json
import struct
from pathlib import Path

import msgpack
import pytest

from controller.audit.export import export
from controller.ledger.engine import reader_engine
from controller.ledger.errors import LedgerDamaged
from controller.ledger.journal import last_head
from controller.ledger.store import DATABASE_NAME
from tests.controller.ledger.audited import audit, copy_of_centre, rewrite

PAGE = Path(__file__).parents[3] / "docs" / "audit.md"


def as_shown(value: object) -> object:
    """Give a value of msgpack as the export's JSON shows it."""
    if isinstance(value, bytes):
        return value.hex()
    return [as_shown(one) for one in value] if isinstance(value, list) else value


def checked(lines: list[str]) -> tuple[int, str]:
    """Compute the chain of an export by the page alone; give its head.  Raises: AssertionError, ValueError."""
    first, *moves, last = map(json.loads, lines)
    assert first["cardmill_audit"] == 1
    previous, seq = bytes.fromhex(first["genesis"]), 0
    assert previous == bytes(32)
    for line in moves:
        seq += 1
        assert line["seq"] == seq
        body = bytes.fromhex(line["body"])
        stamped = previous + struct.pack(">d", line["at_floor_s"]) + body
        previous = hashlib.blake2b(stamped, digest_size=32).digest()
        assert line["hash"] == previous.hex(), f"move {seq}"
        tag, *values = msgpack.unpackb(body)
        assert tag == line["tag"]
        assert as_shown(values) == list(line["move"].values()), f"move {seq}"
    assert last == {"head": {"seq": seq, "hash": previous.hex()}}
    return seq, previous.hex()


def exported(folder: Path) -> list[str]:
    written: list[bytes] = []
    engine = reader_engine(folder / DATABASE_NAME)
    try:
        export(engine, written.append)
    finally:
        engine.dispose()
    return b"".join(written).decode("utf-8").splitlines()


def test_a_checker_that_knows_the_page_alone_computes_the_head(tmp_path):
    folder, receipts = copy_of_centre(tmp_path)
    lines = exported(folder)
    head = audit(folder).head
    assert checked(lines) == (head.seq, head.hash.hex())
    links = {json.loads(line)["hash"] for line in lines[1:-1]}
    assert {json.loads(line)["chain"] for line in receipts.read_text("utf-8").splitlines()} <= links


def test_the_page_names_each_key_of_a_line_and_no_other(tmp_path):
    folder, _ = copy_of_centre(tmp_path)
    keys = list(json.loads(exported(folder)[1]))
    page = PAGE.read_text("utf-8").split("## Computing the chain yourself")[1]
    assert [row.split("`")[1] for row in page.splitlines() if row.startswith("| `")] == keys


@pytest.mark.parametrize("key", ["at_floor_s", "body", "hash", "seq", "move", "tag"])
def test_the_checker_sees_any_change_of_a_line(tmp_path, key):
    folder, _ = copy_of_centre(tmp_path)
    lines = exported(folder)
    line = json.loads(lines[20])
    changes = {
        "at_floor_s": line["at_floor_s"] + 1e-6,
        "body": line["body"][:-1] + ("0" if line["body"][-1] != "0" else "1"),
        "hash": "00" * 32,
        "seq": line["seq"] + 1,
        "move": dict.fromkeys(line["move"], "x"),
        "tag": "run",
    }
    lines[20] = json.dumps({**line, key: changes[key]})
    with pytest.raises(AssertionError):
        checked(lines)


def test_a_broken_chain_is_not_exported_as_if_it_were_whole(tmp_path):
    folder, _ = copy_of_centre(tmp_path)
    rewrite(folder / DATABASE_NAME, "UPDATE move SET at_floor_s = at_floor_s + 1 WHERE seq = 30")
    with pytest.raises(LedgerDamaged, match="broken at move 30: run `cardmill audit verify`"):
        exported(folder)


def test_an_export_ends_where_the_ledger_ended_when_it_began(tmp_path):
    folder, _ = copy_of_centre(tmp_path)
    engine = reader_engine(folder / DATABASE_NAME)
    with engine.connect() as connection:
        end = last_head(connection)
    seen: list[bytes] = []
    assert export(engine, seen.append) == end
    assert len(seen) == end.seq + 2
    engine.dispose()
