"""The commands `backup` and `restore`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from controller.backup.manifest import Progress as Tell
from controller.backup.manifest import tell_nobody
from controller.clock import floor_text
from controller.commandline import show
from controller.commandline.options import ConfigPath, DataPath, JsonPath
from controller.commandline.which_folder import data_folder
from controller.config import load_config

Audit = Annotated[bool, typer.Option("--verify", help="Verify the whole ledger, not its end alone. Takes long.")]


def add_to(app: typer.Typer) -> None:
    """Add these commands."""
    app.command()(backup)
    app.command()(restore)


@contextmanager
def progress() -> Iterator[Tell]:
    """Give what is told of a long copy: a bar on standard error at a terminal, nothing elsewhere."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield tell_nobody
        return
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn(), console=console, transient=True
    ) as bars:
        known: dict[str, TaskID] = {}

        def tell(what: str, done: int, whole: int) -> None:
            if what not in known:
                known[what] = bars.add_task(what, total=None)
            bars.update(known[what], completed=done, total=whole or None)

        yield tell


def backup(
    folder: Annotated[Path, typer.Argument(help="Where backups are kept: another disk, another building.")],
    keep: Annotated[int, typer.Option(min=0, help="So many of the newest whole backups stay; 0: all.")] = 0,
    audit: Audit = False,
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Copy ledger and vault, while the service runs or not. No key is in it: back those up with `keys backup`."""
    from controller.backup.take import Source, take_backup

    settings = load_config(config)
    with progress() as tell:
        path, manifest = take_backup(
            Source(data_folder(config, data), settings.storage.url), folder, whole=audit, keep=keep, tell=tell
        )
    if json:
        show.write_json({"path": str(path), **msgspec.to_builtins(manifest)}, json)
        return
    size_mb = sum(file.bytes for file in manifest.files.values()) / 1e6
    print(f"whole: {path}")
    print(f"  {manifest.centre} up to move {manifest.head_seq:,}, {floor_text(manifest.floor_s)}; {size_mb:,.1f} MB")
    print("  no key is in it: without a backup of the keys taken after it, nobody can read its vault")


def restore(
    source: Annotated[Path, typer.Argument(help="One backup: a folder with a backup.json.", metavar="BACKUP")],
    url: Annotated[str, typer.Option(help="An empty PostgreSQL database; without it SQLite in the folder.")] = "",
    audit: Audit = False,
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Fill an empty data folder from a backup. What happened after the backup is lost: read docs/backup.md."""
    from controller.backup.restore import restore_backup

    settings = load_config(config)
    folder = data_folder(config, data)
    with progress() as tell:
        manifest = restore_backup(source, folder, url=url or settings.storage.url, whole=audit, tell=tell)
    if json:
        show.write_json({"folder": str(folder), **msgspec.to_builtins(manifest)}, json)
        return
    print(f"restored: {manifest.centre} up to move {manifest.head_seq:,}, {floor_text(manifest.floor_s)}, in {folder}")
    print("\n".join(_still_to_do(manifest.receipts)))


def _still_to_do(receipts: dict[str, int]) -> list[str]:
    told = ", ".join(f"{name} {number:,}" for name, number in sorted(receipts.items())) or "none"
    return [
        "Lost: every move after that, though cards were made, sent and told of meanwhile.",
        f"  upstreams' last receipts here: {told}; those they hold above that are of the lost time",
        "Now, by docs/backup.md:",
        "  1. put the keys in place: `cardmill keys restore`, and the folder keys/ of the doors",
        "  2. `cardmill audit verify --against` each upstream's receipts",
        "  3. clear the floor, count the blanks, list what left the house",
        "  4. `cardmill serve --accept-restored`: it makes nothing until two people did the act `reconciled`",
    ]
