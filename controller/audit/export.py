"""The export of the audit: every move as a line of JSON, from which anyone can compute the chain (docs/audit.md)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Engine

from controller.audit.words import named_fields
from controller.ledger import tables
from controller.ledger.chain import GENESIS, Head, link
from controller.ledger.errors import LedgerDamaged
from controller.ledger.journal import last_head, open_move, read_rows
from controller.ledger.verify.report import Tell, tell_nobody

FORMAT = 1
TOLD_EVERY = 10_000

_json = msgspec.json.Encoder()


def export(ledger: Engine, write: Callable[[bytes], Any], tell: Tell = tell_nobody) -> Head:
    """Write all moves that are durable now, a line each, and the head as the last line; give the head.

    Read in short pages, so that a service goes on meanwhile.  The chain is computed on the way.
    Raises: LedgerDamaged: it is broken, or a move cannot be read; what stands before was written.
    """
    with ledger.connect() as connection:
        end = last_head(connection)
    write(_line({"cardmill_audit": FORMAT, "genesis": GENESIS.hash.hex()}))
    head = GENESIS
    for row in read_rows(ledger, tables.move):
        if row.seq > end.seq:
            break
        head = Head(head.seq + 1, link(head.hash, row.at_floor_s, row.body))
        if (row.seq, row.hash) != head:
            raise LedgerDamaged(f"the chain is broken at move {head.seq}: run `cardmill audit verify`")
        write(
            _line(
                {
                    "seq": row.seq,
                    "at_floor_s": row.at_floor_s,
                    "tag": row.tag,
                    "move": named_fields(open_move(row)),
                    "body": row.body.hex(),
                    "hash": row.hash.hex(),
                }
            )
        )
        if row.seq % TOLD_EVERY == 0:
            tell("moves", row.seq, end.seq)
    write(_line({"head": {"seq": head.seq, "hash": head.hash.hex()}}))
    return head


def _line(value: dict[str, Any]) -> bytes:
    return _json.encode(value) + b"\n"
