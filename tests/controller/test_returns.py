"""Cards that came back, in the shell: what is durable when, and who is told no."""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from types import SimpleNamespace

import pytest
import trio
import trio.testing

from controller.application import card_id
from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.moves import BatchOpened, RowVerdict, Verdict
from controller.core.quality_moves import CardReturned
from controller.core.remakes import RETURN_S
from controller.core.settings import CoreConfig
from controller.core.stock import Account
from controller.ledger.inbox import StoreVerdicts
from controller.ledger.receipts import FINAL_KINDS
from controller.returns import Returns
from controller.trace.card import trace_card
from controller.trace.past import why_past
from controller.vault.errors import KeyMissing
from controller.wire import Done, Refusal
from tests.controller.returning import BATCH, NUMBERS, Centre, centre, sent_centre


async def test_a_card_that_came_back_is_made_again_as_its_next_case_with_receipts_of_its_own(tmp_path):
    async with sent_centre(tmp_path) as made:
        old = made.ledger.reader.cards_of(NUMBERS[0])[0]
        answer = await made.back()
        told = answer.result
        assert (told["batch_number"], told["case"]) == (f"{BATCH}-R1-0", 1)
        await made.settled()
        new, again = made.ledger.reader.cards_of(NUMBERS[0])
        assert (new.case_no, new.state, new.express, new.unit) == (1, "dispatched", True, old.unit)
        assert (again.card_id, again.case_no, again.blank, again.state) == (old.card_id, 0, old.blank, "dispatched")
        assert new.blank != old.blank
        receipts = [one for one in made.ledger.reader.receipts("north", 0) if one.acceptance_number == NUMBERS[0]]
        per_case = {case: [one.kind for one in receipts if one.case == case] for case in (0, 1)}
        assert per_case == {case: ["accepted", "made", "dispatched"] for case in (0, 1)}
        assert {one.batch_number for one in receipts if one.case == 1} == {f"{BATCH}-R1-0"}
        finals = Counter((one.acceptance_number, one.case) for one in receipts if one.kind in FINAL_KINDS)
        assert set(finals.values()) == {1}
        assert made.ledger.verify().sound


async def test_the_trace_of_a_card_says_that_it_came_back_and_why_and_its_next_batch_is_known_by_its_number(tmp_path):
    async with sent_centre(tmp_path) as made:
        old = made.ledger.reader.cards_of(NUMBERS[0])[0].card_id
        other = made.ledger.reader.cards_of(NUMBERS[1])[0].card_id
        told = (await made.back()).result
        await made.settled()
        last = trace_card(made.ledger.reading, old).happened[-1]
        assert (last.what, last.because, last.people) == ("came_back", "chip_dead", ["ann"])
        assert last.blank == made.ledger.reader.card(old).blank
        for card in (other, told["card"]):
            assert trace_card(made.ledger.reading, card).happened[-1].what == "sent"
        over = why_past(made.ledger.reading, told["batch_number"], 0.0)
        assert over.facts["dispatched"] == 1
        assert why_past(made.ledger.reading, f"{told['batch_number']}9", 0.0) is None


async def test_the_return_and_the_new_case_are_one_turn_and_the_old_blank_comes_first(tmp_path):
    async with sent_centre(tmp_path) as made:
        before = len(made.moves)
        now = made.clock.now_floor_s()
        answer = await made.back()
        returned, opened = made.moves[before : before + 2]
        assert isinstance(returned, CardReturned)
        assert isinstance(opened, BatchOpened)
        assert (returned.case_card, returned.by) == (answer.result["card"], "ann")
        assert now + RETURN_S <= opened.due_floor_s <= made.clock.now_floor_s() + RETURN_S
        assert answer.result["due_floor_s"] == opened.due_floor_s
        assert (opened.upstream, opened.rows[0].fee_class, opened.rows[0].in_scope) == ("north", "", False)


