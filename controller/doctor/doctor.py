"""The doctor's round: everything in its order, none of it hurt by what another one finds."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from controller.config import Config
from controller.doctor.databases import look_at_databases
from controller.doctor.finding import Finding, Verdict, wrong
from controller.doctor.folder import look_at_backups, look_at_clock, look_at_disk, look_at_folder, running_pid
from controller.doctor.keys import look_at_door_keys, look_at_receipt_keys, look_at_vault_keys
from controller.doctor.surroundings import look_at_core_dumps, look_at_encoders, look_at_ports


def examine(config: Config, folder: Path, backups: Path | None = None) -> list[Finding]:
    """Look at a data folder and what its service needs, and write nothing; give a finding for each thing."""
    found = look_at_folder(folder)
    is_running = running_pid(folder) is not None
    if folder.is_dir():
        databases = look_at_databases(folder, config)
        found += databases.findings
        rounds: list[tuple[str, Callable[[], list[Finding]]]] = [
            ("disk", lambda: look_at_disk(folder, config)),
            ("vault keys", lambda: look_at_vault_keys(folder, databases.sealed)),
            ("door keys", lambda: look_at_door_keys(folder)),
            ("receipt keys", lambda: look_at_receipt_keys(folder)),
            ("clock", lambda: look_at_clock(folder, config, databases.last_floor_s)),
        ]
        for about, look in rounds:
            found += _unless_denied(about, look)
    found += look_at_ports(folder, config, is_running)
    found += look_at_encoders()
    found += look_at_core_dumps(running_pid(folder))
    return found + _unless_denied("backups", lambda: look_at_backups(backups, config.service.centre))


def is_well(findings: list[Finding]) -> bool:
    """Say whether nothing is wrong; a warning is not."""
    return all(one.verdict is not Verdict.WRONG for one in findings)


def _unless_denied(about: str, look: Callable[[], list[Finding]]) -> list[Finding]:
    try:
        return look()
    except OSError as error:
        text = f"{error.filename or 'a file'} cannot be looked at ({error.strerror}): run as the service's own account"
        return [wrong(about, text)]
