"""The `cardmill-sim` command: everything pretend, each over the real protocols.

Exit codes: 0 done; 1 what was to be shown did not hold; 2 wrong use, settings or files; 3 no answer.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from controller.config import ConfigError
from controller.conversation import ClientError
from devices.keys import LinkError

USAGE, NO_ANSWER = 2, 3

app = typer.Typer(
    help="Everything pretend: stations, people, upstream, a whole demo.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def main() -> None:
    """Run the command; an error is a sentence on standard error, never a traceback."""
    try:
        app(standalone_mode=True)
    except (ConfigError, LinkError) as error:
        fail(error, USAGE)
    except ClientError as error:
        fail(error, USAGE if error.code.startswith("keys.") else NO_ANSWER)
    except OSError as error:
        fail(f"{error.filename or 'a file'}: {error.strerror or error}", USAGE)


def fail(error: object, code: int) -> None:
    """Say what happened and end with a code."""
    print(f"cardmill-sim: {error}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
