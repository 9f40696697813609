"""The command line's packing commands: piles, the exit check, consignments, manifests, arrivals."""

from __future__ import annotations

import sys
from itertools import zip_longest
from json import dumps
from pathlib import Path
from typing import Annotated, Any

import typer

from controller.commandline import show
from controller.commandline.options import BELOW_ZERO, AsName, ConfigPath, DataPath, JsonPath, ask, looking
from controller.config import ConfigError
from controller.packing.page import manifest_page

ScannedPath = Annotated[
    str,
    typer.Option("--scanned", help="File with the bundles scanned at the door, `-` reads the scanner."),
]
SIGNATURE_SUFFIX = ".sig"  # as `evidence.manifests` has it, which would load cryptography here
CsvPath = Annotated[
    Path | None, typer.Option("--csv", help="Write the manifest to this file, its signature to FILE.sig.")
]
CheckPath = Annotated[Path | None, typer.Option("--check", help="Compare with this file, which was carried away.")]
HtmlPath = Annotated[Path | None, typer.Option("--html", help="Write the page to be printed to this file.")]


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    looking(app, "piles", "Good cards whose bundle did not scan whole. They wait for two people.")
    app.command("consignments")(_consignments)
    app.command("dispatch")(_dispatch)
    app.command("manifest")(_manifest)
    app.command("arrived", context_settings=BELOW_ZERO)(_arrived)


def _consignments(
    uncounted: Annotated[
        bool, typer.Option("--uncounted", help="Only what no station counted, the oldest first.")
    ] = False,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Show what was sent to whom, and what arrived. Also boxes, the difference, and how long it is open."""
    args = {"uncounted": True} if uncounted else {}
    show.answer("consignments", ask("consignments", args, as_name, config, data), json)


def _dispatch(
    batch_number: Annotated[str, typer.Argument(help="25 digits")],
    scanned: ScannedPath = "",
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Send off what is bundled of a batch. What was scanned must be just that, each bundle once."""
    args: dict[str, Any] = {"batch_number": batch_number}
    if scanned:
        read = sys.stdin.buffer.read() if scanned == "-" else Path(scanned).read_bytes()
        args["scanned"] = bundles_in(read.decode("utf-8-sig", "replace"))
    show.done("sent", ask("dispatch", args, as_name, config, data), json)


def _manifest(
    consignment: Annotated[int, typer.Argument(help="The consignment's number, as `consignments` shows it.")],
    csv: CsvPath = None,
    html: HtmlPath = None,
    check: CheckPath = None,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Show what a consignment holds, or write its manifest. The same bytes each time, its signature beside them."""
    result = ask("manifest", {"consignment_id": consignment}, as_name, config, data)
    file = result["csv"].encode("utf-8")
    if check is not None:
        _compare(check.read_bytes(), file)
    signature = result.get("signature")
    if csv is not None:
        csv.write_bytes(file)
        if signature:
            csv.with_name(csv.name + SIGNATURE_SUFFIX).write_text(dumps(signature) + "\n", "utf-8")
    if html is not None:
        html.write_text(manifest_page(file), "utf-8")
    if json:
        show.write_json(result, json)
        return
    if csv is None and html is None and check is None:
        show.answer("manifest", {name: value for name, value in result.items() if name not in ("csv", "signature")}, "")
    print(f"sha256 {result['sha256']}")


def _compare(kept: bytes, file: bytes) -> None:
    """Say whether a file that was carried away is still what the ledger says; if not, the command ends with 1."""
    line = first_difference(kept, file)
    if line:
        print(f"cardmill: line {line} of the file is not what the ledger says now: one was changed", file=sys.stderr)
        raise typer.Exit(1)
    print("the file is what the ledger says, to the byte")


def _arrived(
    consignment: Annotated[int, typer.Argument(help="The consignment's number, as `consignments` shows it.")],
    unit: Annotated[str, typer.Argument(help="The police station that counted.")],
    cards: Annotated[int, typer.Argument(help="The cards it counted.", min=0)],
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Enter what a police station counted. A later count replaces it."""
    args = {"consignment_id": consignment, "unit": unit, "cards": cards}
    show.done("counted", ask("arrived", args, as_name, config, data), json)


def first_difference(kept: bytes, file: bytes) -> int:
    """Give the first line (from 1) in which two files differ, 0 when they are the same to the byte."""
    if kept == file:
        return 0
    pairs = zip_longest(kept.split(b"\n"), file.split(b"\n"))
    return next(number for number, (mine, other) in enumerate(pairs, 1) if mine != other)


def bundles_in(text: str) -> list[int]:
    """Give the bundle numbers of a scanner's text, between spaces or on lines of their own, as often as they stand.

    Raises: ConfigError: something else stands there.
    """
    words = text.split()
    for word in words:
        if not (word.isascii() and word.isdigit() and len(word) < 16):
            raise ConfigError(f"{word[:32]!r} is no bundle's number: scan the labels of bundles only")
    return [int(word) for word in words]
