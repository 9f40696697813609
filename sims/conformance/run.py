"""A run of the kit: the scenarios of `cardmill-sim upstream --scenario`, one after another, and its exit code."""

from __future__ import annotations

import secrets
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from controller.commandline.show import write_json
from devices.key_files import read_pair, read_public
from devices.keys import KeyPair, LinkError
from sims.conformance import on_batches, on_changes, on_contents, on_receipts, on_signatures, on_the_door
from sims.conformance import promises as p
from sims.conformance.cast import Cast
from sims.conformance.errors import ConformanceError, NoAnswer
from sims.conformance.line import Line, Target
from sims.conformance.report import Report, brief, show
from sims.conformance.service import own_service
from sims.conformance.signatures import signer_keys
from sims.conformance.stage import Stage

Scenario = Callable[[Stage], None]
ALL = "all"
SEEDS = 2**31
LIMITS = ("applications_per_chunk", "chunk_bytes", "applications_per_batch", "receipts_per_page")

SCENARIOS: Mapping[str, Scenario] = {
    "good": on_batches.good,
    "duplicates": on_batches.duplicates,
    "gaps": on_batches.gaps,
    "late-chunks": on_batches.late_chunks,
    "day-resent": on_batches.day_resent,
    "conflict": on_batches.conflict,
    "wrong-digest": on_batches.wrong_digest,
    "bad-photos": on_contents.bad_photos,
    "wrong-codes": on_contents.wrong_codes,
    "broken-records": on_contents.broken_records,
    "unknown-version": on_the_door.unknown_version,
    "broken-frames": on_the_door.broken_frames,
    "long-frames": on_the_door.long_frames,
    "limits": on_the_door.limits,
    "flood": on_the_door.flood,
    "who-speaks": on_the_door.who_speaks,
    "old-cursor": on_receipts.old_cursor,
    "cut-link": on_receipts.cut_link,
    "signed": on_signatures.signed,
    "cancelled": on_changes.cancelled,
    "corrected": on_changes.corrected,
    "made-express": on_changes.made_express,
}


def run_command(
    names: Sequence[str],
    endpoint: str | None,
    server_key: Path | None,
    secret: Path | None,
    other_secret: Path | None,
    seed: int | None,
    json_path: str,
    receipts_key: Path | None = None,
) -> int:
    """Run scenarios against an address, or against a service of our own; give 0, or 1 when something did not hold.

    Raises: ConformanceError, NoAnswer, LinkError, OSError.
    """
    chosen = chosen_scenarios(names)
    with _judged(endpoint, server_key, secret, other_secret, receipts_key) as (target, keys, other):
        report = run_scenarios(chosen, target, keys, other, secrets.randbelow(SEEDS) if seed is None else seed)
    if json_path != "-":
        show(report, Console())
    if json_path:
        write_json(report.as_json(), json_path)
    return int(bool(report.failed))


def chosen_scenarios(names: Sequence[str]) -> list[str]:
    """Give the scenarios that are meant, in their order.  Raises: ConformanceError."""
    unknown = [name for name in names if name != ALL and name not in SCENARIOS]
    if unknown:
        raise ConformanceError(f"there is no scenario {unknown[0][:40]!r}: --list names them")
    return [name for name in SCENARIOS if ALL in names or name in names]


def list_scenarios() -> None:
    """Print the scenarios, each with what it does."""
    for name, scenario in SCENARIOS.items():
        print(f"{name:<16} {(scenario.__doc__ or '').strip()}")


def run_scenarios(names: Sequence[str], target: Target, keys: KeyPair, other: KeyPair | None, seed: int) -> Report:
    """Play scenarios one after another and give what came of each expectation.

    Raises: NoAnswer: nobody welcomes us there.
    """
    report = Report(target.endpoint, seed)
    with Line(target, keys) as line, _bar(len(names)) as advance:
        try:
            welcome = line.ask({"type": "hello", "version": 1})
        except LinkError as error:
            raise NoAnswer(f"{error.code}: {error.sentence}") from None
        if welcome.get("type") != "welcome":
            raise NoAnswer(f"{target.endpoint}: a hello was answered with {brief(welcome)}")
        limits = {name: welcome.get("limits", {}).get(name, 0) for name in LIMITS}
        stage = Stage(target, keys, other, line, Cast(seed, welcome["floor_date"]), report, limits)
        stage.name = str(welcome.get("you", ""))
        report.scenario = "hello"
        report.expect(p.LIMITS, "four limits above 0", limits, held=all(limits.values()))
        for name in names:
            advance(name)
            _play(stage, name)
    return report


def _play(stage: Stage, name: str) -> None:
    """Play one scenario; what its answers broke in the kit is an expectation that failed."""
    stage.report.scenario = name
    try:
        stage.started_at = stage.last_receipt()
        SCENARIOS[name](stage)
        stage.expect_order_of_receipts()
    except LinkError as error:
        stage.report.expect(p.ASKED_AGAIN, "the door stays open", f"{error.code}: {error.sentence}", held=False)
        stage.line.cut()
    except (KeyError, TypeError, ValueError, AttributeError) as error:  # an answer without what its table has
        stage.report.expect(p.SHAPES, "answers as in their tables", f"{type(error).__name__}: {error}", held=False)
    line = stage.line
    answered = ", ".join(sorted(set(line.misshapen))) or f"all {line.heard}"
    expected = "every answer has the fields and types of its table"
    stage.report.expect(p.SHAPES, expected, answered, held=not line.misshapen)
    line.heard, line.misshapen = 0, []


@contextmanager
def _judged(
    endpoint: str | None,
    server_key: Path | None,
    secret: Path | None,
    other_secret: Path | None,
    receipts_key: Path | None,
) -> Iterator[tuple[Target, KeyPair, KeyPair | None]]:
    """Give what is judged and who judges it: at an address, or a service of our own."""
    if endpoint is None:
        with own_service() as own:
            yield own.target, own.keys, own.other
        return
    if server_key is None or secret is None:
        raise ConformanceError("--connect also takes --server-key and --secret")
    other = None if other_secret is None else _pair(other_secret)
    signers = None if receipts_key is None else signer_keys(receipts_key)
    yield Target(endpoint, read_public(server_key), signers), _pair(secret), other


def _pair(secret: Path) -> KeyPair:
    return read_pair(secret.parent, secret.stem)


@contextmanager
def _bar(count: int) -> Iterator[Callable[[str], None]]:
    """Show people on standard error how far it is."""
    console = Console(file=sys.stderr)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bars:
        bar = bars.add_task("scenarios", total=count)
        done = iter(range(count))
        yield lambda name: bars.update(bar, description=name, completed=next(done))
