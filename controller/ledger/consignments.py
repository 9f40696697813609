"""What left the house: consignments by police station, and the manifest of each, asked on a connection of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Select, func, select

from controller.application import CARD_IDS_PER_BATCH, card_id
from controller.clock import floor_text
from controller.ledger import tables
from controller.ledger.columns import numbers_in
from controller.packing.manifest import Manifest, ManifestCard, boxes_of, digest_of, manifest_csv

DIGESTS_KEPT = 1_000  # 64 characters each

_Bundle = tuple[str, int, int]  # police station, number, cards


@dataclass(frozen=True, slots=True)
class SentUnit:
    """What a consignment held for one police station; `arrived` is its last count, -1 before any."""

    consignment_id: int
    batch_number: str
    unit: str
    sent_floor_s: float
    bundles: int
    sent: int
    arrived: int
    boxes: tuple[int, ...] = ()  # numbers of the boxes its bundles lie in
    scanned: bool = False  # at the door, bundle by bundle

    def difference(self) -> int:
        """Give the cards counted too many (below 0: too few); 0 before any count."""
        return self.arrived - self.sent if self.arrived >= 0 else 0


class Consignments:
    """Answers about consignments; any thread may ask.  What was sent never changes, so a digest is made only once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._digests: dict[int, str] = {}

    def sent(self, consignment_id: int | None, limit: int) -> list[SentUnit]:
        """Give what the newest consignments, or one of them, held for each police station, and what it counted."""
        number = tables.consignment.c.consignment_id
        query = _named().order_by(number.desc()).limit(limit)
        if consignment_id is not None:
            query = query.where(number == consignment_id)
        with self._engine.connect() as connection:
            return _held(connection, query)

    def uncounted(self, limit: int) -> list[SentUnit]:
        """Give what no police station counted yet, of so many consignments, the oldest first."""
        waits = _named().where(tables.is_uncounted).order_by(tables.consignment.c.consignment_id).limit(limit)
        with self._engine.connect() as connection:
            return [one for one in _held(connection, waits) if one.arrived < 0]

    def manifest(self, consignment_id: int) -> Manifest | None:
        """Give what a consignment held, as it left; None when none of this number was sent."""
        bundle, card = tables.bundle, tables.card
        query = _named().where(tables.consignment.c.consignment_id == consignment_id)
        with self._engine.connect() as connection:
            sent = connection.execute(query).first()
            if sent is None:
                return None
            mine = select(bundle).where(bundle.c.batch_id == sent.batch_id)
            bundles = connection.execute(mine.where(bundle.c.consignment_id == consignment_id)).all()
            first = card_id(sent.batch_id, 0)
            known = select(card.c.card_id, card.c.acceptance_number, card.c.case_no, card.c.blank)
            known = known.where(card.c.card_id.between(first, first + CARD_IDS_PER_BATCH - 1))
            cards = {row.card_id: row for row in connection.execute(known)}
        return Manifest(
            consignment_id,
            sent.batch_number,
            floor_text(sent.sent_floor_s),
            sent.scanned,
            sent.move_seq,
            sent.chain.hex(),
            _laid(bundles, cards, sent.box_max),
        )

    def digest(self, consignment_id: int) -> str:
        """Give the SHA-256 digest (64 hex digits) of a consignment's manifest file; empty when there is none.

        Cost: that of making the file, the first time.
        """
        if consignment_id not in self._digests:
            manifest = self.manifest(consignment_id)
            if manifest is None:
                return ""
            if len(self._digests) >= DIGESTS_KEPT:
                self._digests.clear()
            self._digests[consignment_id] = digest_of(manifest_csv(manifest))
        return self._digests[consignment_id]


def _named() -> Select[Any]:
    """Give the query for consignments with the numbers of their batches."""
    table, batch = tables.consignment, tables.batch
    return select(table, batch.c.batch_number).join(batch, batch.c.batch_id == table.c.batch_id)


def _held(connection: Connection, query: Select[Any]) -> list[SentUnit]:
    """Give what the consignments that a query finds held for each police station, in the query's order."""
    bundle, arrival = tables.bundle, tables.arrival
    sent = connection.execute(query).all()
    batches, numbers = {row.batch_id for row in sent}, [row.consignment_id for row in sent]
    commas = func.length(bundle.c.cards) - func.length(func.replace(bundle.c.cards, ",", ""))
    bundles = select(bundle.c.consignment_id, bundle.c.unit, bundle.c.bundle_id, commas + 1)
    counts = select(arrival).where(arrival.c.consignment_id.in_(numbers)).order_by(arrival.c.arrival_id)
    arrived = {(row.consignment_id, row.unit): row.cards for row in connection.execute(counts)}
    held: dict[int, list[_Bundle]] = {}
    for consignment_id, *one in connection.execute(bundles.where(bundle.c.batch_id.in_(batches))):
        held.setdefault(consignment_id, []).append(tuple(one))
    return [unit for row in sent for unit in _units(row, held.get(row.consignment_id, []), arrived)]


def _units(sent: Any, bundles: list[_Bundle], arrived: dict[tuple[int, str], int]) -> list[SentUnit]:
    """Give a consignment's police stations, in order."""
    boxes = boxes_of(((unit, bundle_id) for unit, bundle_id, _ in bundles), sent.box_max)
    units: dict[str, list[tuple[int, int]]] = {}
    for unit, bundle_id, cards in sorted(bundles):
        units.setdefault(unit, []).append((boxes[bundle_id], cards))
    return [
        SentUnit(
            sent.consignment_id,
            sent.batch_number,
            unit,
            sent.sent_floor_s,
            len(mine),
            sum(cards for _, cards in mine),
            arrived.get((sent.consignment_id, unit), -1),
            tuple(dict.fromkeys(box for box, _ in mine)),
            sent.scanned,
        )
        for unit, mine in units.items()
    ]


def _laid(bundles: Sequence[Any], cards: dict[int, Any], box_max: int) -> tuple[ManifestCard, ...]:
    """Give the cards in the order they lie in: by box, bundle, and place in the bundle."""
    boxes = boxes_of(((one.unit, one.bundle_id) for one in bundles), box_max)
    return tuple(
        ManifestCard(
            boxes[one.bundle_id],
            one.bundle_id,
            one.unit,
            cards[number].acceptance_number,
            cards[number].case_no,
            cards[number].blank,
        )
        for one in sorted(bundles, key=lambda one: (boxes[one.bundle_id], one.unit, one.bundle_id))
        for number in numbers_in(one.cards)
    )
