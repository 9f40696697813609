"""Corrections that are cut short at any moment: the next start goes on, and the same message gets its answer."""

from __future__ import annotations

import pytest

from controller.intake.revision import correction_number
from controller.wire import Corrected
from tests.controller.checks.samples import TODAY
from tests.controller.correcting import HELD, REFUSED, Upstreams, application, doors, number
from tests.controller.test_corrections import code_of


class Cut(Exception):
    """The power went."""


class Power:
    """Lets a centre do so many durable things more, and then it is gone."""

    def __init__(self, desk: Upstreams, things: int) -> None:
        self._ledger, self._post, self.left = desk.centre.ledger, desk.judge._post, things
        desk.intake._changes._ledger = desk.judge._ledger = self
        desk.judge._post = self._cutting_post

    def __getattr__(self, name: str) -> object:
        return getattr(self._ledger, name)

    async def write(self, change):
        self._spend()
        return await self._ledger.write(change)

    def _cutting_post(self, event):
        self._spend()
        return self._post(event)

    def _spend(self) -> None:
        if not self.left:
            raise Cut
        self.left -= 1


THINGS = {"refused": 4, "held": 5}  # announced, stored, (the held one ended,) verdict stored, told


@pytest.mark.parametrize(
    ("wrong", "things"), [(wrong, things) for wrong, most in THINGS.items() for things in range(most)]
)
async def test_cut_short_anywhere_the_same_correction_is_made_once_after_the_next_start(tmp_path, wrong, things):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **{"refused": REFUSED, "held": HELD}[wrong])])
        Power(desk, things)
        with pytest.raises(Cut):
            await desk.correct(1, 1, application(1))
    async with doors(tmp_path) as desk:
        assert isinstance(await desk.correct(1, 1, application(1)), Corrected)
        await desk.until_told(1, (1, "dispatched"))
        assert desk.told(1).count((1, "accepted")) == 1
        assert desk.told(1).count((0, "refused")) == 1
        await desk.settled()
        desk.check_laws()
        desk.verify()


async def test_a_correction_is_whole_with_as_many_durable_things_as_are_cut_above(tmp_path):
    for wrong, content in (("refused", REFUSED), ("held", HELD)):
        async with doors(tmp_path / wrong) as desk:
            await desk.bring(1, [application(1, **content)])
            Power(desk, THINGS[wrong])
            assert isinstance(await desk.correct(1, 1, application(1)), Corrected)


async def test_what_was_begun_and_cut_short_is_gone_on_with_or_left_out(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD)])
        Power(desk, 1)
        with pytest.raises(Cut):
            await desk.correct(1, 1, application(1, **REFUSED))
    async with doors(tmp_path) as desk:
        assert code_of(await desk.correct(1, 1, application(1))) == "correct.conflict"
        assert code_of(await desk.correct(1, 3, application(1))) == "correct.revision"
        assert isinstance(await desk.correct(1, 2, application(1)), Corrected)
        assert code_of(await desk.correct(1, 1, application(1, **REFUSED))) == "correct.revision"
        await desk.until_told(1, (2, "dispatched"))
        await desk.settled()
        desk.check_laws()
        desk.verify()


async def test_what_was_cut_short_is_gone_on_with_on_another_day_as_of_the_day_it_came(tmp_path):
    async with doors(tmp_path) as desk:
        await desk.bring(1, [application(1, **HELD)])
        Power(desk, 1)
        with pytest.raises(Cut):
            await desk.correct(1, 1, application(1))
    async with doors(tmp_path) as desk:
        desk.centre.clock.epoch_floor_s += 3 * 86_400
        assert isinstance(await desk.correct(1, 1, application(1)), Corrected)
        assert desk.reader.announced(correction_number(number(1), 1, 0)).received_on == TODAY
