"""`cardmill submit`: an upstream's file, archive or folder of applications brought to the service."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from controller.asking.conversation import PATIENCE, Patience
from controller.checks.codes import CODES
from controller.commandline import show
from controller.commandline.options import JsonPath
from controller.config import ConfigError
from controller.report.text import wrapped

if TYPE_CHECKING:
    from controller.client import UpstreamClient
    from controller.offline.sending import Outcome

NOT_ACCEPTED = 1
INTERRUPTED = 130
ELSEWHERE = "docs/protocol.md says what to do, under `Error codes`"  # a code of the wire, not of a check


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(submit)


def submit(
    endpoint: Annotated[
        str, typer.Option(envvar="CARDMILL_ENDPOINT", help="The service's door, like tcp://127.0.0.1:5701.")
    ],
    server_key: Annotated[Path, typer.Option(envvar="CARDMILL_SERVER_KEY", help="The service's public key file.")],
    secret: Annotated[Path, typer.Option(envvar="CARDMILL_SECRET", help="This upstream's .secret file.")],
    path: Annotated[Path | None, typer.Argument(help="JSON lines, or a package: .xml, .csv, .zip or a folder.")] = None,
    watch: Annotated[
        Path | None, typer.Option(help="Instead: send what is dropped into this folder, until stopped.")
    ] = None,
    due: Annotated[str, typer.Option(help="Due day YYYYMMDD of batches whose header names none.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait for the verdicts, and show their counts.")] = False,
    give_up_s: Annotated[float, typer.Option(min=0.1, help="Silence after which there is no answer.")] = (
        PATIENCE.give_up_s
    ),
    json: JsonPath = "",
) -> None:
    """Send batches to the service, or what is missing of them.

    Shapes: docs/offline.md.
    """
    patience = Patience(answer_within_s=min(PATIENCE.answer_within_s, give_up_s), give_up_s=give_up_s)
    from controller.client import UpstreamClient  # trio and zmq load here, for those who ask the service

    connect = partial(UpstreamClient.connect, endpoint, server_key, secret, patience=patience)
    if (path is None) == (watch is None):
        raise ConfigError("say what is to be sent: a file or folder, or --watch with a folder")
    if watch is not None:
        if json:
            raise ConfigError("--json: a watch has no end; what became of a package stands in done/ and refused/")
        from controller.offline.watch import keep_watch

        keep_watch(watch, connect, due=due, say=lambda line: print(line, flush=True))
        return
    assert path is not None
    try:
        outcomes = _send_all(path, connect, due, wait=wait)
    except KeyboardInterrupt:
        print("cardmill: interrupted: say the same again, and only the rest is sent", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    _tell(outcomes, json)
    if not all(outcome.is_accepted for outcome in outcomes):
        raise typer.Exit(NOT_ACCEPTED)


def _send_all(path: Path, connect: Callable[[], UpstreamClient], due: str, *, wait: bool) -> list[Outcome]:
    """Send every batch of a file that was first read to its end."""
    from controller.offline.package import opened  # these load numpy, which no other command should wait for
    from controller.offline.sending import loads, require_whole, send, with_verdicts

    if path.exists() and not (path.is_file() or path.is_dir()):
        raise ConfigError(f"{path} is no file or folder: what is sent is read more than once")
    count = require_whole(path, due)
    outcomes: list[Outcome] = []
    with opened(path) as one, connect() as client, _progress(count) as tell:
        for load in loads(one, due):
            before = sum(outcome.applications for outcome in outcomes)
            outcome = send(client, load, lambda stored, of, before=before: tell(before + stored))  # type: ignore[misc]
            outcomes.append(outcome)
            tell(before + outcome.applications)
        return [with_verdicts(client, outcome) for outcome in outcomes] if wait else outcomes


@contextmanager
def _progress(count: int) -> Iterator[Callable[[int], None]]:
    """Show people on standard error how far it is."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task("stored", total=count)
        yield lambda done: bars.update(bar, completed=done)


def _tell(outcomes: list[Outcome], json: str) -> None:
    rows = [{**msgspec.structs.asdict(outcome), "codes": list(outcome.codes)} for outcome in outcomes]
    if json:
        show.write_json({"batches": rows}, json)
        return
    for outcome in outcomes:
        counts = "".join(f"; {name.replace('_', ' ')} {outcome.counts[name]:,}" for name in _worth_telling(outcome))
        print(f"{outcome.batch_number}: {outcome.applications:,} applications, {outcome.state}{counts}")
        for code in outcome.codes:
            sentence = f"{CODES[code].en} {CODES[code].zh}" if code in CODES else ELSEWHERE
            print("\n".join(f"  {line}" for line in wrapped(f"{code}: {sentence}", 78)))
    if any(outcome.counts.get(verdict) for outcome in outcomes for verdict in ("refused", "held")):
        print("why: the receipt of each says it; so does `cardmill check`, but for the history")


def _worth_telling(outcome: Outcome) -> list[str]:
    """Give the counts that say more than the number of applications: those above 0."""
    return sorted(name for name, number in outcome.counts.items() if number and name != "received")