async def test_its_application_is_sealed_a_second_time_under_a_key_of_its_own(tmp_path):
    async with sent_centre(tmp_path) as made:
        old = made.ledger.reader.cards_of(NUMBERS[1])[0].card_id
        card = (await made.back(NUMBERS[1])).result["card"]
        first, second = (made.vault.application(one // 10_000, one % 10_000) for one in (old, card))
        assert first == second
        keys = made.vault._keys
        assert keys.key(old // 10_000) is not keys.key(card // 10_000)


async def test_a_card_may_come_back_again_and_two_of_one_batch_are_told_apart(tmp_path):
    async with sent_centre(tmp_path) as made:
        assert (await made.back(NUMBERS[2])).result["batch_number"] == f"{BATCH}-R1-2"
        assert (await made.back(NUMBERS[1])).result["batch_number"] == f"{BATCH}-R1-1"
        await made.settled()
        answer = await made.back(NUMBERS[2], "print_fault")
        assert (answer.result["batch_number"], answer.result["case"]) == (f"{BATCH}-R2-2", 2)
        await made.settled()
        assert [one.case_no for one in made.ledger.reader.cards_of(NUMBERS[2])] == [2, 1, 0]
        assert made.host.foreman.state.stock.blanks[Account.RETURNED] == 3


async def test_asking_twice_begins_one_case_whoever_asks_and_however_fast(tmp_path):
    async with sent_centre(tmp_path) as made:
        answers = []

        async def ask():
            answers.append(await made.back())

        async with trio.open_nursery() as nursery:
            for _ in range(4):
                nursery.start_soon(ask)
        assert sum(isinstance(one, Done) for one in answers) == 1
        assert {one.code for one in answers if isinstance(one, Refusal)} <= {"return.open_case"}
        await made.settled()
        assert len(made.ledger.reader.cards_of(NUMBERS[0])) == 2


@pytest.mark.parametrize(
    ("number", "code", "refused"),
    [
        ("9" * 22, "chip_dead", "return.unknown"),
        (NUMBERS[0], "ugly", "command.argument"),
        ("", "chip_dead", "command.argument"),
    ],
)
async def test_what_never_was_and_words_nobody_knows_are_refused(tmp_path, number, code, refused):
    async with sent_centre(tmp_path) as made:
        answer = await made.back(number, code)
        assert answer.code == refused
        assert made.host.foreman.state.stock.blanks[Account.RETURNED] == 0


async def test_a_card_that_is_still_being_made_cannot_come_back(tmp_path):
    async with sent_centre(tmp_path) as made:
        await made.host.post(e.StationReported("print", "stopped", "", 1.0)).wait()
        await made.back()
        assert (await made.back()).code == "return.open_case"
        card = made.ledger.reader.cards_of(NUMBERS[0])[0].card_id
        await made.host.post(e.DecisionMade(card, "cancel", "ann", "moved away")).wait()
        assert (await made.back()).code == "return.not_sent"


async def test_when_the_personal_data_are_destroyed_upstream_has_to_send_a_new_application(tmp_path, monkeypatch):
    async with sent_centre(tmp_path) as made:
        monkeypatch.delitem(made.vault._keys._keys, 1)  # as a purge leaves the ring
        with pytest.raises(KeyMissing):
            made.vault.application(1, 0)
        assert (await made.back()).code == "return.purged"
        assert made.host.foreman.state.stock.blanks[Account.RETURNED] == 0


async def test_an_application_that_somebody_changed_in_the_vault_is_named_and_loses_nothing(tmp_path):
    async with sent_centre(tmp_path) as made:
        with sqlite3.connect(next(tmp_path.rglob("vault*.db"))) as database:
            database.execute("UPDATE sealed_application SET blob = zeroblob(500)")
        assert (await made.back()).code == "return.damaged"
        assert made.host.foreman.state.stock.blanks[Account.RETURNED] == 0


async def test_an_open_application_of_the_same_person_is_the_one_that_is_made(tmp_path):
    async with sent_centre(tmp_path) as made:
        other = await made.bring([NUMBERS[0]], f"{BATCH[:-1]}2")
        verdict = RowVerdict(0, NUMBERS[0], "520102001", Verdict.OK)
        await made.ledger.write(StoreVerdicts(other, [verdict]))
        assert (await made.back()).code == "return.other_open"


async def test_intake_sees_the_open_case_and_an_orphan_of_it_blocks_nobody(tmp_path):
    async with sent_centre(tmp_path) as made:
        await made.host.post(e.StationReported("print", "stopped", "", 1.0)).wait()
        identity = f"id{NUMBERS[0]}".encode()
        standings = lambda: [one.standing for one in made.ledger.reader.known_people([identity])]  # noqa: E731
        assert standings() == ["made"]
        await lose_the_turn(made)
        assert standings() == ["made"]
        await made.back()
        assert standings() == ["made", "open"]


async def lose_the_turn(made: Centre) -> None:
    """Take a card back as a service does that is killed before the foreman's turn is durable."""

    def killed(event):
        raise KeyboardInterrupt

    dead = Returns(made.ledger, made.vault, made.judge.history, made.clock.now_floor_s, killed)
    with pytest.raises(KeyboardInterrupt):
        await dead.take_back(NUMBERS[0], "chip_dead", "ann")


async def test_killed_before_the_turn_is_durable_there_is_no_case_and_asking_again_begins_it(tmp_path):
    async with sent_centre(tmp_path) as made:
        await lose_the_turn(made)
        orphan = made.ledger.reader.announced(f"{BATCH}-R1-0")
        assert made.vault.application(orphan.batch_id, 0) == made.vault.application(1, 0)
        assert made.ledger.verify().sound
    async with centre(tmp_path) as made, trio.open_nursery() as nursery:
        nursery.start_soon(made.judge.run)
        assert made.ledger.reader.unfinished() == []  # nothing that the judge would bring to the floor by itself
        assert [one.case_no for one in made.ledger.reader.cards_of(NUMBERS[0])] == [0]
        assert (await made.ask("remakes")).result["returns_open"] == 0
        answer = await made.back()
        assert answer.result["card"] == card_id(orphan.batch_id, 0)
        await made.settled()
        assert made.kinds(answer.result["card"]) == ["accepted", "made", "dispatched"]
        assert made.ledger.verify().sound
        nursery.cancel_scope.cancel()


async def test_killed_after_the_turn_the_case_is_there_and_asking_again_is_refused(tmp_path):
    async with sent_centre(tmp_path) as made:
        await made.host.post(e.StationReported("print", "stopped", "", 1.0)).wait()
        await made.back()
    async with centre(tmp_path, is_working=False) as made:
        folded = Foreman(CoreConfig())
        for at_floor_s, move in made.ledger.replay():
            folded.replay(at_floor_s, move)
        assert list(folded.state.stock.returned) == [made.ledger.reader.card(card_id(1, 0)).blank]
        assert (await made.back()).code == "return.open_case"
        assert [one.case_no for one in made.ledger.reader.cards_of(NUMBERS[0])] == [1, 0]


async def test_open_remakes_and_returns_are_listed_with_their_due_dates_the_oldest_first(tmp_path):
    async with sent_centre(tmp_path) as made:
        await made.host.post(e.StationReported("print", "stopped", "", 1.0)).wait()
        for number in NUMBERS[:2]:
            await made.back(number)
        told = (await made.ask("remakes")).result
        assert (told["returns_open"], told["remakes_open"], told["remakes"]) == (2, 0, [])
        rows = told["returns"]
        assert [row["began_floor_s"] for row in rows] == sorted(row["began_floor_s"] for row in rows)
        assert all(math.isclose(row["due_floor_s"] - row["began_floor_s"], RETURN_S) for row in rows)
        assert {(row["state"], row["generation"], row["late_s"]) for row in rows} <= {
            ("accepted", 1, 0.0),
            ("ready", 1, 0.0),
        }
        await made.host.post(e.StationReported("print", "idle", "", 1.0)).wait()
        await made.settled()
        told = (await made.ask("remakes")).result
        assert (told["returns_in_time"], told["returns_late"], told["returns_open"]) == (2, 0, 0)
        assert (told["remade_in_time"], told["remade_late"], told["set_good"]) == (0, 0, 0)


async def test_no_batch_is_judged_while_a_return_looks_at_the_history(tmp_path, nursery):
    async with centre(tmp_path) as made:
        await made.bring()
        batch = made.ledger.reader.announced(BATCH)
        await made.judge.history.acquire()
        nursery.start_soon(made.judge.run)
        made.judge.is_whole(batch)
        await trio.testing.wait_all_tasks_blocked(0.05)
        assert {one.verdict for one in made.ledger.reader.verdicts(batch.batch_id)} == {-1}
        made.judge.history.release()
        with trio.fail_after(60):
            while made.ledger.reader.batch(batch.batch_id) is None:  # noqa: ASYNC110  the ledger's thread does it
                await trio.sleep(0.01)
        nursery.cancel_scope.cancel()


async def test_a_return_waits_while_a_batch_is_judged_by_the_same_history(tmp_path, autojump_clock):
    looked = []
    ledger = SimpleNamespace(reader=SimpleNamespace(cards_of=lambda number: looked.append(number) or []))
    history = trio.Lock()
    returns = Returns(ledger, None, history, lambda: 0.0, None)
    async with trio.open_nursery() as nursery:
        await history.acquire()
        nursery.start_soon(returns.take_back, NUMBERS[0], "chip_dead", "ann")
        await trio.sleep(5)
        assert looked == []
        history.release()
    assert looked == [NUMBERS[0]]
