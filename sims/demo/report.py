"""The demo's last word: what the ledger's moves say, beside what upstream really received."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from controller.config import load_config
from controller.core.moves import AnyMove
from controller.core.stock import Account
from controller.core.stock_moves import ShiftClosed
from controller.ledger.store import open_ledger
from controller.ledger.verify.whole import Verified
from controller.report.figures import build_report
from sims.demo.folder import DemoFolder
from sims.demo.options import DemoOptions
from sims.demo.sums import broken_sums

FROM_PLANTED = ("planted_bad", "planted_bad_caught", "good_refused")
FROM_RECEIPTS = ("final", "missing", "double", "unaccepted", "gaps", "repeated")
HEARD = ("submitted", "accepted", "refused", "made", "dispatched", "cancelled", "refused_late")


async def final_report(
    options: DemoOptions, folder: DemoFolder, kills: int, wall_s: float, stop_codes: Mapping[str, int]
) -> dict[str, Any]:
    """Give what goes into `report.json` once every process has stopped; `broken` names what does not hold.

    Raises: LedgerError: the ledger does not open or cannot be read; OSError, ValueError: upstream's own report.
    """
    yearly_hours = load_config(folder.config).calendar.yearly_hours()
    async with open_ledger(folder.data) as ledger:  # opened anew: what the stopped service left on the disk
        audit = ledger.verify()
        report = build_report(ledger.replay(), yearly_hours)
        report["shift"] = shift_closed(move for _, move in ledger.replay())
    upstream = json.loads((folder.results / "upstream.json").read_text("utf-8"))
    report = composed(report, upstream, options) | {"kills": kills, "wall_s": round(wall_s, 1)}
    report["broken"] = broken_sums(report, options.kills) + audit_faults(audit) + bad_stops(stop_codes)
    return report


def shift_closed(moves: Iterable[AnyMove]) -> dict[str, int]:
    """Give how many shifts were closed, and how many blanks the accounts of the last one hold."""
    closed = [move for move in moves if isinstance(move, ShiftClosed)]
    accounts = closed[-1].accounts if closed else {}
    return {
        "closed": len(closed),
        "accounted": sum(accounts.values()),
        "undestroyed": accounts.get(Account.SPOILED, 0),
        "missing": accounts.get(Account.MISSING, 0),
    }


def composed(report: Mapping[str, Any], upstream: Mapping[str, Any], options: DemoOptions) -> dict[str, Any]:
    """Give the floor's report with upstream's part: its counts stand beside those of the ledger."""
    return {
        "cards": options.cards,
        "seed": options.seed,
        "scale": options.scale,
        **report,
        **{name: upstream["planted"][name] for name in FROM_PLANTED},
        "receipts": {name: upstream["receipts"][name] for name in FROM_RECEIPTS},
        "heard": {name: upstream[name] for name in HEARD},  # the same counts, as upstream was told
        "wrong_code": upstream["planted"]["wrong_code"],
    }


def audit_faults(audit: Verified) -> list[str]:
    """Give a sentence for each fault of the ledger's own check: its chain, and its state folded anew."""
    return [f"the ledger does not verify: {fault}" for fault in audit.faults]


def bad_stops(stop_codes: Mapping[str, int]) -> list[str]:
    """Give a sentence for each process that did not stop cleanly when it was asked to."""
    return [
        f"the {name} process ended with {code} when it was asked to stop" for name, code in stop_codes.items() if code
    ]
