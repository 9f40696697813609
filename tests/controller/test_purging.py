"""A purge: personal data is gone for good, and whatever is not personal stays as it was, wherever it was cut short."""

from __future__ import annotations

import shutil
import sqlite3
from types import SimpleNamespace

import pytest
import structlog
from sqlalchemy.exc import OperationalError

from controller.commandline.trace import card_lines
from controller.core.record_moves import BatchesPurged, PurgeApproved, VaultKeysChanged
from controller.ledger.inbox import AnnounceBatch
from controller.ledger.purge_rows import BlankDigests, PurgeReader
from controller.upkeep.purging import record_key_acts
from controller.vault.errors import KeyMissing, VaultStopped
from controller.vault.key_acts import KeyAct, note_act
from controller.wire import Refusal
from tests.controller.purge_centre import (
    DAY_S,
    Cut,
    Steps,
    agree,
    bare,
    can_read,
    inbox_rows,
    is_as_purged,
    later,
    make_all,
    propose,
    purged,
    purger,
    under_way,
)
from tests.controller.returning import BATCH, NUMBERS, centre


async def test_a_purge_destroys_what_is_old_and_nothing_else(tmp_path):
    async with centre(tmp_path) as made:
        mixed, refused, fresh = await make_all(made)
        assert all(can_read(made, one) for one in (mixed, refused, fresh))
        await purged(made)
        assert is_as_purged(made, mixed)
        assert is_as_purged(made, refused)
        assert can_read(made, fresh)
        assert made.ledger.reader.batch(fresh).purged_floor_s == 0.0
        assert made.host.foreman.state.purges == {}
        for index in range(3):
            with pytest.raises(KeyMissing, match="it was purged"):
                made.vault.application(mixed, index)
    with sqlite3.connect(tmp_path / "vault.db") as raw:
        for table in ("sealed_application", "sealed_card"):
            assert {one // 10_000 for (one,) in raw.execute(f"SELECT rowid FROM {table}")} <= {fresh}
        assert raw.execute("SELECT batch_id FROM sealed_batch").fetchall() == [(fresh,)]


async def test_counts_genealogy_receipts_and_the_audit_chain_outlive_a_purge(tmp_path):
    async with centre(tmp_path) as made:
        mixed, _, _ = await make_all(made)
        reader, card = made.ledger.reader, mixed * 10_000
        before = (bare(reader.batch(mixed)), reader.counts(mixed), reader.card(card), reader.receipts("north", 0))
        trace = (await made.ask("trace", card=NUMBERS[0])).result
        head = made.ledger.head.seq
        await purged(made)
        after = (bare(reader.batch(mixed)), reader.counts(mixed), reader.card(card), reader.receipts("north", 0))
        assert after == before
        again = (await made.ask("trace", card=NUMBERS[0])).result
        purged_floor_s = reader.batch(mixed).purged_floor_s
        assert again == trace | {"purged_floor_s": purged_floor_s}
        assert trace["purged_floor_s"] == 0.0
        assert any("was destroyed on 2026-07-20" in line for line in card_lines(again))
        kinds = [type(move) for _, move in made.ledger.replay(head)]
        assert kinds.count(PurgeApproved) == kinds.count(BatchesPurged) == 1
        assert made.ledger.verify().sound
    async with later(tmp_path) as made:
        assert made.ledger.verify().sound
        assert made.ledger.reader.receipts("north", 0) == before[3]


async def test_of_a_made_card_two_keyed_digests_stay_and_of_one_that_was_not_made_none(tmp_path):
    async with centre(tmp_path) as made:
        mixed, refused, fresh = await make_all(made)
        digests = [(row.identity, row.person) for row in inbox_rows(made, mixed)]
        await purged(made)
        rows = inbox_rows(made, mixed)
        assert (rows[0].identity, rows[0].person) == digests[0] != (b"", b"")
        assert [(row.identity, row.person) for row in rows[1:]] == [(b"", b"")] * 2
        assert {row.row_digest for row in (*rows, *inbox_rows(made, refused))} == {b""}
        assert [row.acceptance_number for row in rows] == NUMBERS
        assert all(row.row_digest and row.identity for row in inbox_rows(made, fresh))
        [known] = made.ledger.reader.known_people([one for one, _ in digests])
        assert (known.batch_id, known.index, known.standing, known.person) == (mixed, 0, "made", digests[0][1])
        assert made.ledger.reader.known_people([b""]) == []
        assert len(made.ledger.reader.known_numbers(NUMBERS)) == 3


async def test_the_same_batch_again_gets_the_same_answer_and_another_one_is_still_a_conflict(tmp_path):
    async with centre(tmp_path) as made:
        mixed, _, _ = await make_all(made)
        known = made.ledger.reader.announced(BATCH)
        await purged(made)
        assert made.ledger.reader.announced(BATCH) == known
        again = AnnounceBatch(BATCH, "north", known.due, 3, "0" * 64, "second", known.received_on, 1.0)
        assert (await made.ledger.write(again)).digest == known.digest != "0" * 64
        assert made.ledger.reader.announced(BATCH).batch_id == mixed


async def test_a_purged_card_that_comes_back_is_answered_in_one_sentence(tmp_path):
    async with centre(tmp_path) as made:
        await make_all(made)
        await purged(made)
        answer = await made.back(NUMBERS[0])
        assert isinstance(answer, Refusal)
        assert (answer.code, "destroyed" in answer.text) == ("return.purged", True)


async def test_cut_before_any_step_the_next_start_ends_the_purge_and_all_is_as_if_it_had_not_been_cut(tmp_path):
    async with centre(tmp_path / "whole") as made:
        mixed, refused, fresh = await make_all(made)
        steps = Steps()
        await purger(made, steps).purge(await agree(made))
        wanted = [tuple(row) for one in (mixed, refused, fresh) for row in inbox_rows(made, one)]
    assert steps.made >= 6
    async with centre(tmp_path / "old") as made:
        await make_all(made)
        await agree(made)
    readable = set()
    for allowed in range(steps.made):
        folder = shutil.copytree(tmp_path / "old", tmp_path / f"cut{allowed}")
        async with later(folder) as made:
            with pytest.raises(Cut):
                await purger(made, Steps(allowed)).purge(under_way(made))
            readable.add(can_read(made, mixed))
            assert can_read(made, fresh)
        async with later(folder) as made:
            await purger(made).bury_again()
            await purger(made).purge(under_way(made))
            assert is_as_purged(made, mixed)
            assert is_as_purged(made, refused)
            assert can_read(made, fresh)
            assert [tuple(row) for one in (mixed, refused, fresh) for row in inbox_rows(made, one)] == wanted
            assert made.host.foreman.state.purges == {}
            assert made.ledger.verify().sound
    assert readable == {True, False}


async def test_a_purge_of_nothing_ends_too(tmp_path):
    async with centre(tmp_path) as made:
        action = await agree(made)
        await purger(made).purge(action)
        assert made.host.foreman.state.purges == {}


async def test_a_vault_that_cannot_write_leaves_the_purge_open_and_the_floor_working(tmp_path):
    async with centre(tmp_path) as made:
        mixed, _, _ = await make_all(made)
        action, one = await agree(made), purger(made)

        async def refuse(batch_ids):
            raise VaultStopped("keys could not be destroyed: No space left on device")

        one._vault = SimpleNamespace(destroy_keys=refuse)
        with structlog.testing.capture_logs() as logs:
            await one.purge(action)
        assert [(entry["event"], entry["code"]) for entry in logs] == [("purge not ended", "vault.stopped")]
        assert under_way(made, begun=False) == action
        assert can_read(made, mixed)
        assert (await made.ask("purges")).result == [
            {"purge_id": 1, "closed_before_floor_s": action.closed_before_floor_s, "batches_left": 2}
        ]


async def test_a_ledger_that_cannot_be_read_leaves_the_purge_open_and_the_floor_working(tmp_path):
    async with centre(tmp_path) as made:
        mixed, _, _ = await make_all(made)
        action, one = await agree(made), purger(made)

        def broken(*args):
            raise OperationalError("SELECT", {}, Exception("database disk image is malformed"))

        one._reader.due = broken
        with structlog.testing.capture_logs() as logs:
            await one.purge(action)
        assert [(entry["event"], entry["code"]) for entry in logs] == [("purge not ended", "ledger.unread")]
        assert under_way(made, begun=False) == action
        assert can_read(made, mixed)


async def test_a_card_that_comes_back_while_its_batch_is_being_purged_is_answered_as_one_that_was(tmp_path):
    async with centre(tmp_path) as made:
        mixed, _, _ = await make_all(made)
        await made.ledger.write(BlankDigests(mixed, 0, 3))  # its key is there still: the application was just read
        answer = await made.back(NUMBERS[0])
        assert isinstance(answer, Refusal)
        assert answer.code == "return.purged"
        with made.ledger.reading.connect() as connection:
            rows = connection.exec_driver_sql("SELECT count(*) FROM inbox_batch WHERE batch_number LIKE '%-R%'")
            assert rows.scalar() == 0


async def test_a_batch_of_many_rows_is_blanked_in_slices_of_which_each_may_be_done_again(tmp_path):
    async with centre(tmp_path) as made:
        mixed, _, _ = await make_all(made)
        whole = [tuple(row) for row in inbox_rows(made, mixed)]
        await made.ledger.write(BlankDigests(mixed, 1, 1))
        rows = inbox_rows(made, mixed)
        assert [row.row_digest == b"" for row in rows] == [False, True, False]
        assert [tuple(rows[0]), tuple(rows[2])] == [whole[0], whole[2]]
        once = [tuple(row) for row in rows]
        await made.ledger.write(BlankDigests(mixed, 1, 1))
        assert [tuple(row) for row in inbox_rows(made, mixed)] == once


# ---- what people see and may do --------------------------------------------------------------------------------


async def test_the_preview_says_what_a_purge_would_take_and_changes_nothing(tmp_path):
    async with centre(tmp_path) as made:
        mixed, refused, _ = await make_all(made)
        await made.bring([NUMBERS[0]], BATCH[:-1] + "7")  # announced now and never judged: too young to be named
        head = made.ledger.head
        shown = (await made.ask("purge_preview")).result
        closed = [made.ledger.reader.batch(one).closed_floor_s for one in (mixed, refused)]
        now = made.clock.now_floor_s()
        assert shown.pop("closed_before_floor_s") == pytest.approx(now - 180 * DAY_S, abs=3_600)
        assert shown == {
            "days": 180,
            "retention_days": 180,
            "batches": 2,
            "applications": 5,
            "dispatched": 1,
            "oldest_floor_s": min(closed),
            "newest_floor_s": max(closed),
            "unfinished": 0,
            "altered": [],
        }
        assert (await made.ask("purge_preview", days=300)).result["batches"] == 0
        assert (await made.ask("purge_preview", days=0)).result["unfinished"] == 1
        assert made.ledger.head == head
        assert can_read(made, mixed)


async def test_what_was_purged_is_shown_by_day_when_it_is_asked_for(tmp_path):
    async with centre(tmp_path) as made:
        mixed, _, _ = await make_all(made)
        assert (await made.ask("purges", done=1)).result == {"under_way": [], "done": []}
        await purged(made)
        assert (await made.ask("purges")).result == []
        [day] = (await made.ask("purges", done=1)).result["done"]
        assert day == {"purged_floor_s": made.ledger.reader.batch(mixed).purged_floor_s, "batches": 2, "unfinished": 0}


async def test_no_preview_goes_further_back_than_a_century(tmp_path):
    async with centre(tmp_path) as made:
        assert (await made.ask("purge_preview", days=36_500)).result["batches"] == 0
        beyond = await made.ask("purge_preview", days=36_501)
        assert (beyond.code, "to 36,500" in beyond.text) == ("command.argument", True)


async def test_nobody_purges_alone_too_early_or_twice_at_once(tmp_path):
    async with centre(tmp_path) as made:
        mixed, _, _ = await make_all(made)
        early = (await propose(made, 179)).refused
        assert (early.code, "days=180" in early.text) == ("purge.too_early", True)
        proposed = await propose(made, 180)
        alone = await made.ask("second", act_id=proposed.answer)
        assert alone.code == "act.same_person"
        assert can_read(made, mixed)
        await agree(made)
        assert (await propose(made, 180)).refused.code == "purge.under_way"


# ---- what comes back --------------------------------------------------------------------------------------------


async def test_old_vault_files_put_back_beside_a_newer_ledger_open_nothing_purged_and_are_cleaned(tmp_path):
    folder, old = tmp_path / "data", tmp_path / "old"
    async with centre(folder) as made:
        mixed, refused, fresh = await make_all(made)
    old.mkdir()
    for name in ("vault.db", "vault.keys"):
        shutil.copy(folder / name, old / name)
    async with later(folder) as made:
        await purged(made)
    for name in ("vault.db", "vault.keys"):
        shutil.copy(old / name, folder / name)
    (folder / "vault.purged").unlink()  # even without the tombs: the ledger knows
    async with later(folder) as made:
        with structlog.testing.capture_logs() as logs:
            await purger(made).bury_again()
        assert [entry["batches"] for entry in logs if entry["log_level"] == "error"] == [2]
        assert is_as_purged(made, mixed)
        assert is_as_purged(made, refused)
        assert can_read(made, fresh)


async def test_acts_on_the_keys_come_into_the_ledger_once_and_their_notes_go(tmp_path):
    async with centre(tmp_path) as made:
        for what in ("exported", "rotated", "backed_up", "restored"):
            note_act(tmp_path, KeyAct(what, "ann"))
        (tmp_path / "key_acts" / "torn.json").write_text("{")
        with structlog.testing.capture_logs() as logs:
            for _ in range(2):
                await record_key_acts(tmp_path, made.host.post)
        acts = [move for _, move in made.ledger.replay() if isinstance(move, VaultKeysChanged)]
        assert sorted(act.what for act in acts) == ["backed_up", "exported", "restored", "rotated"]
        assert {act.by for act in acts} == {"ann"}
        assert [path.name for path in (tmp_path / "key_acts").iterdir()] == ["torn.json"]
        assert len(logs) == 2  # it cannot be read, and is named at each look
        assert made.ledger.verify().sound


async def test_a_reader_of_purges_asks_about_more_batches_than_one_query_takes(tmp_path):
    async with centre(tmp_path) as made:
        mixed, refused, fresh = await make_all(made)
        await purged(made)
        reader = PurgeReader(made.ledger.reading)
        assert reader.purged(range(2_000)) == {mixed, refused}
        assert reader.barred(range(2_000), made.clock.now_floor_s() + 1) == {mixed, refused, fresh}
