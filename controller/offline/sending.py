"""Files of applications brought to the service, batch by batch: read whole first, then sent, then told how it went."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import overload

import msgspec

from controller.application import LAST_INDEX
from controller.asking.conversation import Refused
from controller.asking.exchanges import RECEIVING, Told
from controller.asking.submission import encode_application
from controller.checks.finding import Finding
from controller.client import UpstreamClient
from controller.offline.errors import PackageError
from controller.offline.package import Opened, opened
from controller.offline.parts import BatchHead, Record
from controller.offline.pictures import READ_UP_TO_BYTES, ReadPicture

ROWS_MAX = LAST_INDEX + 1
CARD_KIND = "second"  # of a header that names none, as on the wire
CHECKING, REFUSED, CONFLICT = "checking", "refused", "conflict"
LOOK_AGAIN_S = 0.5  # between two questions whether the verdicts are out


class Applications(Sequence[bytes]):
    """The encoded applications of a batch, each read and encoded when it is asked for.

    In memory are texts and digests, about 1 KB an application; portraits stay where they lie.
    """

    def __init__(self, records: Sequence[Record], read: ReadPicture) -> None:
        self._records, self._read = records, read
        self._digests: list[bytes] = [b""] * len(records)

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> bytes: ...
    @overload
    def __getitem__(self, index: slice) -> list[bytes]: ...

    def __getitem__(self, index: int | slice) -> bytes | list[bytes]:
        """Give one application as it travels.

        Raises: PackageError: its portrait is not there or too large, it cannot be sent, or it is not what it was when
            it was read before; OSError.
        """
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        encoded = self._encoded(index)
        digest = sha256(encoded).digest()
        if self._digests[index] not in (b"", digest):
            raise PackageError("package.changed", index + 1)
        self._digests[index] = digest
        return encoded

    def _encoded(self, index: int) -> bytes:
        record = self._records[index]
        portrait = self._read(record.portrait) if record.portrait else b""
        if isinstance(portrait, Finding) or len(portrait) >= READ_UP_TO_BYTES:
            raise PackageError("package.portrait", index + 1, READ_UP_TO_BYTES - 1)
        try:
            return encode_application(msgspec.structs.replace(record.application, portrait=portrait))
        except UnicodeEncodeError:  # half a character
            raise PackageError("package.row", index + 1) from None


class Load(msgspec.Struct, frozen=True):
    """One batch that is ready to be sent."""

    batch_number: str
    due: str
    card_kind: str
    applications: Applications


class Outcome(msgspec.Struct, frozen=True):
    """What became of a batch: a state of the wire, or `conflict`; why, in codes; counts once verdicts are out."""

    batch_number: str
    applications: int
    state: str
    codes: tuple[str, ...] = ()
    counts: dict[str, int] = {}

    @property
    def is_accepted(self) -> bool:
        """Say whether intake took the batch."""
        return self.state not in (REFUSED, CONFLICT)


def loads(one: Opened, due: str = "") -> Iterator[Load]:
    """Give the batches of an opened file, `due` standing in where a header names no day.

    Raises: PackageError: something of it cannot be sent; OSError.
    """
    head: BatchHead | None = None
    records: list[Record] = []
    for part in one.parts:
        if isinstance(part, BatchHead):
            if head is not None:
                yield _load(head, records, one.read_picture, due)
            if part.findings:
                raise PackageError("package.batch", "it cannot be read")
            head, records = part, []
        elif part.is_counted:
            _require_row(head, part, len(records) + 1)
            records.append(part)
    if head is None:
        raise PackageError("package.batch", "there is none")
    yield _load(head, records, one.read_picture, due)


def _require_row(head: BatchHead | None, record: Record, place: int) -> None:
    if head is None:
        raise PackageError("package.batch", "applications stand before it")
    if record.findings:
        raise PackageError("package.row", place)
    if place > ROWS_MAX:
        raise PackageError("package.count", f"a batch has at most {ROWS_MAX}")


def _load(head: BatchHead, records: Sequence[Record], read: ReadPicture, due: str) -> Load:
    if head.count != len(records) or not records:
        raise PackageError("package.count", f"there are {len(records)}")
    due = head.due or due
    if not due:
        raise PackageError("package.no_due")
    return Load(head.batch_number, due, head.card_kind or CARD_KIND, Applications(records, read))


def require_whole(path: Path, due: str = "") -> int:
    """Read a file or folder to its end, portraits too, and give how many applications it has.

    Raises: PackageError: it is not whole; OSError.  Cost: 100 us an application.
    """
    with opened(path) as one:
        return sum(sum(1 for _ in load.applications) for load in loads(one, due))


def send(client: UpstreamClient, load: Load, told: Told | None = None) -> Outcome:
    """Bring one batch; what the service has of it already is not sent again.

    Raises: ClientError: no answer; PackageError: the file changed under our hands; OSError.
    """
    count = len(load.applications)
    try:
        state = client.submit_batch(load.batch_number, load.due, load.applications, card_kind=load.card_kind, told=told)
    except Refused as refused:
        kind = CONFLICT if refused.code.endswith(".conflict") else REFUSED
        return Outcome(load.batch_number, count, kind, (refused.code,))
    return Outcome(load.batch_number, count, state.state, tuple(state.codes), state.counts)


def with_verdicts(client: UpstreamClient, outcome: Outcome) -> Outcome:
    """Wait until the verdicts of an accepted batch are out, and give what they are.  Raises: ClientError."""
    if not outcome.is_accepted:
        return outcome
    while (state := client.status(outcome.batch_number)).state in (RECEIVING, CHECKING):
        time.sleep(LOOK_AGAIN_S)
    return Outcome(outcome.batch_number, outcome.applications, state.state, tuple(state.codes), state.counts)
