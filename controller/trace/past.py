"""Why of what is over: the ledger's word for a card, a batch, a sheet or an application that is not on the floor."""

from __future__ import annotations

from sqlalchemy import Engine, select

from controller.application import ACCEPTANCE_DIGITS, BATCH_DIGITS
from controller.core.moves import SheetImposed, Verdict
from controller.core.why.sentences import Facts, Reason, rule_key, tell
from controller.ledger import tables
from controller.ledger.columns import words_in
from controller.trace.card import past, trace_card
from controller.trace.moves import MoveReader, Told

CARD_DIGITS = 18


def why_past(engine: Engine, thing: str, now_floor_s: float) -> Reason | None:
    """Give the one sentence about a thing that the floor does not know any more; None when the ledger does not either.

    Cost: of a card that of `trace_card`, else a few look-ups; for a worker thread.  Raises: LedgerDamaged.
    """
    noun, _, digits = thing.strip().partition(" ")
    number = int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= CARD_DIGITS else 0
    if noun == "card" and number:
        history = trace_card(engine, number)
        return past(history, now_floor_s) if history else None
    if noun == "sheet" and number:
        return _sheet(engine, number, now_floor_s)
    first, _, case = noun.partition("-R")  # the batch of a card that came back is its first one's, `-R1-2` behind it
    if first.isascii() and first.isdigit() and not digits:
        if len(first) == BATCH_DIGITS:
            return _batch(engine, noun, now_floor_s)
        if len(first) == ACCEPTANCE_DIGITS and not case:
            return _refused(engine, noun, now_floor_s)
    return None


def imposition(engine: Engine, sheet_id: int) -> Told | None:
    """Give the move that imposed a sheet."""
    with engine.connect() as connection:
        query = select(tables.sheet.c.imposed_floor_s).where(tables.sheet.c.sheet_id == sheet_id)
        at = connection.execute(query).scalar()
    if at is None:
        return None
    reader = MoveReader(engine)
    for told in reader.forward(reader.first_at(at), reader.last() + 1, (SheetImposed,)):
        if told.at_floor_s > at:
            break
        if isinstance(told.move, SheetImposed) and told.move.sheet_id == sheet_id:
            return told
    return None


def with_imposition(engine: Engine, reason: Reason, now_floor_s: float) -> Reason:
    """Add to a reason about a sheet, or a card on one, by which rule the sheet was imposed, which the state forgets."""
    told = imposition(engine, int(reason.facts["sheet_id"]))
    if told is None or not isinstance(told.move, SheetImposed):
        return reason
    rule = told.move.because
    facts: Facts = {"sheet_id": told.move.sheet_id, "imposed_floor_s": told.at_floor_s, "rule": rule}
    en, zh = tell(("", ""), ["imposed", rule_key(rule), "full_stop"], facts, now_floor_s)
    more: Facts = {"imposed_floor_s": told.at_floor_s, "imposed_rule": rule}
    return Reason(f"{reason.sentence_en} {en}", reason.sentence_zh + zh, reason.facts | more, reason.beaten)


def _sheet(engine: Engine, number: int, now_floor_s: float) -> Reason | None:
    with engine.connect() as connection:
        row = connection.execute(select(tables.sheet).where(tables.sheet.c.sheet_id == number)).first()
    if row is None:
        return None
    facts: Facts = {"sheet_id": number, "step": row.step or "print", "body": row.body}
    texts = tell((f"Sheet {number}", f"联 {number} "), ["was_sheet"], facts, now_floor_s)
    return with_imposition(engine, Reason(*texts, {"because": "was_sheet", **facts}, []), now_floor_s)


def _batch(engine: Engine, batch_number: str, now_floor_s: float) -> Reason | None:
    table = tables.batch
    with engine.connect() as connection:
        query = select(table).where(table.c.batch_number == batch_number).order_by(table.c.batch_id.desc())
        row = connection.execute(query).first()
    if row is None:
        return None
    what = (f"Batch {batch_number}", f"数据包 {batch_number} ")
    facts: Facts = {"codes": ", ".join(words_in(row.codes)), "closed_floor_s": row.closed_floor_s}
    facts |= {name: getattr(row, name) for name in ("received", "refused", "cancelled", "refused_late", "dispatched")}
    facts["late_s"] = max(0.0, row.closed_floor_s - row.due_floor_s)
    key = "was_refused" if facts["codes"] else "was_closed"
    return Reason(*tell(what, [key], facts, now_floor_s), {"because": key, **facts}, [])


def _refused(engine: Engine, acceptance_number: str, now_floor_s: float) -> Reason | None:
    table = tables.inbox_application
    with engine.connect() as connection:
        query = select(table.c.codes).where(table.c.acceptance_number == acceptance_number)
        query = query.where(table.c.verdict == Verdict.REFUSE.value).order_by(table.c.batch_id.desc())
        row = connection.execute(query).first()
    if row is None:
        return None
    what = (f"Application {acceptance_number}", f"受理号 {acceptance_number} ")
    facts: Facts = {"codes": ", ".join(words_in(row.codes))}
    return Reason(*tell(what, ["was_refused"], facts, now_floor_s), {"because": "was_refused", **facts}, [])
