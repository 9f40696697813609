"""The rows of the state tables: each class names the columns of its table in their order, and those that change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple


class StateRow:
    """A row of a state table.

    `CHANGING` are the columns that a move may set in a row that is there: only they are written again.  The others
    are what indexes stand on, so that such an update costs one tree and not two (measured: a fifth of a commit).
    """

    __slots__ = ()
    CHANGING: ClassVar[tuple[str, ...]] = ()


@dataclass(slots=True)
class BatchRow(StateRow):
    """One row of `tables.batch`."""

    CHANGING: ClassVar[tuple[str, ...]] = (
        *("state", "closed_floor_s", "received", "refused", "cancelled", "refused_late", "dispatched"),
        *("rows_hash", "purged_floor_s"),
    )

    batch_id: int
    batch_number: str
    upstream: str
    card_kind: str
    state: str
    received_floor_s: float
    due_floor_s: float
    decided_floor_s: float
    closed_floor_s: float
    received: int
    refused: int
    cancelled: int
    refused_late: int
    dispatched: int
    codes: str
    rows_hash: bytes = b""
    purged_floor_s: float = 0.0


@dataclass(slots=True)
class CardRow(StateRow):
    """One row of `tables.card`."""

    CHANGING: ClassVar[tuple[str, ...]] = (
        *("state", "stopped_for", "generation", "sheet_id", "position", "blank", "bundle_id"),
        *("since_floor_s", "move_seq"),
    )

    card_id: int
    batch_id: int
    acceptance_number: str
    case_no: int
    unit: str
    express: bool
    codes: str
    fields: str
    state: str
    stopped_for: str
    generation: int
    sheet_id: int
    position: int
    blank: int
    bundle_id: int
    since_floor_s: float
    move_seq: int

    # there are more of these than of all others: written out, they cost a third of what an attrgetter does (measured)

    def whole(self) -> tuple[Any, ...]:
        """Give all columns."""
        return (
            self.card_id, self.batch_id, self.acceptance_number, self.case_no, self.unit, self.express, self.codes,
            self.fields, self.state, self.stopped_for, self.generation, self.sheet_id, self.position, self.blank,
            self.bundle_id, self.since_floor_s, self.move_seq,
        )  # fmt: skip

    def changing(self) -> tuple[Any, ...]:
        """Give the changing columns, and the key."""
        return (
            self.state, self.stopped_for, self.generation, self.sheet_id, self.position, self.blank, self.bundle_id,
            self.since_floor_s, self.move_seq, self.card_id,
        )  # fmt: skip


@dataclass(slots=True)
class EncodeJobRow(StateRow):
    """One row of `tables.encode_job`."""

    CHANGING: ClassVar[tuple[str, ...]] = ("ended_floor_s",)

    job_id: int
    cards: str
    started_floor_s: float
    ended_floor_s: float


@dataclass(slots=True)
class SheetRow(StateRow):
    """One row of `tables.sheet`."""

    CHANGING: ClassVar[tuple[str, ...]] = ("body", "live", "suspect", "step", "job_id", "move_seq")

    sheet_id: int
    cards: str
    body: int
    live: int
    suspect: int
    step: str
    job_id: int
    imposed_floor_s: float
    move_seq: int


@dataclass(slots=True)
class BundleRow(StateRow):
    """One row of `tables.bundle`."""

    CHANGING: ClassVar[tuple[str, ...]] = ("cards", "consignment_id")

    bundle_id: int
    batch_id: int
    unit: str
    cards: str
    station: str
    made_floor_s: float
    consignment_id: int


@dataclass(slots=True)
class ConsignmentRow(StateRow):
    """One row of `tables.consignment`."""

    CHANGING: ClassVar[tuple[str, ...]] = ("uncounted",)

    consignment_id: int
    batch_id: int
    bundles: str
    cards: int
    sent_by: str
    sent_floor_s: float
    chain: bytes
    move_seq: int
    scanned: bool
    box_max: int
    uncounted: str


@dataclass(slots=True)
class ArrivalRow(StateRow):
    """One row of `tables.arrival`."""

    arrival_id: int
    consignment_id: int
    unit: str
    sent: int
    cards: int
    counted_by: str
    counted_floor_s: float


@dataclass(slots=True)
class StationRow(StateRow):
    """One row of `tables.station`."""

    CHANGING: ClassVar[tuple[str, ...]] = ("step", "model", "load_max", "state", "reason", "since_floor_s", "job_id")

    station: str
    step: str
    model: str
    load_max: int
    state: str
    reason: str
    since_floor_s: float
    job_id: int


class ReceiptRow(NamedTuple):
    """One row of `tables.receipt`: written once, never changed."""

    upstream: str
    number: int
    kind: str
    batch_id: int
    card_id: int
    acceptance_number: str
    idx: int
    case_no: int
    codes: str
    fields: str
    counts: str
    at_floor_s: float
    move_seq: int
    chain: bytes
