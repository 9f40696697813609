"""`cardmill replay`: the whole record decided anew from a data folder, without a service."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from controller.clock import floor_text
from controller.commandline import show
from controller.commandline.options import DIGITS_MAX, ConfigPath, JsonPath
from controller.commandline.progress import bar
from controller.commandline.trace import floor_s
from controller.config import load_config

if TYPE_CHECKING:
    from controller.core.moves import AnyMove
    from controller.replay.replay import Difference, Replayed, Until
    from controller.replay.standing import Standing

NOT_EQUAL = 1


def add_to(app: typer.Typer) -> None:
    """Add this command."""
    app.command()(replay)


def replay(
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="DATA", help="The data folder, else that of the settings.", show_default=False),
    ] = None,
    until: Annotated[
        str, typer.Option("--until", help="Up to a floor time like 2026-03-02T08:00, or to a move's number.")
    ] = "",
    config: ConfigPath = None,
    json: JsonPath = "",
) -> None:
    """Decide the whole record anew and compare. Exit code 0: equal; 1: it differs.

    Feeds every recorded event with its stamp to a fresh foreman and compares each move with the ledger's own: says
    where the first one differs, or that all are equal, and how the floor stood then. Needs no service; one may work.
    """
    from sqlalchemy.exc import DBAPIError

    from controller.audit.errors import Unreadable
    from controller.audit.verification import opened_ledger
    from controller.ledger.engine import reason_of
    from controller.replay.replay import replay_ledger, require_schema

    settings, end = load_config(config), _until(until)
    began_s = time.monotonic()
    with opened_ledger(folder or settings.service.path(), settings.storage.url) as ledger, bar() as tell:
        try:
            require_schema(ledger)
            found = replay_ledger(ledger, settings.core(), end, tell)
        except DBAPIError as error:
            raise Unreadable(f"the ledger cannot be read ({reason_of(error)}): run `cardmill audit verify`") from None
    took_s = time.monotonic() - began_s
    if json:
        show.write_json(as_json(found, took_s), json)
    else:
        print("\n".join(lines(found, took_s)))
    if not found.is_equal:
        raise typer.Exit(NOT_EQUAL)


def _until(text: str) -> Until:
    """Give where to end.  Raises: ConfigError."""
    from controller.replay.replay import Until

    if not text:
        return Until()
    if text.isascii() and text.isdigit() and len(text) <= DIGITS_MAX:
        return Until(move_seq=int(text))
    return Until(at_floor_s=floor_s(text, "--until"))


def lines(found: Replayed, took_s: float) -> list[str]:
    """Give what a replay came to, for people."""
    from controller.replay.standing import standing_of

    said = [
        f"replayed  {found.events:,} events of {found.runs:,} runs: {found.moves:,} moves in {took_s:,.1f} s",
        f"up to     {floor_text(found.last_floor_s)}, move {found.head.seq}",
        f"digest    {found.head.seq}:{found.head.hash.hex()}",
        *(f"note: {note}" for note in notes(found)),
        *_standing_lines(standing_of(found.state)),
    ]
    if found.difference is None:
        return [*said, "equal: every move came out as it is recorded"]
    return [*said, *_difference_lines(found.difference)]


def notes(found: Replayed) -> list[str]:
    """Give what somebody should know who believes, or wonders at, a replay."""
    said = []
    if found.runs_untold:
        said.append(f"{found.runs_untold:,} runs did not record their settings: those of --config were taken")
    if found.runs_of_others:
        said.append(
            f"{found.runs_of_others:,} runs were made by another program: where moves differ, that may be the reason"
        )
    said += [
        f"a backup that ended at move {seq:,} was restored: what came after it, until then, is not recorded"
        for seq in found.restores
    ]
    if found.purged:
        said.append(f"the personal data of {found.purged:,} batches was destroyed: a replay needs none of it")
    return said


def _difference_lines(difference: Difference) -> list[str]:
    where = f"event {difference.event_seq} ({difference.event}), move {difference.move_seq}"
    said = [f"NOT equal: {where}, {floor_text(difference.at_floor_s)}: {difference.why}"]
    for name, move in (("recorded", difference.recorded), ("again", difference.again)):
        if move is not None:
            said.append(f"  {name:<8}  {_told(move)}")
    return [*said, f"  the moves before it: `cardmill audit show --move {max(1, difference.move_seq - 1)}`"]


def _told(move: AnyMove) -> str:
    from controller.audit.words import named_fields, sentences_of

    fields = " ".join(f"{name}={value}" for name, value in named_fields(move).items())
    return f"{sentences_of(move)[0]}: {fields}"


def _standing_lines(standing: Standing) -> list[str]:
    held = sum(bool(one.held_for) for one in standing.stations)
    states: dict[str, int] = {}
    for one in standing.stations:
        states[one.state] = states.get(one.state, 0) + 1
    said = [
        f"cards     {_counts(standing.cards)}",
        f"batches   {standing.batches_open:,} open"
        + (f", the oldest {standing.batches[0].batch_number}" if standing.batches else ""),
        f"stations  {_counts(dict(sorted(states.items())))}; {standing.jobs:,} at work, {held:,} held",
        f"blanks    {_counts(standing.accounts)}",
        f"sheets    {standing.sheets:,}; acts that wait {standing.acts:,}",
    ]
    return said if standing.balanced else [*said, "the accounts of blanks do NOT balance"]


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in counts.items()) or "none"


def as_json(found: Replayed, took_s: float) -> dict[str, Any]:
    """Give what a replay came to, for programs."""
    from controller.replay.standing import standing_of

    return {
        "equal": found.is_equal,
        "events": found.events,
        "moves": found.moves,
        "runs": found.runs,
        "digest": found.head.hash.hex(),
        "last_floor_s": found.last_floor_s,
        "took_s": round(took_s, 3),
        "notes": notes(found),
        "difference": _difference_json(found.difference),
        "state": asdict(standing_of(found.state)),
    }


def _difference_json(difference: Difference | None) -> dict[str, Any] | None:
    from controller.audit.words import named_fields

    if difference is None:
        return None
    told: dict[str, Any] = {
        "event_seq": difference.event_seq,
        "event": difference.event,
        "move_seq": difference.move_seq,
        "at_floor_s": difference.at_floor_s,
        "why": difference.why,
    }
    for name, move in (("recorded", difference.recorded), ("again", difference.again)):
        told[name] = None if move is None else {"move": type(move).__name__, **named_fields(move)}
    return told
