"""The command line's commands for the vault's keys, and for the purge."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from controller.clock import day_start_floor_s, floor_date
from controller.commandline import show
from controller.commandline.options import AsName, ConfigPath, DataPath, JsonPath, ask
from controller.config import Config, ConfigError, load_config
from controller.core.calendar import DAY_S
from controller.core.why.sentences import counted
from controller.floor_time import read_clock
from controller.ledger.errors import LedgerInUse
from controller.vault.errors import CannotWrite, NotAtHand
from controller.vault.key_acts import BACKED_UP, EXPORTED, RESTORED, ROTATED, KeyAct, note_act
from devices.keys import KeyFileError
from devices.peers import NAME, OPERATOR

Days = Annotated[
    int | None, typer.Option(help="Batches closed more than so many floor days ago; else as long as data is kept.")
]
DAYS_MAX = 36_500

master = typer.Typer(help="The master key, which wraps all batch keys.", no_args_is_help=True)


def add_keys_to(keys: typer.Typer) -> None:
    """Add the commands that work on the key files of a data folder."""
    keys.add_typer(master, name="master")
    keys.command("export")(export)  # the plain name of `keys master export`
    keys.command("backup")(backup)
    keys.command("restore")(restore)


def add_to(app: typer.Typer) -> None:
    """Add this room's commands that ask the service."""
    app.command("purges")(purges)
    app.command("purge")(purge)


# ---- the master key -------------------------------------------------------------------------------------------


@master.command("rotate")
def rotate(as_name: AsName = "", config: ConfigPath = None, data: DataPath = None) -> None:
    """Make a new master key and wrap all batch keys by it. The service must not run."""
    from controller.vault.key_files import rotate_master

    by, (_, folder) = _who(as_name), _place(config, data)
    with _held(folder):
        mark = rotate_master(folder, lambda: note_act(folder, KeyAct(ROTATED, by)))
    print(f"rotated: the master key is {mark} now")
    print("its shares and all backups of keys are of the one before: make new ones with `cardmill keys master export`")
    print("and `cardmill keys backup`")
    _warn_of_nobody(folder, by)


@master.command("export")
def export(
    out: Annotated[Path, typer.Option(help="Folder for the files of the shares.", show_default=False)],
    shares: Annotated[str, typer.Option(help="KofN: any K of N shares bring the key back; 2 to 9.")] = "2of3",
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
) -> None:
    """Split the master key into shares for people to keep apart. The service must not run."""
    from controller.vault.key_files import open_key_files
    from controller.vault.shares import read_numbers, require_no_shares, split, write_shares

    by, (_, folder) = _who(as_name), _place(config, data)
    needed, count = read_numbers(shares)
    if out.absolute().resolve().is_relative_to(folder.resolve()):
        raise CannotWrite(f"{out} lies in the data folder, beside what it opens: name a folder elsewhere with --out")
    with _held(folder):
        require_no_shares(out)
        key = open_key_files(folder, may_create=False).master
        note_act(folder, KeyAct(EXPORTED, by))
        paths = write_shares(out, split(key, needed, count))
    for path in paths:
        print(f"written: {path}")
    print(f"any {needed} of them bring the master key back: give each to another person, and leave none here")
    _warn_of_nobody(folder, by)


@master.command("restore")
def restore_master(
    shares: Annotated[list[Path], typer.Argument(help="Files of shares, as many as are needed.", dir_okay=False)],
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
) -> None:
    """Put the master key back from shares. The service must not run."""
    from controller.vault.key_files import put_master_back
    from controller.vault.keys import fingerprint
    from controller.vault.shares import join, read_share

    by, (_, folder) = _who(as_name), _place(config, data)
    key = join([read_share(path) for path in shares])
    with _held(folder):
        was_needed = put_master_back(folder, key, lambda: note_act(folder, KeyAct(RESTORED, by)))
    print(f"{'restored' if was_needed else 'it is there already'}: the master key {fingerprint(key)}")
    _warn_of_nobody(folder, by)


