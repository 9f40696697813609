"""The record itself: the daily head of what stands outside the chain, and the destruction of personal data."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from controller.core import events as e
from controller.core import record_moves as m
from controller.core.calendar import DAY_S
from controller.core.turn import Turn


def ask_for_purges(turn: Turn) -> None:
    """Ask for the destruction that was approved and did not come to its end before the last stop."""
    for purge_id, closed_before_floor_s in turn.state.purges.items():
        turn.act(e.Purge(purge_id, closed_before_floor_s, begun=True))


def _digested(turn: Turn, event: e.TablesDigested) -> None:
    if event.day > turn.state.folded_day:
        whole = (event.batches, event.cursors, event.meta, event.waiting)
        turn.record(m.TablesFolded(event.day, event.event_seq, event.event_hash, *whole))


def _erased(turn: Turn, event: e.BatchesErased) -> None:
    if event.purge_id in turn.state.purges:
        whole = (event.batches, event.is_last, event.unfinished, event.altered)
        turn.record(m.BatchesPurged(event.purge_id, *whole))


def _keys_changed(turn: Turn, event: e.VaultKeysTouched) -> None:
    turn.record(m.VaultKeysChanged(event.what, event.by))


def _account_touched(turn: Turn, event: e.AccountTouched) -> None:
    turn.record(m.AccountChanged(event.what, event.account, event.by, event.times))


def _purge_why(turn: Turn, args: Mapping[str, int | str]) -> tuple[str, str] | None:
    least = turn.config.vault.retention_days
    stays = "1 day" if least == 1 else f"{least:,} days"
    if int(args["days"]) < least:
        return ("purge.too_early", f"personal data stays {stays} after its batch is closed: give days={least}")
    if turn.state.purges:
        return ("purge.under_way", "another purge is under way: wait until it has ended")
    return None


def _purge(turn: Turn, args: Mapping[str, int | str], by: str, second: str) -> None:
    purge_id = turn.state.next_id("purge")
    closed_before_floor_s = turn.now_floor_s - int(args["days"]) * DAY_S
    turn.record(m.PurgeApproved(purge_id, closed_before_floor_s, by, second))
    turn.act(e.Purge(purge_id, closed_before_floor_s))


RECORD_ACTS = {"purge": ({"days": int}, _purge, _purge_why)}
RECORD_HANDLERS: dict[type, Callable[[Turn, Any], None]] = {
    e.TablesDigested: _digested,
    e.BatchesErased: _erased,
    e.VaultKeysTouched: _keys_changed,
    e.AccountTouched: _account_touched,
}
