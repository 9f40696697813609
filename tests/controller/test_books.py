"""The books: a snapshot at any moment goes on as the fold that it stands for (law 7), or is not used."""

import re
from dataclasses import fields, replace
from pathlib import Path

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError, OperationalError
from structlog.testing import capture_logs

from controller.config import Config
from controller.core import events as e
from controller.core.settings import CalendarConfig, DriftConfig
from controller.desk.desk import AllBefore
from controller.ledger.journal import Recorded
from controller.ledger.snapshot import StoreSnapshot, last_snapshot
from controller.ledger.store import open_ledger
from controller.plain import plain_of
from controller.upkeep import snapshots as snapshots_module
from controller.upkeep.books import (
    FOLDING,
    BooksUnreadable,
    code_of,
    decode_books,
    empty_books,
    encode_books,
    open_books,
)
from controller.upkeep.snapshots import Snapshots
from tests.controller.core.rough_floor import RoughFloor

CONFIG = Config()


def rough_moves(seed, batches=3, cards=30):
    """Give the moves of a floor with much trouble, in order, with their times."""
    floor = RoughFloor(seed, trouble=0.2)
    for batch_id in range(1, batches + 1):
        floor.submit(100.0 * batch_id, batch_id, cards, holds=2, refused=1)
    floor.host.run(200_000.0)
    return floor.log


def assert_equal(mine, theirs):
    """Compare books field by field, and as bytes, which show the order of what they hold too."""
    assert mine.last_floor_s == theirs.last_floor_s
    for one, other in (
        (mine.foreman.state, theirs.foreman.state),
        (mine.tally, theirs.tally),
        (mine.campaign.kept, theirs.campaign.kept),
    ):
        for part in fields(one):
            assert getattr(one, part.name) == getattr(other, part.name), part.name
    assert encode_books(mine) == encode_books(theirs)


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10_000), share=st.floats(0, 1))
def test_a_snapshot_at_any_move_goes_on_as_the_straight_fold(seed, share):
    moves = rough_moves(seed)
    cut = round(share * len(moves))
    straight, before = empty_books(CONFIG), empty_books(CONFIG)
    straight.fold(moves)
    before.fold(moves[:cut])
    after = decode_books(encode_books(before), CONFIG)
    assert_equal(after, before)
    assert after.fold(moves[cut:]) == len(moves) - cut
    assert_equal(after, straight)


def test_the_types_of_a_decoded_state_are_those_of_a_folded_one():
    books = empty_books(CONFIG)
    books.fold(rough_moves(5)[:150])
    decoded = decode_books(encode_books(books), CONFIG)

    def kinds(value):
        if isinstance(value, dict):
            return type(value), {key: kinds(one) for key, one in value.items()}
        return type(value), [kinds(one) for one in value] if isinstance(value, list | tuple) else None

    for part in fields(books.foreman.state):
        mine, theirs = getattr(decoded.foreman.state, part.name), getattr(books.foreman.state, part.name)
        assert kinds(mine) == kinds(theirs), part.name


def test_equal_books_give_equal_bytes_however_they_came_about():
    moves = rough_moves(8)
    once, twice = empty_books(CONFIG), empty_books(CONFIG)
    once.fold(moves)
    for cut in range(0, len(moves), 40):
        twice.fold(moves[cut : cut + 40])
        twice = decode_books(encode_books(twice), CONFIG)
    assert encode_books(once) == encode_books(twice)


def test_every_file_that_the_core_imports_is_part_of_the_code_of_the_fold():
    root = Path(__file__).resolve().parents[2]
    named = {(package, name) for package, names in FOLDING.items() for name in names}
    waiting, seen = list((root / "controller" / "core").rglob("*.py")), set()
    while waiting:
        file = waiting.pop()
        imported = re.findall(
            r"^(?:from|import) ((?:controller|devices|encoders)[.\w]*)", file.read_text("utf-8"), re.M
        )
        for module in set(imported) - seen:
            seen.add(module)
            waiting += [path for path in [root / f"{module.replace('.', '/')}.py"] if path.is_file()]
    outside = {module for module in seen if not module.startswith("controller.core")}
    assert {(module.rpartition(".")[0], f"{module.rpartition('.')[2]}.py") for module in outside} <= named


def test_other_settings_of_the_fold_are_another_code_and_others_are_not():
    code = code_of(CONFIG)
    assert code == code_of(Config())
    assert code != code_of(replace(CONFIG, drift=DriftConfig(threshold=7.0)))
    assert code != code_of(replace(CONFIG, calendar=CalendarConfig(holidays="2026-10-01")))
    assert code == code_of(replace(CONFIG, service=replace(CONFIG.service, folder="elsewhere")))


@pytest.mark.parametrize("spoil", [lambda body: b"", lambda body: body[:-9], lambda body: b"x" + body])
def test_bytes_that_are_no_books_are_said_to_be_none(spoil):
    books = empty_books(CONFIG)
    books.fold(rough_moves(2)[:50])
    with pytest.raises(BooksUnreadable):
        decode_books(spoil(encode_books(books)), CONFIG)


def test_a_type_without_a_plain_form_is_an_error_and_not_a_guess():
    with pytest.raises(TypeError, match="no plain form"):
        plain_of(object)


async def _record(ledger, moves):
    for at_floor_s, move in moves:
        ledger.put(Recorded(at_floor_s, e.TimerFired(), [move]))
    await ledger.write(AllBefore())


async def _open(ledger):
    return await trio.to_thread.run_sync(open_books, ledger, CONFIG)


