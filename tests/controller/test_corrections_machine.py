"""Whatever order corrections, resends, cancellations, decisions and restarts come in: the laws hold."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from pathlib import Path

import trio
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from controller.core import events as e
from controller.ledger.receipts import FINAL_KINDS
from controller.wire import Corrected, Done, Refusal
from tests.controller.correcting import HELD, REFUSED, application, doors

APPLICATIONS = (1, 2, 3)  # the first is wrong, the second doubtful, the third the person of the second
FIRST = {1: {**REFUSED}, 2: {**HELD}, 3: {"name": "样例乙"}}
CONTENTS = {
    "good": {},
    "doubtful": HELD,
    "wrong": REFUSED,
    "another's number": {"identity_number": "", "name": "样例丁"},  # that of the first: see `_content`
}

which = st.sampled_from(APPLICATIONS)
step = st.one_of(
    st.tuples(st.just("correct"), which, st.integers(-2, 1), st.sampled_from(sorted(CONTENTS))),
    st.tuples(st.just("correct"), which, st.just(0), st.sampled_from(sorted(CONTENTS))),
    st.tuples(st.sampled_from(["cancel", "release", "refuse", "override"]), which),
    st.tuples(st.sampled_from(["resend", "work", "stop printing", "start again"])),
)


class Played:
    """One centre, what was asked of it, and what it answered."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._stack = folder, AsyncExitStack()
        self._last: dict[int, int] = dict.fromkeys(APPLICATIONS, 0)  # revisions that were taken
        self._taken: dict[tuple[int, int], tuple[bytes, Corrected]] = {}
        self._sent = [_content(sequence, FIRST[sequence]) for sequence in APPLICATIONS]

    async def play(self, steps: list[tuple]) -> None:
        await self._open()
        try:
            await self.desk.bring(1, self._sent)
            for name, *args in steps:
                await getattr(self, f"_{name.replace(' ', '_')}")(*args)
                self.desk.check_laws()
            await self._end()
        finally:
            await self._stack.aclose()

    async def _open(self) -> None:
        self.desk = await self._stack.enter_async_context(doors(self._folder))

    # ---- steps -------------------------------------------------------------------------------------------------

    async def _correct(self, sequence: int, ahead: int, content: str) -> None:
        revision = max(1, self._last[sequence] + 1 + ahead)
        encoded = _content(sequence, CONTENTS[content])
        answer = await self.desk.correct(sequence, revision, encoded)
        known = self._taken.get((sequence, revision))
        if known is not None and known[0] == encoded:
            assert answer == known[1], "the same correction again got another answer"
        elif known is not None:
            assert _code(answer) == "correct.conflict"
        elif isinstance(answer, Corrected):
            assert revision == self._last[sequence] + 1, "a revision was left out, and taken"
            self._last[sequence] = revision
            self._taken[sequence, revision] = (encoded, answer)
        elif revision > self._last[sequence] + 1:
            assert _code(answer) == "correct.revision"
        else:
            assert _code(answer) == "correct.too_late"
            assert self.desk.newest(sequence)[1] not in ("held", "")

    async def _resend(self) -> None:
        before = len(self.desk.reader.receipts("north", 0))
        await self.desk.bring(1, self._sent)
        assert before <= len(self.desk.reader.receipts("north", 0))

    async def _cancel(self, sequence: int) -> None:
        await self.desk.cancel(sequence)

    async def _release(self, sequence: int) -> None:
        await self.desk.decide(self.desk.newest(sequence)[0], "release")

    async def _refuse(self, sequence: int) -> None:
        await self.desk.decide(self.desk.newest(sequence)[0], "refuse")

    async def _override(self, sequence: int) -> None:
        card, _ = self.desk.newest(sequence)
        asked = await self.desk.operator("act", verb="override", args={"card": card, "reason": "seen"})
        if isinstance(asked, Done):
            await self.desk.operator("second", "bob", act_id=asked.result["act_id"])

    async def _stop_printing(self) -> None:
        await self.desk.centre.host.post(e.StationReported("print", "stopped", "", 1.0)).wait()

    async def _work(self) -> None:
        await self.desk.centre.host.post(e.StationReported("print", "idle", "", 2.0)).wait()
        await self.desk.settled()

    async def _start_again(self) -> None:
        await self._work()
        await self._stack.aclose()
        self._stack = AsyncExitStack()
        await self._open()

    # ---- the end -----------------------------------------------------------------------------------------------

    async def _end(self) -> None:
        """Decide what is held, make what is accepted, and count the ends."""
        for card in list(self.desk.state.holds):
            await self.desk.decide(card, "refuse")
        await self._work()
        self.desk.check_laws()
        self.desk.verify()
        assert not self.desk.state.batches
        for sequence in APPLICATIONS:
            told = Counter(self.desk.told(sequence))
            assert all(count == 1 for count in told.values()), told
            accepted = [revision for revision, kind in told if kind == "accepted"]
            ended = [revision for revision, kind in told if kind in FINAL_KINDS]
            assert accepted == ended, "an accepted revision has not one final receipt"
            assert sum(kind == "dispatched" for _, kind in told) <= 1
            assert len(accepted) <= 1, "two revisions of one application were accepted"
        tally = self.desk.centre.tally
        assert tally.received == len(APPLICATIONS) + len(self._taken)


def _content(sequence: int, changes: dict[str, str]) -> bytes:
    person = 3 if "identity_number" in changes else None
    rest = {name: value for name, value in changes.items() if name != "identity_number"}
    if sequence == 3 and person is None:
        person = 5  # the number of the second
    return application(sequence, person, **rest)


def _code(answer: object) -> str:
    assert isinstance(answer, Refusal), answer
    return answer.code


@given(st.lists(step, max_size=14))
@example([("correct", 2, 0, "doubtful"), ("release", 2), ("correct", 2, 0, "good"), ("start again",)])
@example([("correct", 1, 0, "good"), ("cancel", 1), ("correct", 1, 0, "good"), ("correct", 1, -1, "good")])
@example([("stop printing",), ("correct", 2, 0, "another's number"), ("override", 2), ("cancel", 2), ("resend",)])
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_one_application_has_at_most_one_good_card_and_every_count_and_answer_holds(steps):
    with tempfile.TemporaryDirectory() as folder:
        trio.run(Played(Path(folder)).play, steps)
