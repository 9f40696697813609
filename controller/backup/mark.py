"""Marks in a database: that it is a copy, and that a restore made a ledger of it again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, delete, select

from controller.backup.errors import NotRestored, RestoreNotAccepted
from controller.core.state import FloorState
from controller.ledger import tables
from controller.ledger.migrations import write_meta

COPIED, RESTORED = "copied_at_seq", "restored"


@dataclass(frozen=True, slots=True)
class Restore:
    """One restore: the last move of the backup, and how far numbers jump after it."""

    at_seq: int
    step: int


def mark_copy(connection: Connection, head_seq: int) -> None:
    """Say in a copy that it is one: a service does not start on it before it was restored."""
    write_meta(connection, tables.meta, COPIED, str(head_seq))


def mark_restored(connection: Connection, restore: Restore) -> None:
    """Say in a restored ledger what it came from."""
    connection.execute(delete(tables.meta).where(tables.meta.c.key == COPIED))
    write_meta(connection, tables.meta, RESTORED, f"{restore.at_seq} {restore.step}")


def restore_of(engine: Engine) -> Restore | None:
    """Give the restore that a ledger came out of, None for one that was never restored.

    Raises: NotRestored: it is the copy in a backup itself.
    """
    with engine.connect() as connection:
        require_no_copy(connection)
        kept = select(tables.meta.c.value).where(tables.meta.c.key == RESTORED)
        found = connection.execute(kept).scalar_one_or_none()
    if found is None:
        return None
    at_seq, step = map(int, found.split())
    return Restore(at_seq, step)


def require_no_copy(connection: Connection) -> None:
    """Make sure that a ledger is not the copy in a backup.  Raises: NotRestored."""
    kept = select(tables.meta.c.value).where(tables.meta.c.key == COPIED)
    found = connection.execute(kept).scalar_one_or_none()
    if found is not None:
        raise NotRestored(
            f"this ledger is the copy in a backup, which ends at move {int(found):,}: take a data folder "
            "that `cardmill restore` filled"
        )


def to_accept(engine: Engine, state: FloorState, is_accepted: bool) -> Restore | None:
    """Give the restore that this start has to record, None when there is none or it was recorded before.

    Raises: NotRestored.  RestoreNotAccepted: nobody said that the ledger may be started so.
    """
    restore = restore_of(engine)
    if restore is None or restore.step == state.restored_step:
        return None
    if not is_accepted:
        raise RestoreNotAccepted(
            f"this ledger was restored from a backup that ends at move {restore.at_seq:,}, and knows nothing of what "
            "was made, sent and told after it: read docs/backup.md, then start once with --accept-restored"
        )
    return restore
