"""The errors of replay: a class has a stable `code`."""

from __future__ import annotations


class ReplayError(Exception):
    """A ledger cannot be replayed; the sentence says why."""

    code = "replay"

    def __init__(self, text: str) -> None:
        super().__init__(f"{self.code}: {text}")


class NoBeginning(ReplayError):
    """The record does not begin with its first event: what led to the first state that is known is not there."""

    code = "replay.no_beginning"


class OtherSchema(ReplayError):
    """Another program wrote the database."""

    code = "replay.schema"


class SettingsUnreadable(ReplayError):
    """The settings that a run recorded of itself are none that this program knows."""

    code = "replay.settings"