# ---- backups of the batch keys --------------------------------------------------------------------------------


def backup(
    file: Annotated[Path, typer.Argument(help="A new file, written whole or not at all.", dir_okay=False)],
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
) -> None:
    """Back up the wrapped batch keys; a service may run. It expires when data has been kept long enough."""
    from controller.vault.key_backup import backup_of, write_backup
    from controller.vault.key_files import SITE_KEY_NAME, read_ring
    from controller.vault.keys import load_key

    by, (settings, folder) = _who(as_name), _place(config, data)
    _require_vault(folder)
    if file.absolute().parent.resolve().is_relative_to(folder.resolve()):
        raise CannotWrite(f"{file} lies in the data folder and would be lost with it: name one on another disk")
    if file.exists():
        raise CannotWrite(f"{file} is there already, and no backup goes over another file: name a new one")
    key, ring = read_ring(folder)
    site = load_key(folder / SITE_KEY_NAME)
    if site is None:
        raise NotAtHand(f"{SITE_KEY_NAME} is not in {folder}: restore it before you back up what is left")
    now = read_clock(folder, settings.clock).now_floor_s()
    expires = floor_date(now + settings.vault.retention_days * DAY_S)
    found = backup_of(ring, key, site, floor_date(now), expires)
    note_act(folder, KeyAct(BACKED_UP, by))
    write_backup(file, found)
    print(f"written: {file} with {counted(len(found.keys), 'key|keys')}, to be used until {_day(expires)}")
    _warn_of_nobody(folder, by)


def restore(
    file: Annotated[Path, typer.Argument(help="A backup of keys.", dir_okay=False)],
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
) -> None:
    """Bring back keys that are gone, never those of purged batches. The service must not run."""
    from controller.vault import key_backup
    from controller.vault.key_files import SITE_KEY_NAME, open_key_files, read_ring
    from controller.vault.keys import key_text, replace_private

    by, (settings, folder) = _who(as_name), _place(config, data)
    with _held(folder):
        found = key_backup.read_backup(file)
        key, _ = read_ring(folder)
        now = read_clock(folder, settings.clock).now_floor_s()
        key_backup.require_usable(found, key, floor_date(now))
        if not (folder / SITE_KEY_NAME).exists():
            replace_private(folder / SITE_KEY_NAME, key_text(found.site_key(key)))
        ring = open_key_files(folder, may_create=False).ring
        # what was purged by another rule than today's settings must not come back by them
        kept_s = day_start_floor_s(found.expires) - day_start_floor_s(found.created)
        oldest = now - min(settings.vault.retention_days * DAY_S, kept_s)
        done = key_backup.restore(
            found,
            ring,
            key,
            lambda batch_ids: _barred(settings, folder, batch_ids, oldest),
            lambda: note_act(folder, KeyAct(RESTORED, by)),
        )
    there = f"{done.there:,} {'was' if done.there == 1 else 'were'} there"
    refused = f"{done.refused:,} of old batches {'is' if done.refused == 1 else 'are'} not taken"
    print(f"restored: {counted(done.added, 'key|keys')}; {there}; {refused}")
    _warn_of_nobody(folder, by)


