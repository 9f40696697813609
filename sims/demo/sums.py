"""What must hold of a demo's report, each as a sentence for when it does not."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controller.report.page import YEARLY_TARGET

FULL_FLOOR_CARDS = 2_000  # from here on the presses run full, so that speed and losses say something


def broken_sums(report: Mapping[str, Any], kills_wanted: int) -> list[str]:
    """Give a sentence for each sum of `report.json` that does not hold; none when all is well."""
    told = {name: value for name, value in report.items() if isinstance(value, int)}
    blanks, receipts, shift = report["blanks"], report["receipts"], report["shift"]
    ends = told["dispatched"] + told["cancelled"] + told["refused_late"] + told["open"]
    held = [
        _equal("submitted", told["submitted"], "accepted + refused", told["accepted"] + told["refused"]),
        _equal("accepted", told["accepted"], "dispatched + cancelled + refused_late + open", ends),
        _equal("open", told["open"], "0", 0),
        _equal("blanks.difference", blanks["difference"], "0", 0),
        _more("shift.closed", shift["closed"], 1),
        _equal("shift.accounted", shift["accounted"], "blanks.received", blanks["received"]),
        _equal("shift.undestroyed", shift["undestroyed"], "0", 0),
        _equal("planted_bad_caught", told["planted_bad_caught"], "planted_bad", told["planted_bad"]),
        _equal("good_refused", told["good_refused"], "0", 0),
        _equal("receipts.final", receipts["final"], "accepted", told["accepted"]),
        _equal("receipts.missing", receipts["missing"], "0", 0),
        _equal("receipts.double", receipts["double"], "0", 0),
        _equal("receipts.unaccepted", receipts["unaccepted"], "0", 0),
        _equal("receipts.gaps", receipts["gaps"], "0", 0),
        *(_equal(f"heard.{name}", count, name, told[name]) for name, count in report["heard"].items()),
        _equal("kills", told["kills"], "the kills that were ordered", kills_wanted),
    ]
    if told["submitted"] >= FULL_FLOOR_CARDS:
        held.append(_more("yearly_capacity", told["yearly_capacity"], YEARLY_TARGET))
        held.append(_more("remade", told["remade"], 1))
    return [sentence for sentence in held if sentence]


def _equal(name: str, value: int, of: str, wanted: int) -> str:
    if value == wanted:
        return ""
    return f"{name} is {value:,}, and not {of}" + (f", {wanted:,}" if of != f"{wanted}" else "")


def _more(name: str, value: int, least: int) -> str:
    return "" if value >= least else f"{name} is {value:,}, and not at least {least:,}"
