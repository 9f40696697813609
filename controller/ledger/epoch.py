"""The epoch: which opening for writing this is, so that one whose time is over cannot commit beside the next."""

from __future__ import annotations

from sqlalchemy import Connection, Table, select

from controller.ledger.errors import LedgerOvertaken
from controller.ledger.migrations import write_meta
from controller.ledger.prepared import say

_KEY = "epoch"


class Epoch:
    """The number that one opening gave itself.  It is no move and in no digest: equal runs may be opened unequally."""

    def __init__(self, connection: Connection, meta: Table) -> None:
        """Raise the number that stands in `meta` by one, in the open transaction.

        In PostgreSQL this waits for a commit that is under way, which holds the number with `check`.
        """
        known = connection.execute(select(meta.c.value).where(meta.c.key == _KEY)).scalar_one_or_none()
        self.number = int(known) + 1 if known and known.isdecimal() else 1
        write_meta(connection, meta, _KEY, str(self.number))
        sharing = "" if connection.dialect.name == "sqlite" else " FOR SHARE"
        self._query = f"SELECT value FROM meta WHERE key = '{_KEY}'{sharing}"  # noqa: S608  our own words

    def check(self, connection: Connection) -> None:
        """Make sure, in an open transaction, that nobody opens anew before its end.  Raises: LedgerOvertaken."""
        rows = say(connection, self._query)
        found = rows[0][0] if rows else ""
        if found != str(self.number):
            raise LedgerOvertaken(self.number, found)
