"""The commands by which the administrator of this machine looks after the accounts of the console."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from controller.commandline import show
from controller.commandline.options import ConfigPath, DataPath, JsonPath
from controller.commandline.which_folder import data_folder
from controller.config import load_config
from devices.keys import KeyFileError
from devices.peers import NAME

if TYPE_CHECKING:
    from controller.accounts.account import Account

Name = Annotated[str, typer.Argument(help="The person's name, the same as of their key.")]
By = Annotated[str, typer.Option("--as", envvar="CARDMILL_AS", help="Your name, for the audit.")]

accounts = typer.Typer(help="Accounts of people who log in at the console.", no_args_is_help=True)


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    app.add_typer(accounts, name="accounts")


@accounts.command("list")
def listing(config: ConfigPath = None, data: DataPath = None, json: JsonPath = "") -> None:
    """List the accounts. Rights are not theirs: they belong to the name, wherever it is used."""
    from controller.accounts.account_file import AccountFile

    found = AccountFile(data_folder(config, data)).read()
    rows = [
        {"name": name, "locked": "yes" if one.locked else "no", "second_factor": "yes" if one.totp else "no"}
        for name, one in sorted(found.items())
    ]
    show.answer("Accounts", rows, json)


@accounts.command("add")
def add(name: Name, as_name: By = "", config: ConfigPath = None, data: DataPath = None) -> None:
    """Make an account; the password is asked for twice."""
    from controller.accounts.account import new_account, require_name
    from controller.accounts.errors import AccountError
    from controller.accounts.noted_acts import MADE

    require_name(name)
    account = new_account(_new_hash(name))

    def decide(there: dict[str, Account]) -> None:
        if name in there:
            raise AccountError("accounts.exists", repr(name))
        there[name] = account

    _change(MADE, name, as_name, data_folder(config, data), decide)
    print(f"made: {name}")


@accounts.command("lock")
def lock(name: Name, as_name: By = "", config: ConfigPath = None, data: DataPath = None) -> None:
    """Let somebody in no more, and end their log-ins at once."""
    from controller.accounts.noted_acts import LOCKED

    _change_one(LOCKED, name, as_name, data_folder(config, data), lambda one: one.with_lock(True))
    print(f"locked: {name}")


@accounts.command("unlock")
def unlock(name: Name, as_name: By = "", config: ConfigPath = None, data: DataPath = None) -> None:
    """Let somebody in again; what they typed wrong before is forgotten."""
    from controller.accounts.noted_acts import UNLOCKED

    _change_one(UNLOCKED, name, as_name, data_folder(config, data), lambda one: one.with_lock(False))
    print(f"unlocked: {name}")


@accounts.command("passwd")
def passwd(name: Name, as_name: By = "", config: ConfigPath = None, data: DataPath = None) -> None:
    """Give somebody another password, asked for twice, and end their log-ins."""
    from controller.accounts.account_file import AccountFile, known
    from controller.accounts.noted_acts import PASSWORD_CHANGED

    folder = data_folder(config, data)
    known(AccountFile(folder).read(), name)
    fresh = _new_hash(name)
    _change_one(PASSWORD_CHANGED, name, as_name, folder, lambda one: one.with_password(fresh))
    print(f"changed: the password of {name}")


@accounts.command("totp")
def totp(
    name: Name,
    off: Annotated[bool, typer.Option("--off", help="Ask for no code any more.")] = False,
    as_name: By = "",
    config: ConfigPath = None,
    data: DataPath = None,
) -> None:
    """Ask somebody for the code of an authenticator too. The secret is shown once, here."""
    from controller.accounts.noted_acts import TOTP_OFF, TOTP_ON
    from controller.accounts.totp import new_secret, uri

    centre = load_config(config).service.centre
    secret = "" if off else new_secret()
    what = TOTP_OFF if off else TOTP_ON
    _change_one(what, name, as_name, data_folder(config, data), lambda one: one.with_totp(secret))
    if off:
        print(f"off: {name} logs in without a code")
        return
    print(f"on: {name} types this into an authenticator now; it is never shown again\n  {secret}")
    print(f"  {uri(secret, name, centre)}")


def _change_one(what: str, name: str, by: str, folder: Path, change: Callable[[Account], Account]) -> None:
    from controller.accounts.account_file import known

    def decide(there: dict[str, Account]) -> None:
        there[name] = change(known(there, name))

    _change(what, name, by, folder, decide)


def _change(what: str, name: str, by: str, folder: Path, decide: Callable[[dict[str, Account]], None]) -> None:
    """Do it, noted for the audit before it is done and after it is known that it can be."""
    from controller.accounts.account_file import AccountFile
    from controller.accounts.noted_acts import AccountAct, note_act

    if by and not NAME.fullmatch(by):
        raise KeyFileError("keys.bad_name", repr(by))

    def noted(there: dict[str, Account]) -> None:
        decide(there)
        note_act(folder, AccountAct(what, name, by))

    AccountFile(folder).change(noted)
    if not by:
        typer.echo("warning: the audit will not say who did this: next time give --as NAME", err=True)


def _new_hash(name: str) -> str:
    from controller.accounts.account import require_password
    from controller.accounts.passwords import usual_hasher

    typed = typer.prompt("New password", hide_input=True, confirmation_prompt=True)
    return usual_hasher().hash(require_password(name, typed))
