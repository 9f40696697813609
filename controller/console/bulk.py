"""One act about many cards, done in portions while somebody watches: what was chosen, how far it is, what failed."""

from __future__ import annotations

import secrets
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
import trio

log = structlog.get_logger()
PORTION = 500  # cards of one command: see `desk.many`
CARDS_MAX = 10_000  # of one choice
KEPT = 20  # choices that wait for a yes, and runs that can be looked at
WAITING_MAX = 20  # runs that were said yes to and have not begun

Ask = Callable[[list[int]], Awaitable[dict[str, Any]]]  # does a portion: see `desk.many.each_card`


@dataclass(frozen=True, slots=True)
class Choice:
    """Cards that somebody chose, and what is to be done about each."""

    by: str
    verb: str  # of the console's words: `bulk.<verb>`
    args: dict[str, str]
    cards: tuple[int, ...]
    back: str


@dataclass(slots=True)
class Run:
    """How far a choice is done; `failed` are cards with their codes, `texts` what a code says."""

    number: str
    choice: Choice
    through: int = 0
    done: int = 0
    failed: list[tuple[int, str]] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    stopped: str = ""  # the code for which the rest was left undone
    is_over: bool = False

    def take(self, portion: int, said: dict[str, Any]) -> None:
        """Take what came of a portion."""
        self.through += portion
        self.done += said["done"]
        for one in said["failed"]:
            self.failed.append((int(one["card"]), one["code"]))
            self.texts.setdefault(one["code"], one["text"])

    def causes(self) -> list[tuple[str, int]]:
        """Give the codes for which cards failed, the most frequent first."""
        return Counter(code for _, code in self.failed).most_common()


class Stopped(Exception):
    """The service took no further portion; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Bulk:
    """Keeps what was chosen until somebody says yes, then does it: one run after the other, so that the floor works on.

    Both are kept in memory: what a restart takes is the list, and what was done stays done.
    """

    def __init__(self) -> None:
        self._choices: OrderedDict[str, Choice] = OrderedDict()
        self._runs: OrderedDict[str, Run] = OrderedDict()
        self._send, self._queue = trio.open_memory_channel[tuple[Run, Ask]](WAITING_MAX)

    def keep(self, choice: Choice) -> str:
        """Keep a choice until somebody says yes to it; give its number."""
        return _put(self._choices, choice)

    def begin(self, number: str, by: str, ask: Callable[[Choice], Ask]) -> Run | None:
        """Begin a choice of somebody, once; None: there is no such choice, it was begun, or too many wait."""
        choice = self._choices.get(number)
        if choice is None or choice.by != by:
            return None
        run = Run(number, choice)
        try:
            self._send.send_nowait((run, ask(choice)))
        except trio.WouldBlock:
            return None
        del self._choices[number]
        self._runs[number] = run
        _forget(self._runs)
        return run

    def run_of(self, number: str, by: str) -> Run | None:
        """Give somebody's run."""
        run = self._runs.get(number)
        return run if run is not None and run.choice.by == by else None

    async def run(self) -> None:
        """Do what was begun, until cancelled."""
        async for run, ask in self._queue:
            await self._do(run, ask)

    async def _do(self, run: Run, ask: Ask) -> None:
        cards = run.choice.cards
        try:
            for first in range(0, len(cards), PORTION):
                portion = list(cards[first : first + PORTION])
                run.take(len(portion), await ask(portion))
        except Stopped as error:
            run.stopped = error.code
        except Exception as error:  # noqa: BLE001  a task begins here; the service works on
            log.error("an act about many cards failed", kind=type(error).__name__, through=run.through)
            run.stopped = "console.failed"
        finally:
            run.is_over = True


def _put(kept: OrderedDict[str, Choice], choice: Choice) -> str:
    number = secrets.token_urlsafe(16)
    kept[number] = choice
    _forget(kept)
    return number


def _forget(kept: OrderedDict[str, Any]) -> None:
    while len(kept) > KEPT:
        kept.popitem(last=False)
