"""`cardmill correct`: an upstream's corrected applications brought to the service, one by one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from controller.commandline import show
from controller.commandline.options import JsonPath
from controller.config import ConfigError

if TYPE_CHECKING:
    from controller.client import UpstreamClient

NOT_TAKEN = 1
NO_DAY = "99991231"  # a correction's due day is that of what it corrects; the file need name none


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(correct)


def correct(
    path: Annotated[Path, typer.Argument(help="JSON lines, or a package: .xml, .csv, .zip or a folder.")],
    endpoint: Annotated[
        str, typer.Option(envvar="CARDMILL_ENDPOINT", help="The service's door, like tcp://127.0.0.1:5701.")
    ],
    server_key: Annotated[Path, typer.Option(envvar="CARDMILL_SERVER_KEY", help="The service's public key file.")],
    secret: Annotated[Path, typer.Option(envvar="CARDMILL_SECRET", help="This upstream's .secret file.")],
    revision: Annotated[int, typer.Option(min=1, max=999, help="Counts the corrections of each of them, from 1.")] = 1,
    json: JsonPath = "",
) -> None:
    """Send corrected contents for refused or held applications.

    Each stands under its acceptance number; the batch in the file only wraps them. Shapes: docs/offline.md.
    """
    from controller.client import UpstreamClient  # trio and zmq load here, for those who ask the service

    if not (path.is_file() or path.is_dir()):
        raise ConfigError(f"{path} is no file or folder")
    with UpstreamClient.connect(endpoint, server_key, secret) as client:
        rows = _correct_all(client, path, revision)
    if json:
        show.write_json({"corrections": rows}, json)
    else:
        for row in rows:
            said = f"{row['code']}: {row['text']}" if row["code"] else f"revision {revision}, {row['batch_number']}"
            print(f"{row['acceptance_number']}: {said}")
    if any(row["code"] for row in rows):
        raise typer.Exit(NOT_TAKEN)


def _correct_all(client: UpstreamClient, path: Path, revision: int) -> list[dict[str, Any]]:
    """Send every application of a file that was first read to its end; give what became of each."""
    from controller.application import Application
    from controller.asking.conversation import Refused
    from controller.offline.package import opened
    from controller.offline.sending import loads, require_whole
    from encoders.envelope import Opener

    require_whole(path, NO_DAY)
    rows: list[dict[str, Any]] = []
    application: Opener[Application] = Opener(Application)
    with opened(path) as one:
        for load in loads(one, NO_DAY):
            for encoded in load.applications:
                number = application.unpack(encoded).acceptance_number
                row = {"acceptance_number": number, "batch_number": "", "code": "", "text": ""}
                try:
                    answer = client.correct(number, revision, encoded)
                    row["batch_number"] = answer.batch_number
                except Refused as refused:
                    row |= {"code": refused.code, "text": refused.text}
                rows.append(row)
    return rows
