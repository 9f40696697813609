"""The command line's trace: every card a station touched in a stretch of time, or all that happened to one card."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from controller.clock import floor_text
from controller.commandline import show
from controller.commandline.options import AsName, ConfigPath, DataPath, JsonPath, ask, require_no_person
from controller.config import ConfigError
from controller.report.text import wrapped
from devices.defects import DEFECTS, GOOD

ROWS_SHOWN = 20
PAGES_MAX = 1_000  # of 10,000 rows
BY_ITSELF = "dispatch"  # the foreman's name for itself where it sends what is complete
RULES = {
    "full": "full",
    "waited": "waited as long as it may",
    "no_more": "nothing more could join",
    "next": "first in the queue",
    "same_kind": "set up for its kind",
    "came_back": "came back untouched",
    "single": "a remake on a single body",
}
JOB_COLUMNS = ("step", "started_floor_s", "ended_floor_s", "because", "operator", "lots", "answer")


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    app.command()(trace)


def trace(
    station: Annotated[str, typer.Option(help="The station whose cards are wanted, with --from and --to.")] = "",
    begin: Annotated[str, typer.Option("--from", help="Floor time like 2026-03-02T08:00.")] = "",
    end: Annotated[str, typer.Option("--to", help="Floor time; it is left out itself.")] = "",
    card: Annotated[str, typer.Option(help="A card's number, or the 22 digits of an application.")] = "",
    csv_path: Annotated[
        str, typer.Option("--csv", help="Write the rows to this file; numbers stay text, positions are 1 to 8.")
    ] = "",
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """List the cards a station touched, or one card's history. In --json positions are 0 to 7, -1 for none."""
    if bool(station) == bool(card):
        raise ConfigError("say either --station with --from and --to, or --card")
    if card:
        require_no_person(card)
        found = ask("trace", {"card": card}, as_name, config, data)
        columns, rows = card_rows(found)
    else:
        args = {"station": station, "from_floor_s": floor_s(begin, "--from"), "to_floor_s": floor_s(end, "--to")}
        console = Console(stderr=True)
        with console.status("asking") if console.is_terminal else nullcontext() as bar:
            tell = (lambda rows: bar.update(f"{rows:,} rows so far")) if bar else tell_nobody
            found = pages(lambda after: ask("trace", args | {"after": after}, as_name, config, data), tell)
        columns, rows = station_rows(found)
    if csv_path:
        write_csv(Path(csv_path), columns, rows)
        print(f"written: {csv_path}, {len(rows)} rows", file=sys.stderr)
    if json:
        show.write_json(found, json)
    elif not csv_path:
        print("\n".join(card_lines(found) if card else station_lines(found)))


def floor_s(when: str, option: str) -> float:
    """Give the floor seconds of a time as people type it, in the floor's own clock.  Raises: ConfigError."""
    try:
        return datetime.fromisoformat(when).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise ConfigError(f"{option} {when!r}: wanted is a time like 2026-03-02T08:00") from None


def tell_nobody(rows: int) -> None:
    """Say to nobody how many rows have come."""


def pages(ask_after: Any, tell: Callable[[int], None] = tell_nobody) -> dict[str, Any]:
    """Put all pages of a recall together; `tell` hears after each how many rows there are."""
    whole: dict[str, Any] = ask_after(0)
    after = whole["after"]
    for _ in range(PAGES_MAX):
        if not after:
            break
        page = ask_after(after)
        whole["jobs"] += page["jobs"]
        whole["cards"] += page["cards"]
        tell(len(whole["cards"]))
        after = page["after"]
    whole["after"] = after
    return whole


