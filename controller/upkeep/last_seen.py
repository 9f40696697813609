"""When each peer was last heard, to the minute: kept beside the keys for `cardmill keys list`."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

NAME = ".last_seen.json"  # hidden: the ring looks past it


class LastSeen:
    """Notes who was heard, and writes it down, of each peer once a minute.  What cannot be written is no loss."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._seen = folder, read_last_seen(folder)

    def note(self, peers: Iterable[tuple[str, str]]) -> None:
        """Note that peers (role and name) were heard just now."""
        minute = datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")
        seen = self._seen | {f"{role} {name}": minute for role, name in peers}
        if seen != self._seen:
            self._seen = seen
            self._write()

    def _write(self) -> None:
        fresh = self._folder / f"{NAME}.new"
        with suppress(OSError):
            with open(fresh, "w", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
                json.dump(self._seen, file)
            fresh.replace(self._folder / NAME)


def read_last_seen(folder: Path) -> dict[str, str]:
    """Give the minute (UTC) in which each peer, `role name`, was last heard; nothing where it cannot be read."""
    try:
        found = json.loads((folder / NAME).read_text("utf-8"))
        return {str(peer): str(minute) for peer, minute in found.items()}
    except (OSError, ValueError, AttributeError):
        return {}
