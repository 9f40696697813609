"""The codes of alarms, a closed list: how grave each is, and what somebody has to do."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import NamedTuple


class Severity(StrEnum):
    """How soon somebody has to look, the soonest first."""

    PAGE = "page"  # somebody goes there now: work stands, or blanks, doors or the record are at risk
    TICKET = "ticket"  # somebody takes it up in this shift: by itself it gets worse or late
    NOTE = "note"  # all should know it: nothing is lost if it is looked at tomorrow


class Rule(NamedTuple):
    """How grave an alarm is, and the code of what to do about it."""

    severity: Severity
    to_do: str


_PAGE, _TICKET, _NOTE = Severity
RULES: Mapping[str, Rule] = {
    # the line
    "floor.starving": Rule(_PAGE, "feed_floor"),
    "step.stopped": Rule(_PAGE, "start_step"),
    "step.missing": Rule(_NOTE, "connect_station"),
    # stations
    "station.silent": Rule(_TICKET, "look_at_link"),
    "station.aborted": Rule(_TICKET, "mend_station"),
    "station.machine_held": Rule(_TICKET, "clear_station"),
    "station.no_material": Rule(_TICKET, "feed_station"),
    "station.unsupplied": Rule(_TICKET, "load_station"),
    "station.magazine_empty": Rule(_TICKET, "issue_blanks"),
    "station.unattended": Rule(_TICKET, "sign_on"),
    "station.drift": Rule(_TICKET, "find_drift"),
    "station.held": Rule(_TICKET, "settle_hold"),
    # stock
    "blank.missing": Rule(_PAGE, "search_blank"),
    "stock.vault_empty": Rule(_TICKET, "receive_blanks"),
    "input.ends": Rule(_TICKET, "order_input"),
    "reject.open": Rule(_TICKET, "destroy_spoiled"),
    "return.open": Rule(_TICKET, "destroy_returned"),
    "shift.open": Rule(_TICKET, "close_shift"),
    # cards
    "suspect.open": Rule(_TICKET, "settle_suspects"),
    "pile.stopped": Rule(_TICKET, "repack_piles"),
    "card.stopped": Rule(_TICKET, "decide_stopped"),
    "card.held": Rule(_TICKET, "decide_held"),
    "card.on_hold": Rule(_TICKET, "release_holds"),
    "batch.on_hold": Rule(_TICKET, "release_holds"),
    "batch.late": Rule(_TICKET, "hasten_batch"),
    "remake.late": Rule(_TICKET, "hasten_remakes"),
    "return.late": Rule(_TICKET, "hasten_returns"),
    "consignment.open": Rule(_TICKET, "ask_arrival"),
    # the record and the machine
    "disk.low": Rule(_PAGE, "free_disk"),
    "disk.reserve_spent": Rule(_PAGE, "free_disk"),
    "ledger.reconciling": Rule(_PAGE, "reconcile"),
    "ledger.altered": Rule(_PAGE, "run_doctor"),
    "purge.open": Rule(_NOTE, "await_purge"),
    # who gets in
    "keys.outside": Rule(_PAGE, "audit_keys"),
    "keys.pending": Rule(_TICKET, "open_key_folder"),
    "sockets.insecure": Rule(_TICKET, "secure_sockets"),
    "glass.broken": Rule(_PAGE, "audit_glass"),
    "attempt.denied": Rule(_NOTE, "audit_denied"),
    "frames.refused": Rule(_TICKET, "find_sender"),
}
LISTED_MAX = 20  # alarms of one code that nobody owns; the rest of them are one alarm
REST = "+"  # its subject: no station has this name
REST_TO_DO = "clear_oldest"
