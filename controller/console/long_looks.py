"""Looks that may take seconds: they go on after the page has answered, and the page comes back for what they found."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import structlog
import trio
from sqlalchemy.exc import DBAPIError

from controller.console.console import VerbRefused
from controller.core.errors import CoreError
from controller.ledger.errors import LedgerError
from controller.wire import Refusal

log = structlog.get_logger()
KEPT = 16  # answers
UNDER_WAY_MAX = 8
PATIENCE_S = 0.12  # real seconds a page waits: what is quick is shown at once
FRESH_S = 30.0  # real seconds for which an answer is good that another look could change
BUSY = Refusal(code="busy", text="many long looks are under way: try again in a few seconds")
Ask = Callable[[], Awaitable[Any]]


@dataclass(slots=True)
class _Look:
    began: float
    over: trio.Event = field(default_factory=trio.Event)
    found: Any = None
    refused: VerbRefused | None = None


class LongLooks:
    """Begins looks in a nursery, one for each key, and keeps a few answers."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._looks: OrderedDict[Hashable, _Look] = OrderedDict()

    async def at(self, key: Hashable, ask: Ask, fresh_s: float = FRESH_S) -> Any | None:
        """Give what `ask` found within the last `fresh_s`, None while it looks.  Raises: VerbRefused, told once.

        The caller has made sure that whoever comes may see it: who asks second gets the first one's answer.
        """
        look = self._looks.get(key)
        if look is not None and look.over.is_set() and trio.current_time() - look.began > fresh_s:
            look = None
        if look is None:
            self._make_room()
            look = self._looks[key] = _Look(trio.current_time())
            self._nursery.start_soon(self._run, look, ask)
        self._looks.move_to_end(key)
        with trio.move_on_after(PATIENCE_S):
            await look.over.wait()
        if look.refused is not None:
            self._looks.pop(key, None)
            raise look.refused
        return look.found if look.over.is_set() else None

    async def _run(self, look: _Look, ask: Ask) -> None:
        try:
            look.found = await ask()
        except VerbRefused as error:
            look.refused = error
        except (LedgerError, CoreError, DBAPIError) as error:  # it concerns this look, and nobody else
            code = getattr(error, "code", "") or type(error).__name__
            log.error("a look of the console failed", code=code)
            look.refused = VerbRefused(Refusal(code=code, text="this could not be read from the ledger: see the log"))
        finally:
            look.over.set()

    def _make_room(self) -> None:
        """Forget the oldest answers.  Raises: VerbRefused: too many look already."""
        if sum(not one.over.is_set() for one in self._looks.values()) >= UNDER_WAY_MAX:
            raise VerbRefused(BUSY)
        over = [key for key, one in self._looks.items() if one.over.is_set()]
        for key in over[: max(0, len(self._looks) - KEPT + 1)]:
            del self._looks[key]
