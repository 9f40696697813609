"""Live views: each is rendered once a second for each language, and all who look at it get the same bytes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import trio

from controller.console.slots import filled

Make = Callable[[str], str]  # a language; gives markup in which nothing depends on who looks, but for its slots
Allows = Callable[[str], Callable[[str], bool]]  # somebody's name; says which slots of a view they are given now
PERIOD_S, PING_S = 1.0, 5.0  # real seconds between renderings, and between signs of life when nothing changed
LISTENERS_MAX = 128


class View(NamedTuple):
    """What can be looked at: the reading verb whose right it takes, and how it is rendered."""

    verb: str
    make: Make
    allows: Allows | None = None  # a view without slots has none

    def of(self, markup: str, reader: str) -> str:
        """Give a rendering as one reader has it."""
        return filled(markup, self.allows(reader)) if self.allows else markup


@dataclass(slots=True)
class _Channel:
    """One view in one language."""

    make: Make
    language: str
    listeners: int = 0
    latest: str = ""
    changed: trio.Event = field(default_factory=trio.Event)

    def publish(self, markup: str) -> None:
        """Give the listeners a rendering, unless it is the one they have."""
        if markup != self.latest:
            self.latest, changed = markup, self.changed
            self.changed = trio.Event()
            changed.set()


class Live:
    """Renders what somebody looks at, and nothing else.

    `durable` returns when all that was decided before it was called is on the disk: nothing is shown earlier.
    """

    def __init__(self, views: Mapping[str, View], durable: Callable[[], Awaitable[None]]) -> None:
        self._views, self._durable = views, durable
        self._channels: dict[tuple[str, str], _Channel] = {}
        self._wanted = trio.Event()

    def verb_of(self, name: str) -> str | None:
        """Give the verb whose right a view takes, None where there is no such view."""
        return self._views[name].verb if name in self._views else None

    def has_room(self) -> bool:
        """Say whether one more may listen."""
        return sum(one.listeners for one in self._channels.values()) < LISTENERS_MAX

    def markup(self, name: str, language: str, reader: str = "") -> str:
        """Give a view as it is now, for the page by which somebody will listen to it."""
        view = self._views[name]
        return view.of(view.make(language), reader)

    async def run(self) -> None:
        """Render until cancelled; nothing is done while nobody listens."""
        while True:
            if not self._channels:
                self._wanted = trio.Event()
                await self._wanted.wait()
            await self._render()
            await trio.sleep(PERIOD_S)

    async def listen(
        self, name: str, language: str, is_welcome: Callable[[], bool], reader: str = ""
    ) -> AsyncIterator[bytes]:
        """Give the latest rendering whenever it changed, and a sign of life at times, while somebody is welcome.

        Whoever is slow misses renderings, and holds up nobody.
        """
        view = self._views[name]
        channel = self._channels.setdefault((name, language), _Channel(view.make, language))
        channel.listeners += 1
        self._wanted.set()
        try:
            sent = ""
            while is_welcome():
                if channel.latest != sent:
                    sent = channel.latest
                    yield as_event(view.of(sent, reader))
                    continue
                with trio.move_on_after(PING_S) as quiet:
                    await channel.changed.wait()
                if quiet.cancelled_caught:
                    yield b"event: alive\ndata: \n\n"
            yield b"event: ended\ndata: \n\n"
        finally:
            channel.listeners -= 1
            if not channel.listeners and self._channels.get((name, language)) is channel:
                del self._channels[name, language]

    async def _render(self) -> None:
        made = [(channel, channel.make(channel.language)) for channel in list(self._channels.values())]
        await self._durable()
        for channel, markup in made:
            channel.publish(markup)


def as_event(markup: str) -> bytes:
    """Give markup as a server-sent event named `view`."""
    lines = "".join(f"data: {line}\n" for line in markup.splitlines() if line.strip())
    return f"event: view\n{lines}\n".encode()
