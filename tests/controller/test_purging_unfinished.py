"""Batches announced and never brought whole: a purge refuses them with a word of their own and destroys them."""

from __future__ import annotations

import shutil

import pytest
import trio

from controller.asking.submission import batch_digest
from controller.audit.words import sentences_of
from controller.core import events as e
from controller.core.moves import BatchRefused, RowVerdict, Verdict
from controller.core.record_moves import BatchesPurged
from controller.intake.giving_up import GivingUp
from controller.ledger.inbox import NEVER_WHOLE, AnnounceBatch, InboxRow, InboxState, StoreChunk, StoreVerdicts
from controller.ledger.purge_rows import PurgeReader
from controller.ledger.returns import OpenReturn
from controller.vault.errors import KeyMissing
from controller.wire import BatchState, ChunkStored, OpenBatch, Refusal
from tests.controller.ledger.audited import post_head
from tests.controller.purge_centre import (
    DAY_S,
    DAYS,
    OTHER_BATCH,
    OTHER_NUMBERS,
    UNIT,
    Cut,
    Steps,
    agree,
    can_read,
    inbox_rows,
    is_as_purged,
    later,
    make_all,
    purged,
    purger,
    under_way,
)
from tests.controller.returning import BATCH, NUMBERS, Centre, centre
from tests.controller.test_laws_shell import DUE, TODAY, application, number, shell

HALF = "6" * 25


async def announce_and_bring_half(made: Centre, name: str = HALF) -> int:
    """Announce a batch of three, and bring one of them."""
    now = made.clock.now_floor_s()
    batch = await made.ledger.write(AnnounceBatch(name, "north", "20260201", 3, "d" * 64, "second", TODAY, now))
    await made.vault.store_applications(batch.batch_id, [(0, b"an application")])
    row = InboxRow(0, NUMBERS[0], b"r" * 32, b"identity", b"person", UNIT, False, "10")
    await made.ledger.write(StoreChunk(batch.batch_id, [row]))
    return batch.batch_id


async def test_what_was_never_brought_whole_is_refused_and_destroyed_after_the_retention_period(tmp_path):
    async with centre(tmp_path) as made:
        half = await announce_and_bring_half(made)
        mixed, _, _ = await make_all(made)
        young = await announce_and_bring_half(made, "7" * 25)
        assert (await made.ask("purge_preview")).result["unfinished"] == 1
        head = made.ledger.head.seq
        await purged(made)
        assert is_as_purged(made, half)
        assert is_as_purged(made, mixed)
        assert can_read(made, young)
        with pytest.raises(KeyMissing):
            made.vault.application(half, 0)
        [row] = inbox_rows(made, half)
        assert (row.row_digest, row.identity, row.person) == (b"", b"", b"")
        [told] = [one for one in made.ledger.reader.receipts("north", 0) if one.batch_number == HALF]
        assert (told.kind, told.codes) == ("refused", [NEVER_WHOLE])
        moves = [move for _, move in made.ledger.replay(head)]
        assert [move.codes for move in moves if isinstance(move, BatchRefused)] == [[NEVER_WHOLE]]
        [last] = [move for move in moves if isinstance(move, BatchesPurged)]
        assert (len(last.batches), last.unfinished, last.altered) == (3, 1, [])
        assert "(1 never brought whole)" in sentences_of(last)[0]
        [day] = (await made.ask("purges", done=1)).result["done"]
        assert (day["batches"], day["unfinished"]) == (3, 1)
        assert (await made.ask("purge_preview")).result["unfinished"] == 0
        assert made.ledger.verify().sound


async def test_a_batch_that_waits_whole_for_its_verdicts_is_not_given_up(tmp_path):
    async with centre(tmp_path) as made:
        whole = await made.bring()
        made.clock.epoch_floor_s += DAYS * DAY_S
        await purged(made)
        assert can_read(made, whole)
        assert made.ledger.reader.announced(BATCH).state == InboxState.RECEIVING
        assert made.ledger.reader.batch(whole) is None


