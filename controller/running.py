"""How a service's life becomes an exit code and a sentence."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from encoders.portrait import PortraitError

from controller.config import Config, ConfigError
from controller.core.errors import CoreError
from controller.ledger.errors import LedgerError, LedgerInUse
from controller.service import serve
from controller.vault.errors import VaultError
from devices.keys import LinkError
from encoders.text_layout import TextRecordError

STOPPED, UNUSABLE = 1, 2


async def run_service(config: Config, folder: Path | None) -> tuple[int, str]:
    """Run the service; give 0, or the exit code and the sentence to end with.

    1: a law would have broken, or the disk failed: look before it is started again.  2: it could not start as it is
    set up.
    """
    if folder is not None:
        config = dataclasses.replace(config, service=dataclasses.replace(config.service, folder=str(folder)))
    ending: list[tuple[int, str]] = []
    try:
        await serve(config)
    except* (CoreError, LedgerError) as group:
        first = _first(group)
        ending.append((UNUSABLE if isinstance(first, LedgerInUse) else STOPPED, str(first)))
    except* (ConfigError, LinkError, VaultError, PortraitError, TextRecordError, OSError) as group:
        ending.append((UNUSABLE, str(_first(group))))
    return min(ending, default=(0, ""))


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Give the first error of a group of groups."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
