"""What a run of the service records of itself: the settings its foreman decides by, and the program's source."""

from __future__ import annotations

import msgspec

from controller.core.events import ServiceBegan
from controller.core.settings import CoreConfig, SettingError
from controller.replay.errors import SettingsUnreadable
from controller.upkeep.books import source_digest


def began(config: CoreConfig) -> ServiceBegan:
    """Give the event that a run begins with; whoever replays it can do as the run did."""
    return ServiceBegan(msgspec.json.encode(config).decode(), this_program())


def this_program() -> str:
    """Give the digest (64 hex digits) of the source that decides and folds."""
    return source_digest().hex()


def settings_of(event: ServiceBegan) -> CoreConfig | None:
    """Give what a run's foreman was told, None where the run recorded nothing (it was of an older program).

    Settings that this program has more are at their defaults.  Raises: SettingsUnreadable.
    """
    if not event.settings:
        return None
    try:
        return msgspec.json.decode(event.settings, type=CoreConfig)
    except (msgspec.MsgspecError, SettingError) as error:
        raise SettingsUnreadable(f"the settings that a run recorded cannot be used: {error}") from None
