"""The command line's stock commands: counts, shifts, supplies, open ends, the maker's list."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Protocol

import typer
from rich.console import Console
from rich.progress import track

from controller.asking.conversation import Refused
from controller.commandline import show
from controller.commandline.options import BELOW_ZERO, AsName, ConfigPath, DataPath, JsonPath, ask, line, looking
from controller.config import ConfigError

COLUMNS = ("first_body", "sheets", "lot")
PLACES = "places"  # a column that may be missing
FAILED_SHOWN = 20
ENDS_SHOWN = 40


class Office(Protocol):
    """Somebody's line to the service."""

    def command(self, verb: str, /, **args: Any) -> Any:
        """Ask for a verb, give its result.  Raises: ClientError; of it Refused, where the service says no."""


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    looking(app, "shift", "Which places were counted in this shift, and which were not.")
    looking(app, "supplies", "Films, ribbons, laminates in the stations: lot, sheets left.")
    for name, command in (
        ("count", count),
        ("load", load),
        ("open-ends", open_ends),
        ("stock-list", stock_list),
    ):
        app.command(name, context_settings=BELOW_ZERO if command in (count, load) else None)(command)


def count(
    place: Annotated[str, typer.Argument(help="vault, spoiled, or a laminate station for its magazine.")],
    counted: Annotated[int, typer.Argument(help="Body sheets; of the spoiled: blanks.", min=0)],
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Enter what you counted. What the books have is not told before or after."""
    result = ask("count", {"place": place, "counted": counted}, as_name, config, data)
    show.done("recorded", result if json else {"place": place}, json)


def load(
    station: Annotated[str, typer.Argument(help="The station's name.")],
    kind: Annotated[str, typer.Argument(help="What it is loaded with, like film, ribbon or laminate.")],
    lot: Annotated[str, typer.Argument(help="The maker's lot, for the trace.")],
    units: Annotated[int, typer.Argument(help="The sheets it is good for; 0: the station is empty.", min=0)],
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Enter that a station was loaded with a lot. With none left it gets no work."""
    args = {"station": station, "kind": kind, "lot": lot, "units": units}
    show.done("loaded", ask("load", args, as_name, config, data), json)


def open_ends(as_name: AsName = "", config: ConfigPath = None, data: DataPath = None, json: JsonPath = "") -> None:
    """List what has no closing event yet, the oldest first."""
    result = ask("open_ends", {}, as_name, config, data)
    if json:
        show.write_json(result, json)
        return
    counts = ", ".join(f"{number:,} {kind}" for kind, number in result["counts"].items())
    print(f"open: {counts or 'nothing'}")
    rows = [{"kind": one["kind"], "what": one["name"], "hours": f"{one['age_hours']:,.1f}"} for one in result["rows"]]
    show.answer("Oldest first", rows[:ENDS_SHOWN], "")
    more = sum(result["counts"].values()) - ENDS_SHOWN
    if more > 0:
        print(f"and {more:,} more: the oldest {len(rows):,} are in --json")


# ---- the maker's list -------------------------------------------------------------------------------------------


def stock_list(
    file: Annotated[Path, typer.Argument(help="CSV with the columns first_body, sheets, lot.", dir_okay=False)],
    second: Annotated[bool, typer.Option("--second", help="Agree, as the second person, to this list.")] = False,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Propose to receive the body sheets on the maker's list. With --second, agree to them."""
    rows = read_list(file)
    with line(as_name, config, data) as office:
        done, failed = _agree(office, rows) if second else _propose(office, rows)
    result = {"rows": len(rows), "agreed" if second else "proposed": done, "failed": failed}
    if json:
        show.write_json(result, json)
    else:
        what = "received" if second else "proposed: another person agrees with the same command and --second"
        print(f"{done:,} of {len(rows):,} rows {what}")
        if failed:
            show.answer(f"Failed: {len(failed):,}", failed[:FAILED_SHOWN], "")
        if len(failed) > FAILED_SHOWN:
            print(f"and {len(failed) - FAILED_SHOWN:,} more: see --json")
    if failed:
        raise typer.Exit(1)


def read_list(file: Path) -> list[dict[str, int | str]]:
    """Give the rows of a maker's list: all of them, or none.  Raises: ConfigError, OSError."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, skipinitialspace=True)
            if not set(COLUMNS) <= set(reader.fieldnames or ()):
                raise ConfigError(f"{file.name}: the first line must name the columns {', '.join(COLUMNS)}")
            return [_row(file, reader.line_num, row) for row in reader]
    except (UnicodeDecodeError, csv.Error):
        raise ConfigError(f"{file.name} is not a CSV file in UTF-8") from None


def _row(file: Path, line_number: int, row: dict[str, str | None]) -> dict[str, int | str]:
    first, sheets, lot = ((row[name] or "").strip() for name in COLUMNS)
    for name, value in (("first_body", first), ("sheets", sheets)):
        if not (value.isascii() and value.isdigit() and len(value) <= 15):
            raise ConfigError(f"{file.name}, line {line_number}: {name} is a whole number of at most 15 digits")
    if not 1 <= len(lot) <= 64:
        raise ConfigError(f"{file.name}, line {line_number}: lot is a text of 1 to 64 characters")
    whole: dict[str, int | str] = {"first_body": int(first), "sheets": int(sheets), "lot": lot}
    places = (row.get(PLACES) or "").strip()
    if not places:
        return whole
    if places not in ("1", "8"):
        raise ConfigError(f"{file.name}, line {line_number}: {PLACES} is 8, or 1 for single bodies")
    return whole | {PLACES: int(places)}


def _propose(office: Office, rows: list[dict[str, int | str]]) -> tuple[int, list[dict[str, Any]]]:
    """Propose each row that is not proposed already; give how many were, and which were refused and why."""
    asked = {_key(act["args"]) for act in _open_receipts(office)}
    done, failed = 0, []
    for row in _progress(rows, "proposing"):
        if _key(row) in asked:
            failed.append({**row, "code": "list.proposed", "text": "this row waits for a second person already"})
            continue
        try:
            office.command("act", verb="receive", args=row)
            done += 1
        except Refused as refused:
            failed.append({**row, "code": refused.code, "text": refused.text})
    return done, failed


def _agree(office: Office, rows: list[dict[str, int | str]]) -> tuple[int, list[dict[str, Any]]]:
    """Agree to each row that somebody proposed; give how many were received, and which were not and why."""
    acts = {_key(act["args"]): act["act_id"] for act in _open_receipts(office)}
    done, failed = 0, []
    for row in _progress(rows, "agreeing"):
        if _key(row) not in acts:
            failed.append(
                {**row, "code": "list.not_proposed", "text": "nobody proposed this row, or its time has passed"}
            )
            continue
        try:
            office.command("second", act_id=acts[_key(row)])
            done += 1
        except Refused as refused:
            failed.append({**row, "code": refused.code, "text": refused.text})
    return done, failed


def _open_receipts(office: Office) -> list[dict[str, Any]]:
    return [act for act in office.command("acts") if act["verb"] == "receive"]


def _key(args: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(args.get(name) for name in COLUMNS)


def _progress(rows: list[dict[str, int | str]], word: str) -> Iterator[dict[str, int | str]]:
    yield from track(rows, word, console=Console(stderr=True), transient=True)
