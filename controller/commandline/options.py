"""What all operators' commands share: their options, and how they ask the service."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from controller.application import ACCEPTANCE_DIGITS
from controller.asking.conversation import PATIENCE, Patience
from controller.commandline import completing, show
from controller.commandline.which_folder import data_folder
from controller.config import ConfigError
from devices.keys import KeyFileError
from devices.peers import NAME, OPERATOR

if TYPE_CHECKING:
    from controller.client import OperatorClient

ConfigPath = Annotated[Path | None, typer.Option("--config", help="Settings; without it every default holds.")]
DataPath = Annotated[Path | None, typer.Option("--data", help="The service's data folder.", show_default=False)]
AsName = Annotated[
    str,
    typer.Option(
        "--as", envvar="CARDMILL_AS", help="Your key's name: it stands for you.", autocompletion=completing.your_names
    ),
]
CARD_HELP = "The card's number, as `review` or `stopped` shows it, or its application's 22 digits."
CardName = Annotated[str, typer.Argument(help=CARD_HELP)]
# of commands that take a quantity: -5 is a quantity that is too small, not an option
BELOW_ZERO = {"ignore_unknown_options": True}
JsonPath = Annotated[str, typer.Option("--json", help="Write the answer to this file, `-` for standard output.")]
WITHIN_S = 10.0
TEXTS = ("lot", "reason", "unit", "station", "role", "name", "public", "roles")  # arguments of acts, never numbers
DIGITS_MAX = 15  # the wire takes whole numbers below 2^53
PERSON = re.compile(r"(?<![0-9])[0-9]{17}[0-9Xx](?![0-9])")  # an identity number: 18 places


def looking(app: typer.Typer, verb: str, help_text: str) -> None:
    """Add a command that shows what a verb answers."""

    def look(as_name: AsName = "", config: ConfigPath = None, data: DataPath = None, json: JsonPath = "") -> None:
        show.answer(verb, ask(verb, {}, as_name, config, data), json)

    app.command(verb, help=help_text)(look)


def ask(
    verb: str, args: dict[str, Any], as_name: str, config: Path | None, data: Path | None, within_s: float = WITHIN_S
) -> Any:
    """Give the service's answer to a verb.  Raises: ClientError, ConfigError, LinkError."""
    with line(as_name, config, data, within_s) as client:
        return client.command(verb, **args)


def line(as_name: str, config: Path | None, data: Path | None, within_s: float = WITHIN_S) -> OperatorClient:
    """Give somebody's line to the service, to ask many things over; after `within_s` real seconds of silence it fails.

    Raises: ConfigError; LinkError, of it KeyFileError keys.bad_name: a name is no path.
    """
    folder = data_folder(config, data)
    if not as_name:
        raise ConfigError(
            f"say who you are: --as NAME, after `cardmill keys new NAME --role {OPERATOR}` made you a key"
        )
    if not NAME.fullmatch(as_name):
        raise KeyFileError("keys.bad_name", repr(as_name))
    from controller.client import OperatorClient  # trio and zmq load here, for those who ask the service

    endpoint = show.endpoint(folder, "operators")
    server = folder / "keys" / "server.public"
    patience = Patience(answer_within_s=min(PATIENCE.answer_within_s, within_s), give_up_s=within_s)
    if show.is_insecure(folder):
        from devices.zlink import PlainName

        typer.secho("warning: INSECURE: the service's sockets are plain", err=True, fg="red")
        return OperatorClient.connect(endpoint, "", PlainName(as_name), patience=patience)
    return OperatorClient.connect(endpoint, server, folder / "peers" / f"{as_name}.secret", patience=patience)


def card_number(named: str, as_name: str, config: Path | None, data: Path | None) -> int:
    """Give the number of a card that somebody named; the service is asked for that of 22 digits.

    Raises: ConfigError; as `ask`.
    """
    require_no_person(named)
    if named.isascii() and named.isdigit():
        if len(named) <= DIGITS_MAX:
            return int(named)
        if len(named) == ACCEPTANCE_DIGITS:
            return int(ask("trace", {"card": named}, as_name, config, data)["card"])
    raise ConfigError(f"a card is named by its number, or by the {ACCEPTANCE_DIGITS} digits of its application")


def require_no_person(named: str) -> None:
    """Raises: ConfigError: it has an identity number in it, which belongs into no command, log or history."""
    if PERSON.search(named):
        raise ConfigError(
            f"18 digits are a person's number, which no command takes: name the application by its {ACCEPTANCE_DIGITS}"
            " digits"
        )


def arguments(pairs: list[str]) -> dict[str, int | str]:
    """Give `name=value` arguments; digits only are a number, but for those of TEXTS; a `.public` file is its key.

    A card may be named by the 22 digits of its application, which stay text.
    """
    found: dict[str, int | str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals:
            raise ConfigError(f"{pair!r} is not name=value")
        if name and name in found:
            raise ConfigError(f"{name} is said twice")
        is_number = value.isascii() and value.isdigit() and name not in TEXTS
        if name == "card" and is_number and len(value) == ACCEPTANCE_DIGITS:
            is_number = False
        if is_number and len(value) > DIGITS_MAX:
            raise ConfigError(f"{name}: a whole number has at most {DIGITS_MAX} digits")
        found[name] = int(value) if is_number else _key(value) if name == "public" else value
    return found


def _key(value: str) -> str:
    """Give the key in a `.public` file; a key as it is.  Raises: KeyFileError."""
    if not value.endswith(".public"):
        return value
    from devices.key_files import read_public

    return read_public(Path(value))
