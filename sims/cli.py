"""The `cardmill-sim` command: everything pretend, each over the real protocols.

Exit codes: 0 done; 1 what was to be shown did not hold; 2 wrong use, settings or files; 3 no answer.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from controller.asking.conversation import ClientError
from controller.config import Config, ConfigError
from controller.evidence.errors import EvidenceError
from devices.key_files import read_public
from devices.keys import LinkError
from sims.conformance.errors import NO_ANSWER_CODE, ConformanceError
from sims.demo.options import DemoOptionError, DemoOptions
from sims.errors import UpstreamError
from sims.floor import DEFAULT_FLOOR, FloorError, load_floor
from sims.storm.errors import StormOptionError
from sims.year.days import YEAR_CARDS
from sims.year.errors import YearError

USAGE, NO_ANSWER = 2, 3
DEMO = DemoOptions()

app = typer.Typer(
    help="Everything pretend: stations, people, upstream, a whole demo.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)

StationsDoor = Annotated[str, typer.Option(help="The service's door for stations, like tcp://127.0.0.1:5702.")]
UpstreamsDoor = Annotated[
    str | None,
    typer.Option("--endpoint", "--connect", help="The service's door for upstreams, like tcp://127.0.0.1:5701."),
]
ServerKey = Annotated[Path, typer.Option(help="The service's public key file.")]


@app.command()
def stations(
    endpoint: StationsDoor,
    server_key: ServerKey,
    secrets: Annotated[Path, typer.Option(help="Folder with STATION.secret for each station.")],
    floor: Annotated[Path | None, typer.Option(help="TOML with [[station]] tables; else the default floor.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of cycle times, defects and breakdowns.")] = 1,
    lost_memory: Annotated[bool, typer.Option(help="They ran before, and remember nothing of it.")] = False,
    summary: Annotated[str, typer.Option(help="Write what was simulated as JSON at the end, `-` to show it.")] = "",
) -> None:
    """Run the simulated stations of a whole floor in this process, until SIGTERM or SIGINT."""
    from sims.stations_process import StationsSetting, run_stations

    run_stations(
        StationsSetting(
            endpoint=endpoint,
            server_public=read_public(server_key),
            secrets_folder=secrets,
            floor=DEFAULT_FLOOR if floor is None else load_floor(floor),
            seed=seed,
            lost_memory=lost_memory,
            summary=summary,
        )
    )


@app.command()
def upstream(
    endpoint: UpstreamsDoor = None,
    server_key: Annotated[Path | None, typer.Option(help="The service's public key file.")] = None,
    secret: Annotated[Path | None, typer.Option(help="This upstream's .secret file.")] = None,
    out: Annotated[Path | None, typer.Option(help="Folder for receipts and what was planted.")] = None,
    cards: Annotated[int, typer.Option(min=1, max=1_000_000, help="Applications to send.")] = DEMO.cards,
    seed: Annotated[int | None, typer.Option(min=0, help="Of people, portraits and faults.")] = None,
    bad_share: Annotated[float, typer.Option(min=0, max=0.4, help="With a fault that is refused.")] = DEMO.bad_share,
    hold_share: Annotated[float, typer.Option(min=0, max=0.4, help="With a fault that is held.")] = DEMO.hold_share,
    scenario: Annotated[
        list[str] | None, typer.Option(help="Instead: judge by docs/protocol.md. A name or `all`, may be repeated.")
    ] = None,
    list_: Annotated[bool, typer.Option("--list", help="Name the scenarios.")] = False,
    receipts_key: Annotated[
        Path | None, typer.Option(help="The service's receipts.public: each receipt's signature is verified.")
    ] = None,
    first_due_today: Annotated[bool, typer.Option(help="The first batch is due on the day it is sent.")] = False,
    other_secret: Annotated[Path | None, typer.Option(help="Of a scenario: a second upstream's .secret file.")] = None,
    json: Annotated[str, typer.Option("--json", help="Of scenarios: what came of them; a file, or `-`.")] = "",
) -> None:
    """Send synthetic people's applications and follow the receipts, until every batch is closed.

    With --scenario: judge what serves at --connect, or else a service started here, by docs/protocol.md.
    """
    if list_ or scenario:
        from sims.conformance.run import list_scenarios, run_command

        if list_:
            list_scenarios()
            return
        sys.exit(run_command(scenario or [], endpoint, server_key, secret, other_secret, seed, json, receipts_key))
    if endpoint is None or server_key is None or secret is None or out is None:
        raise UpstreamError("name --endpoint, --server-key, --secret and --out, or a --scenario")
    from sims.upstream import run_upstream  # numpy, zmq and SQLAlchemy load here, not for every small command

    numbers: dict[str, Any] = {"cards": cards, "seed": DEMO.seed if seed is None else seed}
    numbers |= {"bad_share": bad_share, "hold_share": hold_share, "first_due_today": first_due_today}
    run_upstream(endpoint, server_key, secret, out, **numbers, receipt_keys=receipts_key)


@app.command()
def demo(
    cards: Annotated[int, typer.Option(help="Applications.")] = DEMO.cards,
    seed: Annotated[int, typer.Option(help="Of everything that is drawn.")] = DEMO.seed,
    out: Annotated[Path, typer.Option(help="Folder for report.json, report.html and portraits.png.")] = DEMO.out,
    json: Annotated[str, typer.Option("--json", help="The report once more: a file, or `-`.")] = DEMO.json_path,
    kill: Annotated[int, typer.Option(help="Kill the service so many times with -9.")] = DEMO.kills,
    scale: Annotated[float, typer.Option(help="Floor seconds per real second.")] = DEMO.scale,
    bad_share: Annotated[float, typer.Option(help="With a fault that is refused.")] = DEMO.bad_share,
    hold_share: Annotated[float, typer.Option(help="With a fault that is held.")] = DEMO.hold_share,
    console: Annotated[bool, typer.Option("--console", help="Log in with a browser; it runs until Ctrl-C.")] = False,
) -> None:
    """Run a whole centre: service, stations and an upstream as real processes, to packed cards and receipts."""
    from sims.demo.whole import run_demo

    options = DemoOptions(cards, seed, out, json, kill, scale, bad_share, hold_share, console)
    sys.exit(run_demo(options))


@app.command()
def storm(
    seeds: Annotated[str, typer.Option(help="Seeds A:B; B is left out.")] = "0:1000",
    json: Annotated[str, typer.Option("--json", help="The summary for programs: a file, or `-`.")] = "",
    mutant: Annotated[str, typer.Option(help="Let a planted bug meet the seeds until one kills it, or `all`.")] = "",
    jobs: Annotated[int, typer.Option(min=1, max=64, help="Processes.")] = 2,
) -> None:
    """Run whole centres in simulated time, with crashes and faults of every kind, and check every law."""
    from sims.storm.run import run_command

    sys.exit(run_command(seeds, json, mutant, jobs))


@app.command()
def year(
    cards: Annotated[int, typer.Option(min=1, max=YEAR_CARDS, help="Accepted, from 1 January on.")] = YEAR_CARDS,
    seed: Annotated[int, typer.Option(min=0, help="Of everything that is drawn.")] = 1,
    out: Annotated[Path | None, typer.Option(help="Folder for ledger and report; else a temporary one.")] = None,
    json: Annotated[str, typer.Option("--json", help="The figures for programs: a file, or `-`.")] = "",
) -> None:
    """Run a province's calendar year in virtual time, with a ledger on disk, and check every law."""
    from sims.year.command import run_command

    sys.exit(run_command(cards, seed, out, json, Config()))


def main() -> None:
    """Run the command; an error is a sentence on standard error, never a traceback."""
    try:
        app(standalone_mode=True)
    except (
        ConfigError,
        LinkError,
        EvidenceError,
        FloorError,
        UpstreamError,
        DemoOptionError,
        StormOptionError,
        YearError,
    ) as error:
        fail(error, USAGE)
    except ConformanceError as error:
        fail(error, NO_ANSWER if error.code == NO_ANSWER_CODE else USAGE)
    except ClientError as error:
        fail(error, USAGE if error.code.startswith(("keys.", "evidence.")) else NO_ANSWER)
    except OSError as error:
        fail(f"{error.filename or 'a file'}: {error.strerror or error}", USAGE)


def fail(error: object, code: int) -> None:
    """Say what happened and end with a code."""
    print(f"cardmill-sim: {error}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
