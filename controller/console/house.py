"""The console's house: all its pages and live views, put together around one desk."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import trio
from starlette.routing import Route

from controller.config import Config
from controller.console.acting import Acting
from controller.console.console import Console, Room, all_routes
from controller.console.guard import Guard, Person
from controller.console.live import Live, View
from controller.console.menu import home_of
from controller.console.pages import Pages
from controller.console.views import (
    acts,
    alarms,
    audit,
    batches,
    bulk,
    campaign,
    card,
    drift,
    events,
    find,
    floor,
    forecast,
    manifest,
    packing,
    quality,
    recall,
    reports,
    review,
    rights,
    settings,
    shift,
    stations,
    stock,
    whatif,
)
from controller.desk.desk import AllBefore, Desk
from controller.desk.rights import roles_of

ROOMS: tuple[Room, ...] = (
    *(events.routes, floor.routes, alarms.routes, stations.routes),
    *(find.routes, card.routes, review.routes, batches.routes, bulk.routes),
    *(stock.routes, shift.routes, acts.routes, packing.routes, manifest.routes),
    *(campaign.routes, audit.routes, settings.routes, rights.routes),
    *(quality.routes, drift.routes, recall.routes, reports.routes),
    *(forecast.routes, whatif.routes),
)


@dataclass(frozen=True, slots=True)
class House:
    """What `console_app` is given: the pages, and where each person begins."""

    desk: Desk
    config: Config
    nursery: trio.Nursery

    def routes(self, guard: Guard, pages: Pages) -> Collection[Route]:
        """Give all pages, and begin to render what is looked at."""
        live = Live(views(pages, self.desk), self._durable)
        self.nursery.start_soon(live.run)
        console = Console(guard, pages, self.desk, self.config, live, self.nursery)
        return [*all_routes(console, ROOMS), *Acting(console).routes()]

    def home_of(self, person: Person) -> str:
        """Give the page somebody begins with."""
        return home_of(roles_of(self.desk, person.name))

    async def _durable(self) -> None:
        await self.desk.ledger.write(AllBefore())


def views(pages: Pages, desk: Desk) -> dict[str, View]:
    """Give the live views by name."""
    return {
        "floor": floor.view(pages, desk),
        "alarms": alarms.view(pages, desk),
        "stations": stations.view(pages, desk),
        "quality": quality.view(pages, desk),
        "acts": acts.view(pages, desk),
        "stock": stock.view(pages, desk),
        "stock-blind": stock.blind_view(pages, desk),
    }
