"""Verification finds in PostgreSQL too what was changed behind the ledger's back (law 9)."""

import pytest

from controller.ledger.errors import LedgerDamaged
from controller.ledger.inbox import AnnounceBatch
from controller.ledger.store import ledger_place, open_ledger
from controller.ledger.verify.whole import verify
from tests.controller.ledger.desk import open_raw
from tests.controller.ledger.floor import SmallFloor


@pytest.fixture
async def written(tmp_path, postgres_url):
    """Give the address of a ledger that holds some hundred moves and a batch in its inbox."""
    async with open_ledger(tmp_path, url=postgres_url) as ledger:
        for recorded in SmallFloor(11).run(200):
            ledger.put(recorded)
        await ledger.write(AnnounceBatch("9" * 25, "city", "20260101", 1, "d", "second", "20251201", 0.0))
    return postgres_url


def _damage(folder, url, statement):
    raw = open_raw(folder, url)
    for table in ("move", "event"):
        raw.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    assert raw.execute(statement).rowcount
    raw.close()


def _faults(folder, url):
    engine = ledger_place(folder, url).reader()
    report = verify(engine)
    engine.dispose()
    return report.faults


async def test_an_untouched_ledger_is_sound(tmp_path, written):
    assert _faults(tmp_path, written) == []


@pytest.mark.parametrize(
    ("statement", "place"),
    [
        ("UPDATE move SET body = set_byte(body, 2, get_byte(body, 2) # 1) WHERE seq = 60", "move 60"),
        ("UPDATE move SET hash = set_byte(hash, 31, get_byte(hash, 31) # 128) WHERE seq = 60", "move 60"),
        ("UPDATE move SET at_floor_s = at_floor_s + 1 WHERE seq = 60", "move 60"),
        ("UPDATE move SET tag = 'run' WHERE seq = 60", "move 60"),
        ("DELETE FROM move WHERE seq = 60", "60"),
        ("DELETE FROM event WHERE seq = 50", "50"),
        ("UPDATE event SET body = set_byte(body, 1, get_byte(body, 1) # 2) WHERE seq = 50", "event 50"),
        ("UPDATE card SET express = NOT express WHERE card_id = (SELECT max(card_id) FROM card)", "card"),
        ("UPDATE station SET load_max = 99 WHERE station = 'print1'", "station print1"),
        ("DELETE FROM receipt WHERE number = 3", "receipt"),
        ("UPDATE meta SET value = '7' WHERE key = 'epoch'", "meta epoch"),
        ("UPDATE inbox_batch SET count = 2", "inbox_batch"),
        ("INSERT INTO bundle SELECT 999999, 1, 'unit', '[]', 'pack1', 0, 0", "bundle"),
    ],
)
async def test_a_change_is_found_at_its_place(tmp_path, written, statement, place):
    _damage(tmp_path, written, statement)
    assert place in " / ".join(_faults(tmp_path, written))


async def test_a_broken_end_of_the_chain_keeps_the_ledger_shut(tmp_path, written):
    last = "(SELECT max(seq) - 1 FROM move)"
    _damage(tmp_path, written, f"UPDATE move SET hash = decode(repeat('00', 32), 'hex') WHERE seq = {last}")
    with pytest.raises(LedgerDamaged, match="chain is broken"):
        async with open_ledger(tmp_path, url=written):
            pass