async def test_a_start_reads_the_newest_snapshot_and_folds_what_came_after(tmp_path, engine_url):
    moves = rough_moves(4)
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        await _record(ledger, moves[:200])
        opened = await _open(ledger)
        await Snapshots(ledger, CONFIG, lambda: False, every_moves=100).store_at_stop(opened.books)
        await _record(ledger, moves[200:])
    straight = empty_books(CONFIG)
    straight.fold(moves)
    async with open_ledger(tmp_path, url=engine_url) as ledger:
        opened = await _open(ledger)
        assert (opened.seq, opened.moves) == (len(moves), len(moves) - 200)
        assert_equal(opened.books, straight)


async def test_a_snapshot_that_cannot_be_read_is_left_and_the_one_before_it_taken_or_all_folded(tmp_path):
    moves = rough_moves(4)
    straight, part = empty_books(CONFIG), empty_books(CONFIG)
    straight.fold(moves)
    part.fold(moves[:100])
    async with open_ledger(tmp_path) as ledger:
        await _record(ledger, moves)
        await ledger.write(StoreSnapshot(200, code_of(CONFIG), b"no books"))
        with capture_logs() as logs:
            opened = await _open(ledger)
        assert (opened.seq, opened.moves) == (len(moves), len(moves))
        assert_equal(opened.books, straight)
        assert [(one["seq"], one["log_level"]) for one in logs] == [(200, "warning")]
        await ledger.write(StoreSnapshot(100, code_of(CONFIG), encode_books(part)))
        opened = await _open(ledger)
        assert opened.moves == len(moves) - 100
        assert_equal(opened.books, straight)


async def test_a_snapshot_of_other_settings_is_not_used(tmp_path):
    moves = rough_moves(4)
    other = replace(CONFIG, drift=DriftConfig(threshold=7.0))
    books = empty_books(other)
    books.fold(moves)
    async with open_ledger(tmp_path) as ledger:
        await _record(ledger, moves)
        await ledger.write(StoreSnapshot(len(moves), code_of(other), encode_books(books)))
        assert (await _open(ledger)).moves == len(moves)


async def test_a_running_service_keeps_one_whenever_enough_moves_came(tmp_path, monkeypatch):
    monkeypatch.setattr(snapshots_module, "LOOK_S", 0.01)
    moves = rough_moves(4)
    async with open_ledger(tmp_path) as ledger, trio.open_nursery() as nursery:
        nursery.start_soon(Snapshots(ledger, CONFIG, lambda: False, every_moves=100).keep)
        with trio.fail_after(120):
            for first, upto in ((0, 100), (100, 200)):
                await _record(ledger, moves[first:upto])
                while last_snapshot(ledger.reading, code_of(CONFIG)) < upto:  # noqa: ASYNC110  no event tells of it
                    await trio.sleep(0.01)
        nursery.cancel_scope.cancel()
    straight = empty_books(CONFIG)
    straight.fold(moves[:200])
    async with open_ledger(tmp_path) as ledger:
        opened = await _open(ledger)
        assert (opened.seq, opened.moves) == (200, 0)
        assert_equal(opened.books, straight)


async def test_after_a_start_that_folded_much_one_is_kept_and_after_another_none(tmp_path):
    async with open_ledger(tmp_path) as ledger:
        await _record(ledger, rough_moves(4)[:150])
        opened = await _open(ledger)
        await Snapshots(ledger, CONFIG, lambda: False, every_moves=151).store_after_start(opened)
        assert last_snapshot(ledger.reading, code_of(CONFIG)) == 0
        await Snapshots(ledger, CONFIG, lambda: False, every_moves=150).store_after_start(opened)
        assert last_snapshot(ledger.reading, code_of(CONFIG)) == 150


async def test_while_the_disk_is_low_no_snapshot_takes_the_room_of_moves(tmp_path):
    async with open_ledger(tmp_path) as ledger:
        await _record(ledger, rough_moves(4)[:150])
        opened = await _open(ledger)
        await Snapshots(ledger, CONFIG, lambda: True, every_moves=10).store_at_stop(opened.books)
        assert last_snapshot(ledger.reading, code_of(CONFIG)) == 0


async def test_a_ledger_that_cannot_be_read_costs_a_snapshot_and_not_the_service(tmp_path, monkeypatch):
    asked = []
    with trio.CancelScope() as looks:

        def broken(*args):
            asked.append(args)
            if len(asked) == 3:  # so the second was asked after the first had failed
                trio.from_thread.run_sync(looks.cancel)
            raise OperationalError("SELECT", {}, Exception("database disk image is malformed"))

        async with open_ledger(tmp_path) as ledger:
            await _record(ledger, rough_moves(4)[:150])
            opened, kept = await _open(ledger), Snapshots(ledger, CONFIG, lambda: False, every_moves=10)
            with monkeypatch.context() as patched, capture_logs() as logs:
                patched.setattr(snapshots_module, "last_snapshot", broken)
                await kept.store_at_stop(opened.books)
                patched.setattr(snapshots_module, "LOOK_S", 0.0)
                with trio.move_on_after(60):
                    await kept.keep()
    assert looks.cancelled_caught
    assert [entry["event"] for entry in logs][:2] == ["no snapshot kept"] * 2


async def test_a_snapshot_that_the_database_refuses_is_none_and_ends_nothing(tmp_path, monkeypatch):
    async with open_ledger(tmp_path) as ledger:
        await _record(ledger, rough_moves(4)[:150])
        opened = await _open(ledger)

        def refuse(change, connection):
            raise IntegrityError("INSERT", {}, Exception("no"))

        monkeypatch.setattr(StoreSnapshot, "apply", refuse)
        await Snapshots(ledger, CONFIG, lambda: False, every_moves=10).store_after_start(opened)
        assert last_snapshot(ledger.reading, code_of(CONFIG)) == 0
        await _record(ledger, rough_moves(4)[150:160])