def _barred(settings: Config, folder: Path, batch_ids: Collection[int], closed_before_floor_s: float) -> set[int]:
    """Give the batches whose keys may not come back, by the ledger at hand."""
    from sqlalchemy.exc import DBAPIError

    from controller.ledger.engine import reason_of
    from controller.ledger.errors import LedgerUnreadable
    from controller.ledger.purge_rows import PurgeReader
    from controller.ledger.store import ledger_place

    place = ledger_place(folder, settings.storage.url)
    if not settings.storage.url and not place.path.exists():
        raise NotAtHand(f"{place.name} is not in {folder}: restore it first, it says which batches are over")
    engine = place.reader()
    try:
        return PurgeReader(engine).barred(batch_ids, closed_before_floor_s)
    except DBAPIError as error:
        raise LedgerUnreadable(f"{place.name} cannot be read: {reason_of(error)}") from error
    finally:
        engine.dispose()


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a data folder that has a vault.  Raises: NotAtHand; LedgerInUse: a service runs on it."""
    from controller.ledger.lock import lock_folder

    _require_vault(folder)
    with ExitStack() as stack:
        try:
            stack.enter_context(lock_folder(folder))
        except LedgerInUse as error:  # another folder would be another vault
            raise LedgerInUse(error.folder, error.pid, advice="stop it first, then say this again") from None
        yield


def _warn_of_nobody(folder: Path, by: str) -> None:
    """Say that a name is nobody's: what was done is recorded under it all the same."""
    if not (folder / "keys" / "allowed" / OPERATOR / f"{by}.public").exists():
        typer.echo(f"warning: no key of the role {OPERATOR} is allowed for {by}, and that name is recorded", err=True)


def _require_vault(folder: Path) -> None:
    """Raises: NotAtHand."""
    from controller.vault.key_files import KEYRING_NAME, MASTER_KEY_NAME

    if not any((folder / name).exists() for name in (KEYRING_NAME, MASTER_KEY_NAME, "ledger.db", "vault.db")):
        raise NotAtHand(f"there is no vault in {folder}: name the service's data folder with --data or --config")


def _place(config: Path | None, data: Path | None) -> tuple[Config, Path]:
    settings = load_config(config)
    return settings, data or settings.service.path()


def _who(as_name: str) -> str:
    """Give the name that stands in the ledger for whoever does this.  Raises: ConfigError, KeyFileError."""
    if not as_name:
        raise ConfigError(f"say who you are: --as NAME, as at your key of the role {OPERATOR}")
    if not NAME.fullmatch(as_name):
        raise KeyFileError("keys.bad_name", repr(as_name))
    return as_name


def _day(day: str) -> str:
    return datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC).date().isoformat()


# ---- the purge ------------------------------------------------------------------------------------------------


def purge(
    days: Days = None,
    propose: Annotated[bool, typer.Option("--propose", help="Propose it; another person agrees.")] = False,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Show what a purge would destroy. With --propose, propose it; it takes two people.

    Dispatched: so many of the applications are cards that were sent. Unfinished: batches announced before that time and
    never brought whole; they are refused and purged too. Altered: batches that purges left, their rows were changed.
    """
    if days is not None and not 1 <= days <= DAYS_MAX:
        raise _bad_days("vault.retention_days")
    found = ask("purge_preview", {} if days is None else {"days": days}, as_name, config, data)
    if found["days"] < found["retention_days"]:
        raise _bad_days(f"{found['retention_days']:,}")
    if propose and not found["batches"] + found.get("unfinished", 0):
        raise ConfigError(f"no batch was closed more than {counted(found['days'], 'day|days')} ago: nothing to propose")
    if propose:
        act = {"verb": "purge", "args": {"days": found["days"]}}
        found |= ask("act", act, as_name, config, data)
    if json:
        show.write_json(found, json)
        return
    show.answer("Purge", found, "")
    if propose:
        print(f"proposed as act {found['act_id']}: another person agrees with `cardmill second {found['act_id']}`")
    else:
        print("nothing is destroyed: `cardmill purge --propose` proposes it")


def _bad_days(least: str) -> ConfigError:
    return ConfigError(
        f"--days is a whole number from {least} to {DAYS_MAX:,}: vault.retention_days is how long personal data stays"
    )


def purges(as_name: AsName = "", config: ConfigPath = None, data: DataPath = None, json: JsonPath = "") -> None:
    """Show purges under way, and those done."""
    found = ask("purges", {"done": 1}, as_name, config, data)
    if json:
        show.write_json(found, json)
        return
    show.answer("Purges under way", found["under_way"], "")
    show.answer("Purged, by day, the last first", found["done"], "")
