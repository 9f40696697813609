"""The command line's audit: verify, show and export what the ledger holds, from the data folder itself.

No service is asked: one may work there meanwhile, or none, or the folder may be a copy in somebody else's hands.
What reads the ledger loads SQLAlchemy: each command imports it for itself, so that no other command waits for it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from controller.audit.errors import Unreadable
from controller.clock import floor_text
from controller.commandline import show as shown
from controller.commandline.options import ConfigPath, DataPath, JsonPath, require_no_person
from controller.commandline.progress import bar
from controller.commandline.trace import floor_s
from controller.config import ConfigError, load_config
from controller.core.record_moves import TablesFolded

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from controller.audit.history import History
    from controller.ledger.verify.report import Verified
    from controller.trace.moves import Told

FAULTY = 1
LIMIT = 50

audit = typer.Typer(help="Prove that nothing was changed or lost; who did what.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    app.add_typer(audit, name="audit")


@audit.command()
def verify(
    against: Annotated[
        list[Path] | None, typer.Option(help="Receipts an upstream kept (JSON lines), or a manifest; may be repeated.")
    ] = None,
    head: Annotated[list[str] | None, typer.Option(help="A head somebody wrote down, NUMBER:HASH.")] = None,
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Compute all of ledger and vault anew and compare. Exit code 0: sound; 1: faults."""
    from controller.audit.carried import head_in, look_at
    from controller.audit.verification import as_json, verify_folder

    settings = load_config(config)
    folder, url = data or settings.service.path(), settings.storage.url
    carried, heads = [look_at(path) for path in against or []], [head_in(text) for text in head or []]
    with bar() as tell:
        report = verify_folder(folder, url, carried, heads, tell, settings)
    if json:
        shown.write_json(as_json(report), json)
    else:
        print("\n".join(report_lines(report)))
    if not report.sound:
        raise typer.Exit(FAULTY)