def station_rows(found: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Give a recall as one table: each card beside what is true of its load."""
    jobs = {job["job_id"]: job for job in found["jobs"]}
    columns = [*found["columns"], *JOB_COLUMNS]
    return columns, [[*row, *(jobs[row[0]][name] for name in JOB_COLUMNS)] for row in found["cards"]]


def card_rows(found: dict[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Give a card's history as one table."""
    columns = list(found["happened"][0]) if found["happened"] else []
    rows = [one | {"people": people_of(one)} for one in found["happened"]]
    return columns, [[row[name] for name in columns] for row in rows]


def write_csv(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write rows as CSV for a spreadsheet: numbers that are names are kept as text, times are readable."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        table = csv.writer(file)
        table.writerow(columns)
        for row in rows:
            table.writerow([cell(name, value) for name, value in zip(columns, row, strict=True)])


def cell(name: str, value: Any) -> str:
    """Give a value as a spreadsheet must see it: `="…"` keeps digits as text, and nobody's text is a formula."""
    if name.endswith("_floor_s"):
        return floor_text(value) if value else ""
    if name == "position":
        return position_text(value)
    if isinstance(value, list):
        value = "; ".join(map(str, value))
    text = "" if name == "blank" and not value else str(value)
    if not text:
        return ""
    if name in ("acceptance_number", "batch_number", "blank", "card", "unit") or text[:1] in ("=", "+", "-", "@"):
        quoted = text.replace('"', '""')
        return f'="{quoted}"'
    return text


def position_text(position: int) -> str:
    """Give a position as people count it, 1 to 8; empty for none."""
    return str(position + 1) if position >= 0 else ""


def people_of(one: dict[str, Any]) -> list[str]:
    """Give who had a part in one thing that happened; what nobody sent was sent by itself."""
    by_itself = one["what"] == "sent" and one["people"] == [BY_ITSELF]
    return ["automatic"] if by_itself else list(one["people"])


# ---- for people ---------------------------------------------------------------------------------------------------


def station_lines(found: dict[str, Any]) -> list[str]:
    """Give a recall for an 80-column screen: sums, loads, and the first cards."""
    place = {name: index for index, name in enumerate(found["columns"])}
    cards = found["cards"]
    different = {row[place["card"]] for row in cards}
    states: dict[str, int] = {}
    for row in cards:
        key = row[place["state"]] if row[place["here"]] else "made again since"
        states[key] = states.get(key, 0) + 1
    sums = (many(len(cards), "position"), many(len(different), "card"), many(len(found["jobs"]), "load"))
    lines = [f"{found['station']}: {sums[0]} of {sums[1]} in {sums[2]}"]
    lines += [f"  {count:>7} {state}" for state, count in sorted(states.items())]
    lots = sorted({lot for job in found["jobs"] for lot in job["lots"]})
    people = sorted({job["operator"] for job in found["jobs"] if job["operator"]})
    lines += [f"  lots: {', '.join(lots) or 'none entered'}", f"  people: {', '.join(people) or 'nobody signed on'}"]
    if not found["complete"]:
        lines.append(f"  lots and people before {floor_text(found['walked_to_floor_s'])} were not looked for")
    lines.append("")
    for row in cards[:ROWS_SHOWN]:
        sheet = f"sheet {row[place['sheet_id']]}/{position_text(row[place['position']]) or '-'}"
        lines.append(
            f"{row[place['acceptance_number']]:<22} {sheet} "
            f"blank {row[place['blank']] or '-'} {row[place['state']]} bundle {row[place['bundle_id']] or '-'}"
        )
    if len(cards) > ROWS_SHOWN:
        lines.append(f"… {len(cards) - ROWS_SHOWN} more: --csv FILE or --json FILE gives all of them")
    return lines


def because_words(because: str) -> str:
    """Give a rule of the plan or a code in words; empty where all was good, and as it is where nothing is better."""
    if because == GOOD:
        return ""
    if because in DEFECTS:
        return f"{because} {DEFECTS[because].en}"
    return RULES.get(because, because)


def many(count: int, noun: str) -> str:
    """Give so many of something in words, like `1 load` or `1,200 cards`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def card_lines(found: dict[str, Any]) -> list[str]:
    """Give a card's history for an 80-column screen, one thing a line."""
    lines = [
        f"card {found['card']} ({found['acceptance_number']}), batch {found['batch_number']}",
        f"  {found['state']}, attempt {found['generation']}, unit {found['unit']}, blank {found['blank'] or '-'}",
        f"  bundle {found['bundle_id'] or '-'}, consignment {found['consignment_id'] or '-'}",
    ]
    if found.get("purged_floor_s"):
        lines.append(f"  its personal data was destroyed on {floor_text(found['purged_floor_s'])}")
    for one in found["happened"]:
        where = f" {one['station']}" if one["station"] else ""
        sheet = f" sheet {one['sheet_id']}/{position_text(one['position']) or '-'}" if one["sheet_id"] else ""
        because = because_words(one["because"])
        because = f" ({because})" if because else ""
        rest = ", ".join([*one["lots"], *people_of(one)])
        what = f"{one['step']} job {one['job_id']}" if one["what"] == "job" else one["what"]
        told = f"{floor_text(one['at_floor_s'])[5:]} {what}{where}{sheet}{because}{f': {rest}' if rest else ''}"
        lines += wrapped(told)
    if not found["complete"]:
        lines.append("the history is longer than was looked through")
    return lines
