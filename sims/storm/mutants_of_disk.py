"""Mutants of durability: something is told, done or read before it would outlive a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.core.turn import Turn
from controller.hosts.live import LiveHost, Ticket
from controller.ledger.epoch import Epoch
from sims.storm.disk import Disk, image_of, restore
from sims.storm.planting import Mutant, Patch, always

_SYNCED_EVERY_S = 3.0


def _answers_early(right: Callable[..., None]) -> Callable[..., None]:
    """Say "durable" when the turn is queued; `post` adds who is to hear it a moment later."""

    def then(self: Ticket, told: Callable[[Turn], None]) -> None:
        told(self._turn)

    return then


def _acts_early(right: Callable[..., Ticket]) -> Callable[..., Ticket]:
    def handle(self: LiveHost, event: Any, at_floor_s: float) -> Ticket:
        ticket = right(self, event, at_floor_s)
        for action in ticket._turn.actions:
            self._perform(action)
        return ticket

    return handle


def _written_unsynced(right: Callable[[Disk], None]) -> Callable[[Disk], None]:
    """Commit without a sync: what was written since the last sync of another reason is gone after a crash."""

    def begin(self: Disk) -> None:
        if not self._queue:
            return
        now_s, state = self._timeline.now_s, self.__dict__
        if now_s - state.get("synced_s", -_SYNCED_EVERY_S) >= _SYNCED_EVERY_S:
            state["synced_s"], state["image"] = now_s, image_of(self.engine)
        self._group, self._queue = self._queue, []
        self._write()
        self._timeline.after(0.001, self._tell)

    return begin


def _loses_unsynced(right: Callable[[Disk], None]) -> Callable[[Disk], None]:
    def crash(self: Disk) -> None:
        right(self)
        if image := self.__dict__.get("image"):
            restore(self.engine, image)

    return crash


def _written_before_sync(right: Callable[[Disk], None]) -> Callable[[Disk], None]:
    """Let readers see a group while its sync is under way; a crash then takes it back."""

    def begin(self: Disk) -> None:
        if self._queue and not self._group:
            self.__dict__["image"] = image_of(self.engine)
            self._group, self._queue = self._queue, []
            group = list(self._group)
            self._write()
            self._untold, self.__dict__["seen"] = group, True
            self._timeline.after(self._options.sync_s * 5, synced, self)

    def synced(self: Disk) -> None:
        if not self._is_gone:
            self.__dict__["image"] = None
            self._tell()

    return begin


_UNSYNCED: Patch = (Disk, "crash", _loses_unsynced)

MUTANTS = (
    Mutant("acknowledge_early", "answers are given when a turn is queued", ((Ticket, "then", _answers_early),)),
    Mutant(
        "actions_before_moves", "stations are told before the moves are written", ((LiveHost, "_handle", _acts_early),)
    ),
    Mutant("skip_fsync", "groups are acknowledged without a sync", ((Disk, "_begin", _written_unsynced), _UNSYNCED)),
    Mutant(
        "receipt_before_commit",
        "readers see a group before its sync ends",
        ((Disk, "_begin", _written_before_sync), _UNSYNCED),
    ),
    Mutant(
        "stale_epoch",
        "a controller whose time is over goes on committing",
        ((Epoch, "check", always(lambda self, connection: None)),),
    ),
)
