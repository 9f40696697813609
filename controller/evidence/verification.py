"""A file of receipts, held against the centre's public keys alone: no service, no ledger, no data folder."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import msgspec

from controller.evidence.contents import Contents
from controller.evidence.errors import Unreadable
from controller.evidence.numbers import Numbers
from controller.evidence.public_keys import PublicKeys, Standing
from controller.evidence.signed_bytes import signed_bytes
from controller.ledger.receipts import RESTORED
from controller.wire import Receipt

LINE_MAX_BYTES = 1 << 16  # far more than a receipt has
FAULTS_MAX = 1_000  # that are told; all are counted
STREAMS_MAX = 1_000
TORN, UNREADABLE, CONFLICTING = "torn", "unreadable", "conflicting"
FAULTS = {
    Standing.BAD: "its signature does not hold: it was changed after it was given",
    Standing.FOREIGN: "it was signed with a key that is not among those given",
    Standing.OTHER_CENTRE: "it was signed with the key of another centre than it names",
    Standing.UNSIGNED: "it carries no signature",
    TORN: "its end is missing, the last line was cut off",
    UNREADABLE: "this is no receipt as JSON",
    CONFLICTING: "this number was signed before with another content",
}

Tell = Callable[[int], None]
"""Hears how many bytes of the file are read."""


class LineFault(msgspec.Struct, frozen=True):
    """What is wrong with one line; `number` is 0 where none can be read."""

    line: int
    number: int
    what: str
    text: str


@dataclass(slots=True)
class Stream:
    """What a file holds of one centre's receipts for one upstream, by good signatures alone."""

    centre: str
    upstream: str
    place: int = 0  # among the streams of the file
    good: int = 0
    numbers: Numbers = field(default_factory=Numbers)

    def as_json(self) -> dict[str, Any]:
        """Give it for programs."""
        gaps = self.numbers.gaps()
        return {
            "centre": self.centre,
            "upstream": self.upstream,
            "good": self.good,
            "first": self.numbers.first,
            "last": self.numbers.last,
            "missing": sum(last - first + 1 for first, last in gaps),
            "gaps": gaps[:FAULTS_MAX],
        }


class Verification:
    """Takes lines one after another, and says what they prove; a number that comes again is compared with its first."""

    def __init__(self, keys: PublicKeys) -> None:
        self._keys, self._line = keys, 0
        self._contents = Contents()
        self._centre_of: dict[str, str] = {}  # signer -> the centre its first good receipt names
        self.counts: Counter[str] = Counter()
        self.signers: Counter[str] = Counter()  # of good ones
        self.faults: list[LineFault] = []
        self.streams: dict[tuple[str, str], Stream] = {}

    def __enter__(self) -> Verification:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._contents.__exit__(kind, error, at)

    @property
    def is_sound(self) -> bool:
        """Say whether there are lines, each is a receipt with a good signature, and no number lacks between them."""
        only_good = self.counts[Standing.GOOD] > 0 and not any(self.counts[what] for what in FAULTS)
        return only_good and not any(stream.numbers.gaps() for stream in self.streams.values())

    def take(self, line: bytes) -> None:
        """Take the next line.  Raises: Unreadable: the file holds the receipts of too many upstreams."""
        self._line += 1
        self.counts["lines"] += 1
        receipt = _receipt_in(line)
        if receipt is None:
            self._note(UNREADABLE if line.endswith(b"\n") else TORN, 0)
            return
        standing = self._keys.standing_of(receipt)
        if standing is Standing.GOOD and not self._keys.names_centre_of(receipt.signer):
            first = self._centre_of.setdefault(receipt.signer, receipt.centre)
            standing = Standing.GOOD if first == receipt.centre else Standing.OTHER_CENTRE
        if standing is not Standing.GOOD:
            self._note(standing, receipt.number)
            return
        self.counts[Standing.GOOD] += 1
        self.signers[receipt.signer] += 1
        self._keep(receipt)

    def as_json(self) -> dict[str, Any]:
        """Give the whole for programs."""
        names = ("lines", Standing.GOOD.value, *map(str, FAULTS), "repeated")
        return {
            "sound": self.is_sound,
            **{name: self.counts[name] for name in names},
            "signers": dict(self.signers),
            "streams": [stream.as_json() for stream in self.streams.values()],
            "faults": [msgspec.structs.asdict(fault) for fault in self.faults],
        }

    def _keep(self, receipt: Receipt) -> None:
        """Note the number of a good receipt; the same content again does no harm."""
        name = (receipt.centre, receipt.upstream)
        stream = self.streams.setdefault(name, Stream(*name, len(self.streams)))
        if len(self.streams) > STREAMS_MAX:
            raise Unreadable(f"it holds the receipts of more than {STREAMS_MAX:,} upstreams: verify them one by one")
        content = sha256(signed_bytes(msgspec.structs.replace(receipt, signer=""))).digest()
        before = self._contents.first_of(stream.place, receipt.number, content)
        if before is not None:
            if before == content:
                self.counts["repeated"] += 1
            else:
                self._note(CONFLICTING, receipt.number)
            return
        stream.good += 1
        void = receipt.counts.get("first_void", 0) if receipt.kind == RESTORED else 0
        stream.numbers.add(void if 0 < void < receipt.number else receipt.number, receipt.number)

    def _note(self, what: str, number: int) -> None:
        self.counts[what] += 1
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(LineFault(self._line, number, str(what), FAULTS[what]))


def verify_file(path: Path, keys: PublicKeys, tell: Tell = lambda _: None) -> Verification:
    """Verify a file of receipts as JSON lines.  Cost: 150 us a receipt.  Raises: Unreadable."""
    read_bytes = 0
    try:
        with Verification(keys) as verification, path.open("rb") as file:
            for line in _lines(file):
                verification.take(line)
                read_bytes += len(line)
                tell(read_bytes)
    except OSError as error:
        raise Unreadable(f"{path.name}: {error.strerror}") from None
    except sqlite3.Error as error:
        raise Unreadable(f"{path.name}: no room in the temporary folder for its numbers: {error}") from None
    return verification


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """Give the lines; what is longer than a receipt can be comes in parts, of which none is one."""
    while line := file.readline(LINE_MAX_BYTES):
        yield line


def _receipt_in(line: bytes) -> Receipt | None:
    """Give a line's receipt, if each key stands in it once: people may read the first, and this program the last."""
    try:
        receipt = _decoder.decode(line)
        json.loads(line, object_pairs_hook=_each_once)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    return receipt


def _each_once(pairs: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in pairs}) < len(pairs):
        raise ValueError


_decoder = msgspec.json.Decoder(Receipt)
