"""The `cardmill` command: the service, its keys, and what operators ask; `docs/commands.md` lists all of it."""

from __future__ import annotations

import sys
from functools import partial
from typing import Annotated

import typer

from controller.accounts.errors import AccountError
from controller.asking.conversation import ClientError, Refused
from controller.audit.errors import AuditError
from controller.backup.errors import BackupError
from controller.commandline import accounts as cli_accounts
from controller.commandline import andon as cli_andon
from controller.commandline import audit as cli_audit
from controller.commandline import backup as cli_backup
from controller.commandline import batches as cli_batches
from controller.commandline import campaign as cli_campaign
from controller.commandline import cases as cli_cases
from controller.commandline import check as cli_check
from controller.commandline import completing, show
from controller.commandline import correct as cli_correct
from controller.commandline import doctor as cli_doctor
from controller.commandline import forecast as cli_forecast
from controller.commandline import holding as cli_holding
from controller.commandline import many as cli_many
from controller.commandline import packing as cli_packing
from controller.commandline import peer_keys as cli_peer_keys
from controller.commandline import proof as cli_proof
from controller.commandline import quality as cli_quality
from controller.commandline import receipts as cli_receipts
from controller.commandline import record as cli_record
from controller.commandline import replay as cli_replay
from controller.commandline import report as cli_report
from controller.commandline import review as cli_review
from controller.commandline import rights as cli_rights
from controller.commandline import stock as cli_stock
from controller.commandline import submit as cli_submit
from controller.commandline import top as cli_top
from controller.commandline import trace as cli_trace
from controller.commandline import vault_keys as cli_vault_keys
from controller.commandline import watch as cli_watch
from controller.commandline.exit_codes import INTERRUPTED, NO_ANSWER, REFUSED, USAGE, hint_for
from controller.commandline.options import (
    CARD_HELP,
    DIGITS_MAX,
    AsName,
    ConfigPath,
    DataPath,
    JsonPath,
    arguments,
    ask,
    card_number,
    looking,
    require_no_person,
)
from controller.config import ConfigError, load_config
from controller.core.acts import ACTS
from controller.evidence.errors import EvidenceError
from controller.ledger.errors import LedgerError
from controller.offline.errors import PackageError
from controller.replay.errors import ReplayError
from controller.vault.errors import VaultError
from devices.keys import LinkError

USAGE_ERRORS = (
    AccountError,
    ConfigError,
    LinkError,
    VaultError,
    LedgerError,
    BackupError,
    AuditError,
    PackageError,
    EvidenceError,
    ReplayError,
)

app = typer.Typer(
    help="The controller of an ID-card production centre.",
    epilog="Exit codes: 0 done; 1 the service said no, or had to stop; 2 wrong use, settings or files; 3 no answer;"
    " 130 interrupted. Every command has --help; docs/commands.md lists all of them. CARDMILL_AS says who you are.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=True,
)
keys = typer.Typer(help="Key pairs of peers, and who may connect as what.", no_args_is_help=True)
app.add_typer(keys, name="keys")
cli_peer_keys.add_keys_to(keys)
cli_vault_keys.add_keys_to(keys)


def main() -> None:
    """Run the command; an error is a sentence on standard error, never a traceback."""
    try:
        app(standalone_mode=True)
    except USAGE_ERRORS as error:
        fail(error, USAGE)
    except Refused as error:
        fail(error, REFUSED)
    except ClientError as error:
        fail(error, USAGE if error.code.startswith("keys.") else NO_ANSWER)
    except KeyboardInterrupt:
        fail("interrupted", INTERRUPTED)
    except OSError as error:
        fail(f"{error.filename or 'a file'}: {error.strerror or error}", USAGE)


def fail(error: object, code: int) -> None:
    """Say what happened, and what helps where the error does not say it; end with a code."""
    print(f"cardmill: {error}", file=sys.stderr)
    hint = hint_for(error)
    if hint:
        print(f"  hint: {hint}", file=sys.stderr)
    sys.exit(code)


# ---- the service ----------------------------------------------------------------------------------------------


@app.command()
def serve(
    config: ConfigPath = None,
    data: DataPath = None,
    accept_restored: Annotated[
        bool, typer.Option("--accept-restored", help="Start on a ledger out of a backup: read docs/backup.md first.")
    ] = False,
) -> None:
    """Run the service until SIGTERM or SIGINT."""
    settings = load_config(config)
    import trio  # this, SQLAlchemy, numba and the codec load here, not for every small command

    from controller.logs import configure_logs
    from controller.service import run_service

    configure_logs()
    code, sentence = trio.run(partial(run_service, settings, data, accept_restored=accept_restored))
    if code:
        fail(sentence, code)


