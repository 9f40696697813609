"""The errors of backup and restore: a class has a stable `code`, and the sentence says what to do."""

from __future__ import annotations


class BackupError(Exception):
    """Something about a backup that its caller must know."""

    code = "backup"

    def __init__(self, text: str) -> None:
        super().__init__(f"{self.code}: {text}")


class NothingToCopy(BackupError):
    """There is no ledger where one was to be copied from."""

    code = "backup.nothing"


class TargetUnfit(BackupError):
    """Backups cannot be kept where they were to go."""

    code = "backup.target"


class SourceUnreadable(BackupError):
    """A database could not be read, or does not hold what this program writes."""

    code = "backup.unreadable"


class BackupDamaged(BackupError):
    """A backup is not whole: files lack, differ from their digests, or hold what this program did not write."""

    code = "backup.damaged"


class NoneNamed(BackupError):
    """A folder of backups was given, not one of them."""

    code = "backup.which"


class FolderNotEmpty(BackupError):
    """A restore goes into an empty place only."""

    code = "backup.not_empty"


class NotRestored(BackupError):
    """The service was started on the files of a backup as they are, which know nothing of what happened after."""

    code = "backup.not_restored"


class RestoreNotAccepted(BackupError):
    """The service was started on a restored ledger, and nobody said that what it does not know is looked after."""

    code = "backup.not_accepted"
