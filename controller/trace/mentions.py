"""The moves about one card: rare kinds by their index, the others only where its sheets lay and it was packed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, func, select

from controller.core import moves as m
from controller.core import quality_moves as q
from controller.core.cards import State
from controller.ledger import tables
from controller.ledger.columns import numbers_in
from controller.trace.moves import MoveReader, Told
from encoders.envelope import pack

NAMING_IT = (  # rare ones that mention the card itself
    *(m.CardDecided, m.CardStopped, m.CardMissing, m.EncodeStarted, m.BundleMade, m.BundleStopped),
    *(q.CardsQuarantined, q.CardSetGood, q.CardReturned),
)
NAMING_ITS = (m.EncodeEnded, m.ConsignmentSent, q.BundleOpened)  # rare ones that mention its encode jobs and bundles
OF_SHEETS = (m.SheetImposed, m.JobStarted, m.JobEnded, m.SheetBound, m.PositionsMarked)
PACKED = (m.BundleMade, m.BundleStopped)

Stretch = tuple[int, int]  # first move, and one after the last


def moves_about(engine: Engine, reader: MoveReader, card: Any, first: int, end: int) -> list[Told]:
    """Give the moves that may be about a card (a row of `tables.card`) from `first` to before `end`, in order.

    Others may be among them.  A sheet's moves are looked for from the one that imposed it to the last that changed it,
    as its row has them; the loads of packers from there to the bundle.
    """
    if first >= end:
        return []
    name = pack(card.card_id)
    found = list(reader.forward(first, end, NAMING_IT, [name]))
    sheets = _sheets(engine, reader, card.card_id, first, end)
    numbers = {getattr(told.move, word, 0) for told in found for word in ("job_id", "bundle_id")} - {0}
    found += reader.forward(first, end, NAMING_ITS, [pack(number) for number in sorted(numbers)] or [name])
    for sheet_id, stretch in sheets:
        found += reader.forward(*stretch, OF_SHEETS, [pack(sheet_id)])
    for stretch in _packings(reader, card, found, [stretch for _, stretch in sheets], end):
        loads = list(reader.forward(*stretch, (m.JobStarted,), [name]))
        jobs = [pack(told.move.job_id) for told in loads if isinstance(told.move, m.JobStarted)]
        found += loads
        found += reader.forward(*stretch, (m.JobEnded,), jobs) if jobs else ()
    by_number = {told.seq: told for told in found}
    return [by_number[seq] for seq in sorted(by_number)]


def _sheets(engine: Engine, reader: MoveReader, card: int, first: int, end: int) -> list[tuple[int, Stretch]]:
    """Give the sheets a card was imposed on, each with its stretch of the journal."""
    sheet, since, until = tables.sheet, reader.at_of(first), reader.at_of(end - 1)
    with engine.connect() as connection:
        low, high = _first_sheet_at(connection, since), _first_sheet_at(connection, until, is_after=True)
        here = sheet.c.sheet_id.between(low, high), func.instr(sheet.c.cards, str(card)) > 0
        if engine.dialect.name != "sqlite":
            here = here[0], func.strpos(sheet.c.cards, str(card)) > 0
        rows = connection.execute(select(sheet).where(*here).order_by(sheet.c.sheet_id)).all()
    mine = [row for row in rows if card in numbers_in(row.cards)]
    begun = [max(first, reader.first_at(row.imposed_floor_s)) for row in mine]
    return [(row.sheet_id, (at, min(end, row.move_seq + 1))) for row, at in zip(mine, begun, strict=True)]


def _first_sheet_at(connection: Connection, at_floor_s: float, *, is_after: bool = False) -> int:
    """Give the number of the first sheet imposed at a time or later (`is_after`: later), by bisection.

    Along the numbers the time never falls; a restore leaves gaps in them.
    """
    sheet = tables.sheet
    last = connection.execute(select(func.max(sheet.c.sheet_id))).scalar() or 0
    low, high = 1, last + 1
    while low < high:
        middle = (low + high) // 2
        query = select(sheet.c.sheet_id, sheet.c.imposed_floor_s).where(sheet.c.sheet_id >= middle)
        row = connection.execute(query.order_by(sheet.c.sheet_id).limit(1)).one()
        if row[1] < at_floor_s or (is_after and row[1] == at_floor_s):
            low = row[0] + 1
        else:
            high = middle
    return low


def _packings(
    reader: MoveReader, card: Any, found: Sequence[Told], sheets: Sequence[Stretch], end: int
) -> Iterator[Stretch]:
    """Give where loads of packers with a card may stand: from its sheet, or the packing before, to a packing's end."""
    ends = sorted(told.seq for told in found if isinstance(told.move, PACKED))
    begins = sorted([*ends, *(begun for begun, _ in sheets)])
    for seq in ends:
        yield max((one for one in begins if one < seq), default=seq), min(end, reader.turn_end(seq))
    if card.state == State.GOOD:
        yield max(begins, default=end), end
