"""The errors of the ledger: a class has a stable `code` and keeps the values it speaks of."""

from __future__ import annotations


class LedgerError(Exception):
    """Something about the ledger that its caller must know."""

    code = "ledger"

    def __init__(self, text: str) -> None:
        super().__init__(f"{self.code}: {text}")


class LedgerStopped(LedgerError):
    """A commit failed or the ledger is closed: nothing is taken any more, and what was not acknowledged may be lost."""

    code = "ledger.stopped"


class LedgerOvertaken(LedgerStopped):
    """Another controller opened the database after this one: nothing of the group is written, this one must end."""

    code = "ledger.overtaken"

    def __init__(self, epoch: int, found: str) -> None:
        super().__init__(
            f"this controller opened the database as number {epoch}, by now number {found or '(unknown)'} works there: "
            "it ends, leave the work to the other"
        )
        self.epoch, self.found = epoch, found


class LedgerBehind(LedgerError):
    """Far more is queued than the disk keeps up with: somebody does not wait for room."""

    code = "ledger.behind"


OTHER_FOLDER = "stop it, or choose another data folder"


class LedgerInUse(LedgerError):
    """Another process holds the folder; `pid` is its number, 0 when it did not say.

    With `owner`, the words for it, `folder` is a schema in PostgreSQL.
    """

    code = "ledger.in_use"

    def __init__(self, folder: str, pid: int, owner: str = "", advice: str = OTHER_FOLDER) -> None:
        if owner:
            text = f"{owner} already works in the database's {folder}: stop it; once it is gone, start again"
        else:
            who = f"process {pid}" if pid else "another process"
            text = f"{who} already works in the folder {folder!r}: {advice}"
        super().__init__(text)
        self.folder, self.pid = folder, pid


class LedgerTooNew(LedgerError):
    """The database was written by a later version of the program."""

    code = "ledger.too_new"

    def __init__(self, found: int, known: int) -> None:
        super().__init__(f"the database has schema {found}, this program knows up to {known}: start the newer program")
        self.found, self.known = found, known


class LedgerOther(LedgerError):
    """The ledger belongs to another centre, or to a floor of the other nature: simulated, or real."""

    code = "ledger.other"

    def __init__(self, key: str, kept: str, wanted: str) -> None:
        super().__init__(
            f"this folder's ledger was begun with {key} = {kept}, the settings say {wanted}: "
            "correct the settings, or take another data folder"
        )
        self.key, self.kept, self.wanted = key, kept, wanted


class LedgerUnreadable(LedgerError):
    """The database cannot be opened: a wrong file, a right that lacks, a broken disk."""

    code = "ledger.unreadable"


class LedgerUnfit(LedgerError):
    """The database server cannot be used as it is set up; the sentence says what to change."""

    code = "ledger.unfit"


class LedgerDamaged(LedgerError):
    """What stands in the database cannot have been written by this program as it stands."""

    code = "ledger.damaged"


class ChangeRefused(LedgerError):
    """The database refuses one change; its neighbours in the group are not concerned."""

    code = "ledger.change_refused"


class UnknownRow(LedgerError):
    """A move or a change names a thing that has no row."""

    code = "ledger.unknown_row"

    def __init__(self, table: str, key: object) -> None:
        super().__init__(f"no row {key!r} in {table}")
        self.table, self.key = table, key


class RowPurged(LedgerError):
    """A purge took the digests of an application out: nothing can be made of it any more."""

    code = "ledger.row_purged"

    def __init__(self, batch_id: int) -> None:
        super().__init__(f"an application of batch {batch_id} was purged")
        self.batch_id = batch_id


class BatchOver(LedgerError):
    """A batch takes no applications any more: it was never brought whole, and a purge took what was there."""

    code = "ledger.batch_over"

    def __init__(self, batch_id: int) -> None:
        super().__init__(f"batch {batch_id} takes no applications any more")
        self.batch_id = batch_id


class ChunkConflict(LedgerError):
    """An application is already stored at this place of the batch, with other content."""

    code = "ledger.chunk_conflict"

    def __init__(self, batch_id: int, index: int) -> None:
        super().__init__(f"batch {batch_id} already holds another application at index {index}")
        self.batch_id, self.index = batch_id, index