# ---- what operators look at -----------------------------------------------------------------------------------


for _verb, _help in {
    "stations": "Every station with its state and its age.",
    "stock": "Where the blanks are.",
    "stopped": "Cards that wait for a person.",
    "suspects": "Positions whose fate is unknown.",
    "acts": "Two-person acts that wait for a second person.",
}.items():
    looking(app, _verb, _help)
_ROOMS = (
    cli_andon,
    cli_review,
    cli_report,
    cli_replay,
    cli_trace,
    cli_packing,
    cli_stock,
    cli_forecast,
    cli_quality,
    cli_batches,
    cli_holding,
    cli_cases,
    cli_campaign,
    cli_rights,
    cli_vault_keys,
    cli_accounts,
    cli_audit,
    cli_receipts,
    cli_backup,
    cli_check,
    cli_proof,
    cli_submit,
    cli_correct,
    cli_doctor,
    cli_top,
    cli_watch,
)
for _room in _ROOMS:
    _room.add_to(app)
cli_record.add_to(app, cli_audit.audit, keys)


@app.command()
def why(
    thing: Annotated[
        list[str],
        typer.Argument(help="A station; a card's number or 22 digits; a batch's 25 digits; `sheet N` or `card N`."),
    ],
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Say why a card, sheet, batch or station is where it is."""
    named = " ".join(thing)
    require_no_person(named)
    if named.isascii() and named.isdigit() and len(named) <= DIGITS_MAX:
        named = f"card {named}"  # as `review` and `stopped` show it
    result = ask("why", {"thing": named}, as_name, config, data)
    if json:
        show.write_json(result, json)
        return
    lines = [result["sentence_en"], result["sentence_zh"], *(f"  {other}" for other in result["beaten"])]
    print("\n".join(lines))


# ---- what operators do ----------------------------------------------------------------------------------------


def acts_help() -> str:
    """Name every act with its arguments."""
    acts = [" ".join([verb, *(f"{name}=" for name in ACTS[verb][0])]) for verb in sorted(ACTS)]
    return f"One of: {'; '.join(acts)}."


@app.command()
def decide(
    decision: Annotated[
        str, typer.Argument(help="release, refuse, cancel, resume or refuse_late", autocompletion=completing.decisions)
    ],
    reason: Annotated[str, typer.Option(help="Why; it stays in the audit. Of many cards a short word.")],
    card: Annotated[str, typer.Argument(help=CARD_HELP, show_default=False)] = "",
    from_path: cli_many.FromPath = "",
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Decide about a held or stopped card. Or about all of a file."""
    if from_path or not card:
        cards = cli_many.chosen([card] if card else None, from_path)
        args = {"decision": decision, "reason": reason}
        cli_many.act_on("decide", "decided", args, cards, (as_name, config, data), json)
        return
    number = card_number(card, as_name, config, data)
    result = ask("decide", {"card": number, "decision": decision, "reason": reason}, as_name, config, data)
    recorded = (result or {}).get("decision", decision)
    if recorded != decision and not json:
        print(f"recorded as {recorded}: the card was never accepted, so it cannot be cancelled")
        return
    show.done("decided", result, json)


@app.command()
def act(
    verb: Annotated[str, typer.Argument(help=acts_help(), autocompletion=completing.acts)],
    args: Annotated[
        list[str] | None,
        typer.Argument(help="NAME=VALUE …, like sheets=50 lot=A7.", autocompletion=completing.act_arguments),
    ] = None,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Propose an act that takes two people. Another person agrees with `second`."""
    said = arguments(args or [])
    if isinstance(said.get("card"), str):
        said["card"] = card_number(str(said["card"]), as_name, config, data)
    result = ask("act", {"verb": verb, "args": said}, as_name, config, data)
    if json:
        show.write_json(result, json)
        return
    number = result["act_id"]
    print(f"proposed as act {number}: another person agrees with `cardmill second {number}`")


@app.command()
def second(
    act_id: Annotated[int, typer.Argument(help="The act's number, as `acts` shows it.")],
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Agree, as the second person, to an act."""
    show.done("done by two people", ask("second", {"act_id": act_id}, as_name, config, data), json)


@app.command()
def withdraw(
    act_id: Annotated[int, typer.Argument(help="The act's number, as `acts` shows it.")],
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Take back a proposed act that nobody agreed to."""
    show.done("withdrawn", ask("withdraw", {"act_id": act_id}, as_name, config, data), json)


if __name__ == "__main__":
    main()
