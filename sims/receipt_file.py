"""The receipts an upstream has taken, in a file that outlives it: a line a receipt, whole or not there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

import msgspec

from controller.wire import Receipt

_decoder = msgspec.json.Decoder(Receipt)
_encoder = msgspec.json.Encoder()


class ReceiptFile:
    """A file of JSON lines that only grows; the number of its last line is the cursor to fetch from."""

    def __init__(self, path: Path) -> None:
        """Open or make the file; a last line that a crash cut short is taken off."""
        self._file = path.open("a+b")
        self._file.seek(0)
        self.kept, whole_bytes = [], 0
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            self.kept.append(_decoder.decode(line))
            whole_bytes += len(line)
        self._file.truncate(whole_bytes)
        self.last = self.kept[-1].number if self.kept else 0

    def __enter__(self) -> ReceiptFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._file.close()

    def keep(self, receipts: Sequence[Receipt]) -> list[Receipt]:
        """Write the receipts that are newer than the last, durably, before this returns; give those."""
        newer = [receipt for receipt in receipts if receipt.number > self.last]
        if newer:
            self._file.write(b"".join(_encoder.encode(receipt) + b"\n" for receipt in newer))
            self._file.flush()
            os.fsync(self._file.fileno())
            self.last = newer[-1].number
        return newer
