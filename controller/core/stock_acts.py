"""Acts of two people about stock: body sheets that come, go and are lost, spoiled blanks, the end of a shift."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from controller.core import events as e
from controller.core.stock import VAULT, Account
from controller.core.stock_moves import (
    BlanksDestroyed,
    BlanksLost,
    BodiesLost,
    BodiesReturned,
    BodiesSampled,
    MagazineIssued,
    ShiftClosed,
    StockReceived,
)
from controller.core.stocktaking import differences, uncounted
from controller.core.turn import Turn
from devices.defects import Step
from devices.lies import MAX_SERIAL
from devices.messages import POSITIONS, SINGLE, StationState

Args = Mapping[str, int | str]
Why = tuple[str, str] | None
Check = Callable[[Turn, Args], Why]
Do = Callable[[Turn, Args, str, str], None]
MAX_SHEETS = 1_000_000  # of one act: no maker delivers more at once
COUNT_MAX = MAX_SHEETS * POSITIONS
LOST_MAX = 800_000  # blanks lost in one shift, whose close names each of them in one row of the ledger


# ---- receive and issue ----------------------------------------------------------------------------------------


def _receive_why(turn: Turn, args: Args) -> Why:
    first, sheets = _range(args)
    if not 1 <= sheets <= MAX_SHEETS or first < 1 or first + sheets > MAX_SERIAL // 10:
        return ("stock.count", "first_body is 1 to 9e14, sheets from 1 to 1,000,000")
    if int(args.get("places", POSITIONS)) not in (POSITIONS, SINGLE):
        return ("stock.places", "places is 8, or 1 for single bodies")
    if not turn.state.stock.is_new(first, sheets):
        return ("stock.known_serial", "some of these body sheets were received before: check the maker's list")
    return None


def _receive(turn: Turn, args: Args, by: str, second: str) -> None:
    places = int(args.get("places", POSITIONS))
    turn.record(StockReceived(*_range(args), str(args["lot"]), by, second, places))


def _issue_why(turn: Turn, args: Args) -> Why:
    return _magazine_why(turn, str(args["station"])) or _lies_why(turn, "", args)


def _issue(turn: Turn, args: Args, by: str, second: str) -> None:
    station, (first, sheets) = str(args["station"]), _range(args)
    issue_id = turn.state.next_id("issue")
    places = turn.state.stock.places_of(first)
    turn.record(MagazineIssued(issue_id, station, first, sheets, by, second, places))
    turn.act(e.FillMagazine(station, issue_id, first, sheets, places=places))


# ---- body sheets that leave a magazine, or the vault ------------------------------------------------------------


def _return_why(turn: Turn, args: Args) -> Why:
    """A machine that runs may draw what is taken out of it: its operator stops it first, and starts it again."""
    station = str(args["station"])
    why = _magazine_why(turn, station) or _idle_why(turn, station)
    if why is None and turn.state.stations[station].state != StationState.STOPPED:
        return (
            "stock.station_runs",
            "its operator takes the station off line first, so that it draws nothing then",
        )
    return why or _lies_why(turn, station, args)


def _return(turn: Turn, args: Args, by: str, second: str) -> None:
    station, (first, sheets) = str(args["station"]), _range(args)
    issue_id = turn.state.next_id("issue")
    places = turn.state.stock.places_of(first)
    turn.record(BodiesReturned(station, first, sheets, by, second, issue_id, places))
    turn.act(e.FillMagazine(station, issue_id, first, sheets, out=True, places=places))


def _sample_why(turn: Turn, args: Args) -> Why:
    return _lies_why(turn, "", args)


def _sample(turn: Turn, args: Args, by: str, second: str) -> None:
    first, sheets = _range(args)
    turn.record(BodiesSampled(first, sheets, by, second, turn.state.stock.places_of(first)))


def _lost_why(turn: Turn, args: Args) -> Why:
    place = str(args["station"])
    if len(turn.state.stock.lost) + int(args["sheets"]) * POSITIONS > LOST_MAX:
        return ("stock.count", f"more than {LOST_MAX:,} blanks would be lost in this shift: close it first, then go on")
    if place == VAULT:
        return _lies_why(turn, "", args)
    return _magazine_why(turn, place) or _idle_why(turn, place) or _lies_why(turn, place, args)


def _lost(turn: Turn, args: Args, by: str, second: str) -> None:
    place, (first, sheets) = str(args["station"]), _range(args)
    places = turn.state.stock.places_of(first)
    if place == VAULT:
        turn.record(BodiesLost("", first, sheets, by, second, places=places))
        return
    issue_id = turn.state.next_id("issue")
    turn.record(BodiesLost(place, first, sheets, by, second, issue_id, places))
    turn.act(e.FillMagazine(place, issue_id, first, sheets, out=True, places=places))


def _range(args: Args) -> tuple[int, int]:
    return int(args["first_body"]), int(args["sheets"])


def _magazine_why(turn: Turn, station: str) -> Why:
    known = turn.state.stations.get(station)
    if known is None or known.step is not Step.LAMINATE:
        return ("stock.no_magazine", "this is not a laminate station that has said hello")
    return None


def _idle_why(turn: Turn, station: str) -> Why:
    if turn.state.stations[station].job_id:
        return ("stock.station_works", "this station has a load: it may have drawn some of its body sheets already")
    return None


def _lies_why(turn: Turn, station: str, args: Args) -> Why:
    """Refuse serials that do not all lie in one range of the vault (`station` empty) or of a magazine."""
    first, sheets = _range(args)
    if sheets >= 1 and turn.state.stock.lies_in(station, first, sheets):
        return None
    if station:
        return ("stock.not_in_magazine", "not all of these body sheets lie in this magazine: see `cardmill stock`")
    return ("stock.not_in_vault", "not all of these body sheets lie in the vault: see `cardmill stock`")


# ---- spoiled blanks -------------------------------------------------------------------------------------------


def _lost_blank_why(turn: Turn, args: Args) -> Why:
    blank, stock = int(args["blank"]), turn.state.stock
    if blank not in stock.spoiled and blank not in stock.returned:
        return ("stock.not_spoiled", "this is not the serial of a blank that waits for its destruction")
    return None


def _lost_blank(turn: Turn, args: Args, by: str, second: str) -> None:
    turn.record(BlanksLost(int(args["blank"]), by, second))


def _destroy_why(turn: Turn, args: Args) -> Why:
    """Whether the count agrees one person alone is never told, or it could be guessed, proposal by proposal."""
    if not 1 <= int(args["count"]) <= COUNT_MAX:
        return ("stock.count", "count is 1 or more: how many blanks you counted and destroyed")
    if not turn.state.stock.spoiled:
        return ("stock.none_spoiled", "no blank waits for its destruction")
    return None


def _destroy(turn: Turn, args: Args, by: str, second: str) -> None:
    """Destroy as many as the books have, or tell the two in the same words for one too few and a thousand too many."""
    if int(args["count"]) != len(turn.state.stock.spoiled):
        turn.refuse("stock.count_differs", "the books have another number of spoiled blanks: count again")
        return
    turn.record(BlanksDestroyed(turn.state.next_id("destruction"), list(turn.state.stock.spoiled), by, second))


# ---- the end of a shift ---------------------------------------------------------------------------------------


def _close_shift_why(turn: Turn, args: Args) -> Why:
    missing = uncounted(turn.state.stock)
    if missing:
        return ("shift.not_counted", f"not counted since the shift began: {', '.join(missing)}; see `cardmill count`")
    return None


def _close_shift(turn: Turn, args: Args, by: str, second: str) -> None:
    """Close it, or tell the two, who both stand for it now, where the books differ and what should lie there."""
    stock, sentences = turn.state.stock, differences(turn.state.stock)
    if sentences:
        what_to_do = "count again, or declare what cannot be found with the acts `lost` and `lost_blank`"
        turn.refuse("shift.differs", f"{'; '.join(sentences)}: {what_to_do}")
        return
    accounts = {account.value: stock.blanks[account] for account in Account}
    shift_id = turn.state.next_id("shift")
    turn.record(ShiftClosed(shift_id, stock.shift_floor_s, accounts, list(stock.lost), by, second))


_BODIES: Mapping[str, type] = {"first_body": int, "sheets": int}

STOCK_ACTS: Mapping[str, tuple[Mapping[str, type], Do, Check]] = {
    "receive": ({**_BODIES, "lot": str}, _receive, _receive_why),
    "issue": ({"station": str, **_BODIES}, _issue, _issue_why),
    "return": ({"station": str, **_BODIES}, _return, _return_why),
    "sample": (_BODIES, _sample, _sample_why),
    "lost": ({"station": str, **_BODIES}, _lost, _lost_why),
    "lost_blank": ({"blank": int}, _lost_blank, _lost_blank_why),
    "destroy": ({"count": int}, _destroy, _destroy_why),
    "close_shift": ({}, _close_shift, _close_shift_why),
}