async def test_cut_before_any_step_the_next_start_brings_it_to_the_same_end(tmp_path):
    async with centre(tmp_path / "old") as made:
        half = await announce_and_bring_half(made)
        made.clock.epoch_floor_s += DAYS * DAY_S
        await post_head(made, made.clock.now_floor_s() // DAY_S * DAY_S)
        await agree(made)
    steps = Steps()
    async with later(shutil.copytree(tmp_path / "old", tmp_path / "whole")) as made:
        await purger(made, steps).purge(under_way(made))
    assert steps.made >= 6
    for allowed in range(steps.made):
        folder = shutil.copytree(tmp_path / "old", tmp_path / f"cut{allowed}")
        async with later(folder) as made:
            with pytest.raises(Cut):
                await purger(made, Steps(allowed)).purge(under_way(made))
            assert made.ledger.verify().sound
        async with later(folder) as made:
            await purger(made).purge(under_way(made))
            assert is_as_purged(made, half)
            assert len([one for one in made.ledger.reader.receipts("north", 0) if one.batch_number == HALF]) == 1
            assert made.ledger.verify().sound


async def test_an_upstream_that_sends_the_rest_too_late_is_told_so_and_the_batch_stays_refused(tmp_path):
    sent = [application(one) for one in range(3)]
    header = OpenBatch(batch_number=number(1), due=DUE, count=3, digest=batch_digest(sent))
    async with shell(tmp_path) as made:
        await made.intake.answer("north", header)
        assert isinstance(await made.chunk(1, sent[:1]), ChunkStored)
        batch = made.ledger.reader.announced(number(1))
        giving_up = GivingUp(made.ledger, made.judge.history, made.host.post, made.intake.forget)
        assert await giving_up.give_up(batch)
        assert await giving_up.give_up(batch)  # asked again, nothing is told twice
        for _ in range(2):
            refused = await made.chunk(1, sent[1:], 1)
            assert isinstance(refused, Refusal)
            assert (refused.code, "as a new batch" in refused.text) == (NEVER_WHOLE, True)
            again = await made.intake.answer("north", header)
            assert isinstance(again, BatchState)
            assert (again.state, again.codes) == ("refused", [NEVER_WHOLE])
        assert isinstance(await made.chunk(1, sent[:1]), ChunkStored)  # it was safe once: the same answer
        assert len(made.ledger.reader.receipts("north", 0)) == 1
    async with shell(tmp_path) as made:
        assert (await made.chunk(1, sent[1:], 1)).code == NEVER_WHOLE


async def test_a_chunk_on_its_way_while_its_batch_is_given_up_is_refused_and_not_stored(tmp_path):
    sent = [application(one) for one in range(3)]
    async with shell(tmp_path) as made:
        await made.intake.answer(
            "north", OpenBatch(batch_number=number(1), due=DUE, count=3, digest=batch_digest(sent))
        )
        batch = made.ledger.reader.announced(number(1))
        giving_up = GivingUp(made.ledger, made.judge.history, made.host.post, made.intake.forget)
        store = made.vault.store_applications

        async def store_late(batch_id, rows):
            await giving_up.give_up(batch)
            await store(batch_id, rows)

        made.vault.store_applications = store_late
        assert (await made.chunk(1, sent[:2])).code == NEVER_WHOLE
        made.vault.store_applications = store
        await made.vault.destroy_keys([batch.batch_id])
        assert (await made.chunk(1, sent[:2])).code == NEVER_WHOLE
        assert made.ledger.reader.rows(batch.batch_id) == []


async def test_a_batch_given_up_right_before_a_stop_is_told_with_its_own_code_after_it(tmp_path):
    sent = [application(one) for one in range(3)]
    async with shell(tmp_path) as made:
        await made.intake.answer(
            "north", OpenBatch(batch_number=number(1), due=DUE, count=3, digest=batch_digest(sent))
        )

        def cut(event):
            raise Cut

        with pytest.raises(Cut):
            await GivingUp(made.ledger, made.judge.history, cut, made.intake.forget).give_up(
                made.ledger.reader.announced(number(1))
            )
    async with shell(tmp_path) as made, trio.open_nursery() as nursery:
        nursery.start_soon(made.judge.run)
        await made.judged(1)
        nursery.cancel_scope.cancel()
    async with shell(tmp_path) as made:
        assert [one.codes for one in made.ledger.reader.receipts("north", 0)] == [[NEVER_WHOLE]]


# ---- cases of returned cards that were cut short ------------------------------------------------------------------


async def test_a_returned_card_s_case_cut_short_loses_its_digests_and_may_be_begun_anew(tmp_path):
    async with centre(tmp_path) as made:
        made_batch = await made.bring(OTHER_NUMBERS, OTHER_BATCH)
        rows = [RowVerdict(index, one, UNIT, Verdict.OK) for index, one in enumerate(OTHER_NUMBERS)]
        await made.ledger.write(StoreVerdicts(made_batch, rows))
        now = made.clock.now_floor_s()
        await made.host.post(e.BatchChecked(made_batch, OTHER_BATCH, "north", "second", now, now + 9e5, rows)).wait()
        await made.settled()
        change = OpenReturn(made_batch, 0, f"{OTHER_BATCH}-R1-0", "20260201", TODAY, now)
        case = await made.ledger.write(change)
        await made.vault.store_applications(case, [(0, b"copied, and then the power was cut")])
        before = inbox_rows(made, case)
        made.clock.epoch_floor_s += 2 * DAYS * DAY_S
        await purger(made).purge(e.Purge(1, now - 1))  # only to see that it is too young for this one
        assert inbox_rows(made, case) == before
        reader = PurgeReader(made.ledger.reading)
        assert [one.batch_id for one in reader.unfinished(now + 1)] == [case]
        await purger(made)._take_unfinished(now + 1)
        assert (inbox_rows(made, case)[0].row_digest, case in made.vault.batches()) == (b"", False)
        assert await made.ledger.write(change) == case
        assert inbox_rows(made, case) == before
        await made.vault.store_applications(case, [(0, b"copied again")])
        assert can_read(made, case)
        assert made.ledger.verify().sound
