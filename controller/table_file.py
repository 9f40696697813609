"""A CSV table that a setting names, read again when it changes; what is wrong with the file is said in one sentence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Generic, TypeVar

import structlog

from controller.config import ConfigError

log = structlog.get_logger()
Rows = TypeVar("Rows", bound=Mapping[Any, Any])
Stamp = tuple[int, int]  # nanoseconds of the last change, bytes


class TableFile(Generic[Rows]):
    """The rows of a file as it is now; one that breaks later is named in the log, and the last good rows hold on."""

    def __init__(self, path: Path, read: Callable[[Path], Rows], what: str, counted: str) -> None:
        """Read it.  `what` names the table in the log and `counted` its rows.  Raises: what `read` raises."""
        self._path, self._read, self._what, self._counted = path, read, what, counted
        self._stamp = _stamp(path)
        self._rows = read(path)
        self._fault = ""

    def rows(self) -> Rows:
        """Give the rows, read again if the file changed: one look at the folder when it did not."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stamp = stamp  # a broken file is read, and named, once
            try:
                self._rows = self._read(self._path)
            except ConfigError as error:
                self._fault = str(error)
                log.error(f"{self._what} not read again", code=error.code, text=self._fault)
            else:
                self._fault = ""
                log.info(f"{self._what} read again", **{self._counted: len(self._rows)})
        return self._rows

    def fault(self) -> str:
        """Give why the file as it is now cannot be used, empty when it can: then older rows hold."""
        self.rows()
        return self._fault


def read_table(setting: str, path: Path, max_bytes: int, error: type[ConfigError]) -> str:
    """Give the text of a file of at most `max_bytes`.  Raises: `error`, with the setting, the file and the reason."""
    try:
        if path.stat().st_size > max_bytes:
            raise error(f"{setting}: {path} has more than {max_bytes:,} bytes")
        return path.read_text("utf-8-sig")
    except OSError as fault:
        raise error(f"{setting}: {path} cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise error(f"{setting}: {path} is not UTF-8 text") from None


def _stamp(path: Path) -> Stamp | None:
    """Give what changes when a file does, None when it cannot be looked at."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size