@audit.command()
def show(
    move: Annotated[int, typer.Option(help="One move, by its number.", min=0)] = 0,
    card: Annotated[str, typer.Option(help="The first moves about a card: its number, or 22 digits.")] = "",
    batch: Annotated[
        str, typer.Option(help="The first moves about a batch and its cards: its number here, or 25 digits.")
    ] = "",
    by: Annotated[str, typer.Option(help="The last moves a person stands behind.")] = "",
    since: Annotated[str, typer.Option(help="The first moves from a floor time on, like 2026-03-02T08:00.")] = "",
    limit: Annotated[int, typer.Option(help="At most so many.", min=1, max=100_000)] = LIMIT,
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Show moves: number, floor time, what each says, who stands behind it. Without a choice the last ones."""
    if sum(map(bool, (move, card, batch, by, since))) > 1:
        raise ConfigError("say one of --move, --card, --batch, --by, --since")
    require_no_person(card)
    for option, said in {"--card": card, "--batch": batch}.items():
        if said and not (said.isascii() and said.isdigit()):
            raise ConfigError(f"{option} {said!r}: wanted are digits")
    from controller.audit.history import History

    with _ledger(config, data) as ledger:
        # one more than is shown tells that there are more
        told, missing = _asked(History(ledger), _Asked(move, card, batch, by, since), limit + 1)
    if not told:
        print(f"cardmill: there is no {missing}", file=sys.stderr)
        raise typer.Exit(FAULTY)
    if len(told) > limit:
        told = told[:limit] if card or batch or since else told[-limit:]
        print(f"{limit:,} shown, more with --limit", file=sys.stderr)
    if json:
        shown.write_json([_as_json(one) for one in told], json)
        return
    print("\n".join(line for one in told for line in move_lines(one, whole=bool(move))))


class _Asked(NamedTuple):
    """What moves somebody wants to see: one of these, or the last ones."""

    move: int
    card: str
    batch: str
    by: str
    since: str


def _asked(history: History, asked: _Asked, most: int) -> tuple[list[Told], str]:
    """Give the moves, and what there is none of if there are none."""
    if asked.move:
        return history.move(asked.move), f"move {asked.move}: the last one is {history.head().seq}"
    if asked.card:
        return history.card(history.card_called(asked.card), most), f"move about a card {asked.card}"
    if asked.batch:
        return history.batch(history.batch_called(asked.batch), most), f"move about a batch {asked.batch}"
    if asked.by:
        return history.by(asked.by, most), f"move that {asked.by!r} stands behind"
    if asked.since:
        return history.since(floor_s(asked.since, "--since"), most), f"move since {asked.since}"
    return history.last(most), "move yet"


@audit.command("export")
def export_moves(
    file: Annotated[str, typer.Argument(help="Where the lines of JSON go, `-` for standard output.")],
    config: ConfigPath = None,
    data: DataPath = None,
) -> None:
    """Write every move as a line of JSON, and the head; docs/audit.md says how anyone computes the chain from it."""
    from controller.audit.export import export

    with _ledger(config, data) as ledger, bar() as tell:
        if file == "-":
            head = export(ledger, sys.stdout.buffer.write, tell)
            sys.stdout.flush()
        else:
            with _file(Path(file)).open("wb") as out:
                head = export(ledger, out.write, tell)
    print(f"exported: {head.seq:,} moves, head {head.seq}:{head.hash.hex()}", file=sys.stderr)


@audit.command("head")
def show_head(config: ConfigPath = None, data: DataPath = None, json: JsonPath = "") -> None:
    """Say where the chain stands now, to be written down and kept elsewhere, and the last daily head."""
    from controller.audit.history import History

    with _ledger(config, data) as ledger:
        history = History(ledger)
        head, day = history.head(), history.last_day()
    if json:
        last = {"day": day.move.day, "seq": day.seq} if day and isinstance(day.move, TablesFolded) else {}
        shown.write_json({"seq": head.seq, "hash": head.hash.hex(), "last_daily_head": last}, json)
        return
    print(f"{head.seq}:{head.hash.hex()}")
    if day is not None and isinstance(day.move, TablesFolded):
        print(f"last daily head: {day.move.day}, move {day.seq}")
    else:
        print("last daily head: none yet")


def report_lines(report: Verified) -> list[str]:
    """Give a verification's report for people."""
    looked = {"moves": report.moves, "events": report.events, **dict(sorted(report.counts.items()))}
    width = max(map(len, looked))
    lines = [f"  {name:<{width}}  {count:>12,}" for name, count in looked.items()]
    day = f"{report.last_day}, move {report.last_day_seq}" if report.last_day else "none"
    lines = ["looked at", *lines, f"head  {report.head.seq}:{report.head.hash.hex()}", f"last daily head  {day}"]
    lines += [f"note: {note}" for note in report.notes]
    lines += [f"FAULT: {fault}" for fault in report.faults]
    return [*lines, "sound" if report.sound else f"NOT sound: {len(report.faults)} faults"]


def move_lines(told: Told, *, whole: bool = False) -> list[str]:
    """Give a move for people; `whole`: with all its fields."""
    from controller.audit.words import named_fields, people_of, positions_text, sentences_of

    english, chinese = sentences_of(told.move)
    people = people_of(told.move)
    who = f"  [{', '.join(people)}]" if people else ""
    lines = [f"{told.seq:>9}  {floor_text(told.at_floor_s)}  {english}{who}", f"{'':>9}  {'':19}  {chinese}"]
    if whole:
        fields = named_fields(told.move)
        if "mask" in fields:
            fields["positions"] = positions_text(fields.pop("mask"))
        lines += [f"{'':>9}  {name}: {value}" for name, value in fields.items()]
    return lines


def _as_json(told: Told) -> dict[str, Any]:
    from controller.audit.words import named_fields, people_of, sentences_of
    from controller.ledger.journal import TAGS

    english, chinese = sentences_of(told.move)
    return {
        "seq": told.seq,
        "at_floor_s": told.at_floor_s,
        "tag": TAGS[type(told.move)],
        "sentence_en": english,
        "sentence_zh": chinese,
        "people": people_of(told.move),
        "move": named_fields(told.move),
    }


def _place(config: Path | None, data: Path | None) -> tuple[Path, str]:
    settings = load_config(config)
    return data or settings.service.path(), settings.storage.url


@contextmanager
def _ledger(config: Path | None, data: Path | None) -> Iterator[Engine]:
    """Give the ledger to read from.  Raises: AuditError; Unreadable when the database itself cannot be read."""
    from sqlalchemy.exc import DBAPIError

    from controller.audit.verification import opened_ledger
    from controller.ledger.engine import reason_of

    with opened_ledger(*_place(config, data)) as engine:
        try:
            yield engine
        except DBAPIError as error:
            raise Unreadable(f"the ledger cannot be read ({reason_of(error)}): run `cardmill audit verify`") from None


def _file(path: Path) -> Path:
    """Give where a file is to be written.  Raises: ConfigError, before anything is read for it."""
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise ConfigError(f"{path}: wanted is a file in a folder that is there; make the folder first")
    return path
