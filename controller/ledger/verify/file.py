"""The file itself: what SQLite says of it, its indexes against their tables, and its cells."""

from __future__ import annotations

from sqlalchemy import Connection

from controller.ledger.verify.pages import DELETED_FROM, check_pages
from controller.ledger.verify.report import Verified
from controller.ledger.verify.rows import readable

NO_LOOK = "integrity_check, schema and cells: not looked into, that can be done in SQLite alone"


def check_file(connection: Connection, report: Verified, deleted_from: tuple[str, ...] = DELETED_FROM) -> None:
    """Let SQLite look through the whole file, then walk its pages; for another server that is left out, and said."""
    if connection.dialect.name != "sqlite":
        if NO_LOOK not in report.notes:
            report.notes.append(NO_LOOK)
        return
    with readable(report, "the database file"):
        for (line,) in connection.exec_driver_sql("PRAGMA integrity_check"):
            if line != "ok":
                report.add(f"the database file is damaged: {line}")
    with readable(report, "the database file"):
        check_pages(connection, report, deleted_from)
