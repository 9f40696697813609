"""A ledger that came out of a backup: what it cannot know becomes suspect, and nothing is made until two people agree.

Between the backup and the restore the floor went on, and no record of it is left.  So numbers jump past all that were
given meanwhile, every sheet on the floor becomes suspect, and no station, encoder or new batch gets a turn before two
people say that the floor, the blanks and what left the house were compared with the ledger.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from controller.core import events as e
from controller.core import record_moves as m
from controller.core.key_moves import KeyInPlace
from controller.core.moves import Mark
from controller.core.turn import Turn
from devices.defects import FATE_UNKNOWN


def _accepted(turn: Turn, event: e.RestoreAccepted) -> None:
    """Begin anew on a restored ledger; every sheet that waits may have gone on, so its fate is unknown."""
    turn.record(m.LedgerRestored(event.at_seq, event.step, event.upstreams))
    # what waited for the folder was put there in the lost time, and may have been undone since: it is not done again,
    # and where the folder differs now, that is found as a change past the service
    for role, name in list(turn.state.peer_keys.pending):
        turn.record(KeyInPlace(role, name))
    for sheet in list(turn.state.sheets.values()):
        if not sheet.job_id:  # those in a job are asked for: the station may remember
            # a film too: a press may have drawn a body for it meanwhile
            turn.mark(sheet, sheet.live, Mark.SUSPECTED, FATE_UNKNOWN, "", sheet.step)


def _why_not(turn: Turn, args: Mapping[str, int | str]) -> tuple[str, str] | None:
    state = turn.state
    if not state.reconciling:
        return ("restored.nothing", "no restored ledger waits to be compared: nothing is to be done")
    if state.jobs:
        text = f"{len(state.jobs)} jobs are open, the first is {min(state.jobs)}: wait for the station, or `give_up` it"
        return ("restored.open_jobs", text)
    suspects = sum(bool(sheet.suspect) for sheet in state.sheets.values())
    if suspects:
        return ("restored.suspects", f"{suspects} sheets are suspect: settle them first, see `cardmill suspects`")
    return None


def _reconcile(turn: Turn, args: Mapping[str, int | str], by: str, second: str) -> None:
    turn.record(m.RestoreReconciled(by, second))


NO_ARGUMENTS: Mapping[str, type] = {}
RESTORE_ACTS = {"reconciled": (NO_ARGUMENTS, _reconcile, _why_not)}
RESTORE_HANDLERS: dict[type, Callable[[Turn, Any], None]] = {e.RestoreAccepted: _accepted}
