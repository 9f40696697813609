"""Verification finds what was changed behind the ledger's back (law 9)."""

import pytest

from controller.ledger.engine import reader_engine
from controller.ledger.errors import LedgerDamaged
from controller.ledger.store import DATABASE_NAME, open_ledger
from controller.ledger.verify.whole import verify
from tests.controller.ledger.desk import open_raw
from tests.controller.ledger.floor import SmallFloor


@pytest.fixture
async def written(tmp_path):
    """Give a folder whose ledger holds some hundred moves."""
    async with open_ledger(tmp_path) as ledger:
        for recorded in SmallFloor(11).run(200):
            ledger.put(recorded)
    return tmp_path


def _damage(folder, *statements):
    raw = open_raw(folder)
    for (trigger,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
        raw.execute(f"DROP TRIGGER {trigger}")
    for statement in statements:
        assert raw.execute(statement).rowcount, statement
    raw.close()


def _faults(folder):
    engine = reader_engine(folder / DATABASE_NAME)
    report = verify(engine)
    engine.dispose()
    return report.faults


async def test_an_untouched_ledger_is_sound(written):
    assert _faults(written) == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE move SET body = CAST(substr(body, 1, length(body) - 1) || x'7e' AS BLOB) WHERE seq = 60",
        "UPDATE move SET body = 'text' WHERE seq = 60",
        "UPDATE move SET at_floor_s = 'noon' WHERE seq = 60",
        "UPDATE move SET at_floor_s = at_floor_s + 1 WHERE seq = 60",
        "UPDATE move SET hash = zeroblob(32) WHERE seq = 60",
        "DELETE FROM move WHERE seq = 60",
        "UPDATE move SET body = (SELECT body FROM move WHERE seq = 61) WHERE seq = 60",
    ],
)
async def test_an_edit_or_a_cut_in_the_journal_is_found_at_its_place(written, statement):
    _damage(written, statement)
    [fault, *_] = _faults(written)
    assert "60" in fault


async def test_a_row_that_the_database_itself_cannot_read_is_a_fault_not_a_crash(written):
    _damage(written, "UPDATE move SET body = CAST(body AS TEXT) WHERE seq = 60")
    [fault] = _faults(written)
    assert "cannot be read" in fault


async def test_two_moves_that_changed_places_are_found(written):
    swap = ("UPDATE move SET seq = -seq WHERE seq IN (60, 61)", "UPDATE move SET seq = 121 + seq WHERE seq < 0")
    _damage(written, *swap)
    assert any("move 60" in fault for fault in _faults(written))


async def test_a_label_that_is_not_its_moves_is_found(written):
    _damage(written, "UPDATE move SET tag = 'run' WHERE seq = 60")
    assert any("labelled" in fault for fault in _faults(written))


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        (
            "UPDATE card SET state = 'good' WHERE card_id = (SELECT max(card_id) FROM card WHERE state != 'good')",
            "card",
        ),
        ("DELETE FROM card WHERE card_id = (SELECT max(card_id) FROM card)", "card"),
        ("UPDATE batch SET due_floor_s = due_floor_s + 86400 WHERE batch_id = 1", "batch 1"),
        ("UPDATE receipt SET kind = 'dispatched' WHERE number = 2 AND upstream = 'city'", "receipt city, 2"),
        ("DELETE FROM receipt WHERE number = 3", "receipt"),
        ("UPDATE station SET load_max = 99 WHERE station = 'print1'", "station print1"),
        ("UPDATE sheet SET cards = '[0,0,0,0,0,0,0,0]' WHERE sheet_id = 1", "sheet 1"),
        ("INSERT INTO bundle VALUES (999999, 1, 'unit', '[]', 'pack1', 0, 0)", "bundle"),
    ],
)
async def test_a_state_row_that_the_moves_do_not_make_is_named(written, statement, place):
    _damage(written, statement)
    faults = _faults(written)
    assert faults
    assert any(place in fault for fault in faults)


async def test_a_tail_cut_off_without_its_events_is_found(written):
    _damage(written, "DELETE FROM move WHERE seq > (SELECT max(seq) - 3 FROM move)")
    assert _faults(written)


async def test_a_cut_event_is_found(written):
    _damage(written, "DELETE FROM event WHERE seq = 50")
    assert "events 50 to 50 are missing" in _faults(written)


async def test_a_broken_end_of_the_chain_keeps_the_ledger_shut(written):
    _damage(written, "UPDATE move SET hash = zeroblob(32) WHERE seq = (SELECT max(seq) - 1 FROM move)")
    with pytest.raises(LedgerDamaged, match="chain is broken"):
        async with open_ledger(written):
            pass
