"""The receipts an upstream keeps: a file of JSON lines that only grows, each line durable before it is acknowledged."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol

import msgspec

from controller.evidence.errors import FileInUse, FileOther, Unreadable
from controller.wire import MAX_RECEIPTS_PER_PAGE, Acknowledged, Receipt, Receipts

LINE_MAX_BYTES = 1 << 16  # far more than a receipt has
MODE = 0o600  # numbers of applications stand in it, no person's data: still nobody else's business

_decoder = msgspec.json.Decoder(Receipt)
_encoder = msgspec.json.Encoder()

Tell = Callable[[int, int], None]
"""Hears how many receipts were fetched, and the number of the last."""


class Giver(Protocol):
    """Whoever gives receipts: a client of the service."""

    def receipts(self, after: int, limit: int) -> Receipts:
        """Give a page of those above a number."""
        ...

    def acknowledge(self, upto: int) -> Acknowledged:
        """Say that all up to a number are safe here."""
        ...


class KeptReceipts:
    """One file, which this process alone writes; only its last line is read, however long it is."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; a last line that a crash cut short is taken off.

        Raises: Unreadable, FileInUse; FileOther: its last line is no receipt.
        """
        self._path = path
        try:
            is_new = not path.exists()
            descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, MODE)
            self._file = os.fdopen(descriptor, "a+b", buffering=0)  # a buffer that no disk took would be tried again
            if is_new:
                _sync_folder(path.parent)
        except OSError as error:
            raise Unreadable(f"{path.name}: {error.strerror}") from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._last = self._read_last()
            os.fsync(self._file.fileno())  # a program that was killed may have written what no disk has yet
        except BlockingIOError:
            self._file.close()
            raise FileInUse(f"{path.name}: another program fetches into it") from None
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> KeptReceipts:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    @property
    def last(self) -> int:
        """Give the number of the last receipt, 0 when there is none."""
        return self._last.number if self._last else 0

    def keep(self, receipts: Sequence[Receipt]) -> int:
        """Write those that are newer than the last, durably before this returns; give how many they were.

        Raises: FileOther: they are of another centre or upstream than the file's.  Unreadable: the disk took them not.
        """
        newer = [receipt for receipt in receipts if receipt.number > self.last]
        for receipt in newer:
            before = self._last or receipt
            if (receipt.centre, receipt.upstream) != (before.centre, before.upstream):
                whose = f"{before.centre} for {before.upstream}"
                raise FileOther(f"{self._path.name} holds the receipts of {whose}: name another file with --out")
        if newer:
            self._append(b"".join(_encoder.encode(receipt) + b"\n" for receipt in newer))
            self._last = newer[-1]
        return len(newer)

    def _append(self, lines: bytes) -> None:
        size = self._file.seek(0, os.SEEK_END)
        try:
            rest = memoryview(lines)
            while rest:
                rest = rest[self._file.write(rest) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            with suppress(OSError):  # or they would be taken for durable the next time
                self._file.truncate(size)
            text = f"{self._path.name}: {error.strerror}: they were not acknowledged, say the same again"
            raise Unreadable(text) from None

    def _read_last(self) -> Receipt | None:
        """Give the last whole line's receipt, and cut off what is behind it."""
        size = self._file.seek(0, os.SEEK_END)
        self._file.seek(max(0, size - 2 * LINE_MAX_BYTES))
        tail = self._file.read()
        end = tail.rfind(b"\n") + 1
        if not end and size >= LINE_MAX_BYTES:
            raise FileOther(f"{self._path.name} does not hold receipts: name another file with --out")
        line = tail[tail.rfind(b"\n", 0, max(0, end - 1)) + 1 : end]
        try:
            last = _decoder.decode(line) if line else None
        except msgspec.MsgspecError:
            raise FileOther(f"{self._path.name} does not end with a receipt: name another file with --out") from None
        torn = tail[end:]
        if torn and not torn.startswith(b"{"):  # what a crash of ours leaves begins as our lines do
            raise FileOther(f"{self._path.name} does not end with a receipt: name another file with --out")
        if torn:
            self._file.truncate(size - len(torn))
        return last


def fetch(giver: Giver, kept: KeptReceipts, tell: Tell = lambda fetched, last: None) -> int:
    """Fetch into a file all receipts that are there now; give how many were new.

    A page is acknowledged when it is durable here.  What was kept before is acknowledged first: the last time may have
    ended between the two.
    """
    fetched, more = 0, True
    if kept.last:
        giver.acknowledge(kept.last)
    while more:
        page = giver.receipts(kept.last, MAX_RECEIPTS_PER_PAGE)
        new = kept.keep(page.items)
        if new:
            giver.acknowledge(kept.last)
        fetched += new
        tell(fetched, kept.last)
        more = page.more and new > 0
    return fetched


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
