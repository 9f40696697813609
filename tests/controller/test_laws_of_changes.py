"""Attempts to break the laws by what upstreams change: numbers two bring at once, quotas, purges beside corrections."""

from __future__ import annotations

import msgspec
import pytest
import trio

from controller.asking.submission import batch_digest
from controller.config import UpstreamConfig
from controller.core.events import DecisionMade
from controller.encoding import open_application
from controller.intake.giving_up import GivingUp
from controller.intake.revision import correction_number
from controller.upkeep.purging import Purger
from controller.wire import BatchState, Chunk, ChunkStored, CorrectApplication, Corrected, OpenBatch
from tests.controller.correcting import DUE, HELD, REFUSED, Upstreams, application, doors, number
from tests.controller.purge_centre import DAY_S, DAYS, agree
from tests.controller.test_corrections import code_of
from tests.controller.test_corrections_cut import Cut, Power


async def announce(desk: Upstreams, sequence: int, sent: list[bytes], user: str = "north") -> BatchState:
    header = OpenBatch(batch_number=number(sequence), due=DUE, count=len(sent), digest=batch_digest(sent))
    answer = await desk.ask(header, user)
    assert isinstance(answer, BatchState), answer
    return answer


async def test_who_announced_first_but_brought_a_number_later_does_not_own_anothers_application(tmp_path):
    async with doors(tmp_path) as desk:
        theirs = [application(1, person=55)]
        await announce(desk, 2, theirs, "south")
        await desk.bring(1, [application(1, **HELD)])
        await desk.bring(2, theirs, "south")
        assert [one.codes for one in desk.receipts(1, "south")] == [["duplicate.acceptance_before"]]
        assert code_of(await desk.correct(1, 1, application(1, person=55), "south")) == "correct.unknown"
        assert desk.newest(1)[1] == "held"
        assert isinstance(await desk.correct(1, 1, application(1)), Corrected)
        await desk.settled()
        desk.check_laws()
        desk.verify()


async def test_revisions_go_on_when_an_older_batch_of_the_same_upstream_brings_the_number_again(tmp_path):
    async with doors(tmp_path) as desk:
        again = [application(1, person=55)]
        await announce(desk, 2, again)
        await desk.bring(1, [application(1, **REFUSED)])
        first = await desk.correct(1, 1, application(1, **HELD))
        await desk.bring(2, again)
        assert await desk.correct(1, 1, application(1, **HELD)) == first
        second = await desk.correct(1, 2, application(1))
        assert isinstance(second, Corrected), second
        assert second.batch_number == correction_number(number(1), 2, 0)
        await desk.settled()
        desk.check_laws()
        desk.verify()


async def test_a_whole_batch_that_is_announced_again_before_its_verdict_takes_no_place_for_ever(tmp_path):
    async with doors(tmp_path, upstreams=UpstreamConfig(batches_max=1)) as desk:
        sent = [application(1)]
        async with desk.judge.history:
            await announce(desk, 1, sent)
            raw = [msgspec.Raw(one) for one in sent]
            assert isinstance(await desk.ask(Chunk(batch_number=number(1), first=0, applications=raw)), ChunkStored)
            assert (await announce(desk, 1, sent)).state == "checking"
        await desk.until_told(1, (0, "accepted"))
        assert desk.intake._quota.receiving == 0
        await desk.bring(2, [application(2)])


async def test_a_correction_that_is_begun_anew_beside_a_purge_loses_no_application(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD)])
        Power(desk, 1)
        with pytest.raises(Cut):
            await desk.correct(1, 1, application(1))
    async with doors(tmp_path, is_working=False) as desk:
        made = desk.centre
        made.clock.epoch_floor_s += DAYS * DAY_S
        giving_up = GivingUp(made.ledger, desk.judge.history, made.host.post, desk.intake.forget)
        beside = Beside(desk)
        purger = Purger(made.ledger, beside, made.host.post, giving_up.give_up, desk.judge.history)
        action = await agree(made)
        with trio.fail_after(60):
            async with trio.open_nursery() as nursery:
                beside.nursery = nursery
                await purger.purge(action)
        await desk.until_told(1, (1, "accepted"))
        card, _ = desk.newest(1)
        assert made.vault.application(card // 10_000, 0) == application(1)


class Beside:
    """A vault to whose purge an upstream comes in between."""

    def __init__(self, desk: Upstreams) -> None:
        self._desk, self.nursery = desk, None

    def __getattr__(self, name: str) -> object:
        return getattr(self._desk.centre.vault, name)

    async def destroy_keys(self, batch_ids, *, bar=True):
        if not bar:
            self.nursery.start_soon(self._desk.correct, 1, 1, application(1))
            with trio.move_on_after(1.0):
                await self._desk.until_told(1, (1, "accepted"))
        await self._desk.centre.vault.destroy_keys(batch_ids, bar=bar)


async def test_what_has_no_acceptance_number_is_nobodys_to_correct(tmp_path):
    async with doors(tmp_path) as desk:
        nameless = application(1, acceptance_number="x")
        await desk.bring(1, [nameless])
        request = CorrectApplication(acceptance_number="", revision=1, application=msgspec.Raw(nameless))
        assert code_of(await desk.ask(request)) == "correct.unknown"
        desk.check_laws()


async def test_a_person_who_refuses_it_first_keeps_no_correction_out(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD)])
        card, _ = desk.newest(1)
        post = desk.judge._post

        def refused_meanwhile(event):
            if isinstance(event, DecisionMade):
                post(DecisionMade(card, "refuse", "ann", "not in the register"))
            return post(event)

        desk.judge._post = refused_meanwhile
        assert isinstance(await desk.correct(1, 1, application(1)), Corrected)
        await desk.until_told(1, (1, "dispatched"))
        assert desk.told(1)[:2] == [(0, "held"), (0, "refused")]
        await desk.settled()
        desk.check_laws()
        desk.verify()


async def test_a_reason_that_names_the_other_person_of_a_shared_number_is_not_recorded(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1)])
        await desk.bring(2, [application(2, person=3, name="欧阳守望")])
        (mine, _), (theirs, state) = desk.newest(1), desk.newest(2)
        assert state == "held"
        for card, name in ((theirs, open_application(application(1)).name), (mine, "欧阳守望")):
            args = {"card": card, "reason": f"{name} showed the register"}
            assert code_of(await desk.operator("act", verb="override", args=args)) == "reason.personal"
            assert code_of(await desk.operator("decide", decision="refuse", **args)) == "reason.personal"
        looked = await desk.operator("look", card=theirs, reason=f"as {open_application(application(1)).name}")
        assert code_of(looked) == "reason.personal"
