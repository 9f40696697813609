"""What a shell offers when somebody presses the tabulator in the middle of a command: words, never an answer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import typer

from controller.commandline.which_folder import data_folder
from controller.config import ConfigError
from controller.core.acts import ACTS, arguments_of
from controller.core.break_glass import REASONS
from controller.core.cards import Decision
from controller.core.cases import RETURN_CODES
from controller.rights import ROLES

# they leave no trace and cost little: each `look` is recorded, and a `report` reads the whole record
WATCHED = (
    *("status", "stations", "stock", "stopped", "suspects", "acts", "why", "review", "holds", "alarms"),
    *("piles", "consignments", "shift", "supplies", "open-ends", "remakes", "purges"),
    *("trace", "campaign", "posts", "rights", "manifest", "batches", "batch", "card-holds"),
    "settings",
)


def your_names(context: typer.Context, incomplete: str) -> list[str]:
    """Give the names whose keys lie in the data folder: nobody can be anybody else."""
    try:
        folder = data_folder(_path(context, "config"), _path(context, "data"))
        return _begun(incomplete, sorted(path.stem for path in (folder / "peers").glob("*.secret")))
    except (ConfigError, OSError):  # a shell that asks for words has no use for sentences
        return []


def acts(incomplete: str) -> list[str]:
    """Give the acts that take two people."""
    return _begun(incomplete, sorted(ACTS))


def act_arguments(context: typer.Context, incomplete: str) -> list[str]:
    """Give the names of the arguments of the act that stands before."""
    verb = str(context.params.get("verb") or "")
    said = {one.partition("=")[0] for one in context.params.get("args") or ()}
    names = arguments_of(verb) if verb in ACTS else ()
    return _begun(incomplete, [f"{name}=" for name in names if name not in said])


def decisions(incomplete: str) -> list[str]:
    """Give what may be decided about a held or stopped card."""
    return _begun(incomplete, [one for one in Decision if one is not Decision.CORRECT])


def watched(incomplete: str) -> list[str]:
    """Give the commands that only look."""
    return _begun(incomplete, sorted(WATCHED))


def return_codes(incomplete: str) -> list[str]:
    """Give what can be bad about a card that came back."""
    return _begun(incomplete, RETURN_CODES)


def person_roles(incomplete: str) -> list[str]:
    """Give the roles of people."""
    return _begun(incomplete, ROLES)


def glass_reasons(incomplete: str) -> list[str]:
    """Give the reasons for which a role is taken in an emergency."""
    return _begun(incomplete, REASONS)


def _path(context: typer.Context, name: str) -> Path | None:
    said = context.params.get(name)
    return Path(said) if said else None


def _begun(incomplete: str, words: Iterable[str]) -> list[str]:
    return [word for word in words if word.startswith(incomplete)]
