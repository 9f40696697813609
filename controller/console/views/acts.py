"""Acts of two people: what waits for a second person, by whom, how long yet, and what it will change."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from controller.console.badges import may_agree, may_withdraw
from controller.console.console import Console

ACTS_SHOWN = 200


def routes(console: Console) -> list[Route]:
    """Give `/acts`."""

    async def page(request: Request) -> Response:
        person = await console.person(request)
        found, roles = await console.ask(person, "acts"), console.roles(person)
        rows = [
            {
                **act,
                "may_agree": may_agree(roles, person.name, act["verb"], act["by"]),
                "may_withdraw": may_withdraw(roles, person.name, act["verb"], act["by"]),
            }
            for act in found
        ]
        rows.sort(key=lambda row: (not row["may_agree"], row["left_s"]))  # what waits for the reader comes first
        return console.page(request, "acts.html", person, acts=rows[:ACTS_SHOWN], total=len(rows))

    return [Route("/acts", page)]
