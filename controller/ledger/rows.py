"""The rows of the state tables: each class names the columns of its table in their order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


@dataclass(slots=True)
class BatchRow:
    """One row of `tables.batch`."""

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
class CardRow:
    """One row of `tables.card`."""

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


@dataclass(slots=True)
class EncodeJobRow:
    """One row of `tables.encode_job`."""

    job_id: int
    cards: str
    started_floor_s: float
    ended_floor_s: float


@dataclass(slots=True)
class SheetRow:
    """One row of `tables.sheet`."""

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
class BundleRow:
    """One row of `tables.bundle`."""

    bundle_id: int
    batch_id: int
    unit: str
    cards: str
    station: str
    made_floor_s: float
    consignment_id: int


@dataclass(slots=True)
class ConsignmentRow:
    """One row of `tables.consignment`."""

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


@dataclass(slots=True)
class ArrivalRow:
    """One row of `tables.arrival`."""

    arrival_id: int
    consignment_id: int
    unit: str
    sent: int
    cards: int
    counted_by: str
    counted_floor_s: float


@dataclass(slots=True)
class StationRow:
    """One row of `tables.station`."""

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
