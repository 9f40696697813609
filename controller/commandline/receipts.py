"""The command line's receipts: verified by anybody who has the centre's public key, and the key that signs them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from controller.asking.conversation import PATIENCE, Patience
from controller.commandline import show
from controller.commandline.options import AsName, ConfigPath, DataPath, JsonPath
from controller.commandline.which_folder import data_folder
from controller.config import ConfigError
from controller.core.why.sentences import counted
from devices.keys import KeyFileError
from devices.peers import NAME, OPERATOR

if TYPE_CHECKING:
    from controller.evidence.verification import Verification

NOT_SOUND = 1
INTERRUPTED = 130
FAULTS_SHOWN = 20

receipts = typer.Typer(help="Verify signed receipts; the key that signs them.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    app.add_typer(receipts, name="receipts")


@receipts.command()
def verify(
    file: Annotated[Path, typer.Argument(help="Receipts that an upstream kept, as JSON lines.", dir_okay=False)],
    key: Annotated[list[Path], typer.Option(help="The centre's receipts.public; may be repeated.", dir_okay=False)],
    json: JsonPath = "",
) -> None:
    """Verify the signatures of receipts; no service, network or data folder is needed.

    Exit code 0: every line is a receipt with a good signature, and no number is missing between the first and the last;
    1: something is not so; 2: file or key cannot be read.
    """
    from controller.evidence.public_keys import PublicKeys
    from controller.evidence.verification import verify_file

    keys = PublicKeys.read(*key)
    with _bar(file) as tell:
        verification = verify_file(file, keys, tell)
    if json:
        show.write_json(verification.as_json(), json)
    else:
        print("\n".join(report_lines(verification)))
    if not verification.is_sound:
        raise typer.Exit(NOT_SOUND)


@receipts.command()
def fetch(
    endpoint: Annotated[
        str, typer.Option(envvar="CARDMILL_ENDPOINT", help="The service's door, like tcp://127.0.0.1:5701.")
    ],
    server_key: Annotated[Path, typer.Option(envvar="CARDMILL_SERVER_KEY", help="The service's public key file.")],
    secret: Annotated[Path, typer.Option(envvar="CARDMILL_SECRET", help="This upstream's .secret file.")],
    out: Annotated[Path, typer.Option(help="File of JSON lines, new or to be gone on with.", dir_okay=False)],
    key: Annotated[Path | None, typer.Option(help="The centre's receipts.public: nothing else is kept then.")] = None,
    give_up_s: Annotated[float, typer.Option(min=0.1, help="Silence after which there is no answer.")] = (
        PATIENCE.give_up_s
    ),
    json: JsonPath = "",
) -> None:
    """Fetch receipts into a file, each durable there before it is acknowledged. Said again, it goes on."""
    from controller.client import UpstreamClient  # trio and zmq load here, for those who ask the service
    from controller.evidence import kept_receipts

    patience = Patience(answer_within_s=min(PATIENCE.answer_within_s, give_up_s), give_up_s=give_up_s)
    connect = UpstreamClient.connect(endpoint, server_key, secret, patience=patience, receipt_keys=key)
    try:
        with connect as client, kept_receipts.KeptReceipts(out) as kept, _counter() as tell:
            fetched, last = kept_receipts.fetch(client, kept, tell), kept.last
    except KeyboardInterrupt:
        print("cardmill: interrupted: say the same again, and it goes on", file=sys.stderr)
        raise typer.Exit(INTERRUPTED) from None
    if json:
        show.write_json({"fetched": fetched, "last": last}, json)
    else:
        print(f"fetched: {counted(fetched, 'receipt|receipts')}; the last is number {last:,}")


@receipts.command("verify-manifest")
def verify_manifest(
    file: Annotated[Path, typer.Argument(help="The manifest that came with the cards, CSV.", dir_okay=False)],
    key: Annotated[list[Path], typer.Option(help="The centre's receipts.public; may be repeated.", dir_okay=False)],
    sig: Annotated[Path | None, typer.Option(help="Its signature, where it is not FILE.sig.", dir_okay=False)] = None,
    json: JsonPath = "",
) -> None:
    """Verify whose a manifest is, and that nothing of it was changed; no service, network or data folder is needed.

    Exit code 0: it is; 1: it is not; 2: file, signature or key cannot be read.
    """
    from controller.evidence import manifests
    from controller.evidence.public_keys import PublicKeys, Standing
    from controller.evidence.verification import FAULTS
    from controller.packing.manifest import digest_of

    keys, content = PublicKeys.read(*key), manifests.read_manifest_file(file)
    signature = manifests.read_signature(sig or file.with_name(file.name + manifests.SUFFIX))
    standing = manifests.standing_of_manifest(keys, signature, content)
    is_sound = standing is Standing.GOOD
    if json:
        about = {"centre": signature.centre, "signer": signature.signer, "sha256": digest_of(content)}
        show.write_json({"sound": is_sound, "standing": standing.value, **about}, json)
    else:
        print(
            f"centre {signature.centre}, signed with {signature.signer}" if is_sound else f"FAULT: {FAULTS[standing]}"
        )
        print("sound" if is_sound else "NOT sound")
    if not is_sound:
        raise typer.Exit(NOT_SOUND)


@receipts.command()
def rotate(as_name: AsName = "", config: ConfigPath = None, data: DataPath = None) -> None:
    """Make another signing key; receipts.public keeps those before. The service must not run."""
    from controller.evidence.signing import PUBLIC_NAME
    from controller.evidence.signing import rotate as make_another
    from controller.ledger.errors import LedgerInUse
    from controller.ledger.lock import lock_folder
    from controller.vault.key_acts import RECEIPTS_ROTATED, KeyAct, note_act

    if not as_name:
        raise ConfigError(f"say who you are: --as NAME, as at your key of the role {OPERATOR}")
    if not NAME.fullmatch(as_name):
        raise KeyFileError("keys.bad_name", repr(as_name))
    folder = data_folder(config, data)
    if not (folder / "keys").is_dir():
        raise ConfigError(f"there is no keys/ in {folder}: name the service's data folder with --data or --config")
    try:
        with lock_folder(folder):
            note_act(folder, KeyAct(RECEIPTS_ROTATED, as_name))
            fresh = make_another(folder / "keys")
    except LedgerInUse as error:
        raise LedgerInUse(error.folder, error.pid, advice="stop it first, then say this again") from None
    print(f"rotated: receipts are signed with {fresh} from the next start on")
    print(f"give every upstream the new {folder / 'keys' / PUBLIC_NAME}: it holds the keys before too")


def report_lines(verification: Verification) -> list[str]:
    """Give a verification for people."""
    found: dict[str, Any] = verification.as_json()
    lines = [f"{counted(found['lines'], 'line|lines')}: {found['good']:,} good"]
    named = {
        "bad": "bad", "foreign": "of a foreign signer", "other_centre": "of another centre's signer",
        "unsigned": "unsigned", "torn": "torn",
        "unreadable": "unreadable", "conflicting": "conflicting", "repeated": "repeated",
    }  # fmt: skip
    lines[0] += "".join(f", {found[name]:,} {words}" for name, words in named.items() if found[name])
    lines += [f"signed with {signer}: {count:,}" for signer, count in found["signers"].items()]
    for stream in found["streams"]:
        span = f"{stream['first']:,} to {stream['last']:,}"
        lines.append(f"centre {stream['centre']}, upstream {stream['upstream']}: numbers {span}")
        if stream["missing"]:
            gaps = [f"{first:,}" if first == last else f"{first:,} to {last:,}" for first, last in stream["gaps"]]
            more = ", …" if len(gaps) > FAULTS_SHOWN else ""
            lines.append(f"  MISSING {stream['missing']:,}: {', '.join(gaps[:FAULTS_SHOWN])}{more}")
    for fault in found["faults"][:FAULTS_SHOWN]:
        receipt = f", receipt {fault['number']:,}" if fault["number"] else ""
        lines.append(f"FAULT: line {fault['line']:,}{receipt}: {fault['text']}")
    faults = found["lines"] - found["good"] + found["conflicting"]
    if faults > FAULTS_SHOWN:
        lines.append(f"{faults - FAULTS_SHOWN:,} more faults: --json tells up to 1,000")
    return [*lines, "sound" if found["sound"] else "NOT sound"]


@contextmanager
def _counter() -> Iterator[Callable[[int, int], None]]:
    """Give what shows how many receipts came; how many are still to come, nobody says beforehand."""
    console = Console(stderr=True)
    columns = (
        BarColumn(),
        TextColumn("{task.completed:,.0f} receipts, up to {task.fields[last]:,}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=None, last=0)
        yield lambda fetched, last: progress.update(task, completed=fetched, last=last)


@contextmanager
def _bar(file: Path) -> Iterator[Callable[[int], None]]:
    """Give what shows progress on a terminal's standard error, and nothing elsewhere."""
    console = Console(stderr=True)
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("", total=file.stat().st_size if file.is_file() else None)
        yield lambda done: progress.update(task, completed=done)
