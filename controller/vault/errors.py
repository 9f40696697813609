"""The errors of the vault: a class has a stable `code`, and no text of them repeats what is sealed."""

from __future__ import annotations


class VaultError(Exception):
    """Something about the vault that its caller must know."""

    code = "vault"

    def __init__(self, text: str) -> None:
        super().__init__(f"{self.code}: {text}")


class KeyMissing(VaultError):
    """A key that is needed is not there: it was lost, or destroyed by a purge."""

    code = "vault.key_missing"


class KeyExposed(VaultError):
    """A key file may be read by others than its owner."""

    code = "vault.key_mode"


class KeyFileDamaged(VaultError):
    """A key file does not hold what this program wrote."""

    code = "vault.key_damaged"


class WrongMasterKey(VaultError):
    """The batch keys were wrapped by another master key."""

    code = "vault.wrong_master"


class RowMissing(VaultError):
    """Nothing is stored under this number."""

    code = "vault.row_missing"


class Tampered(VaultError):
    """A sealed row is not what was stored under this number: changed, moved or sealed with another key."""

    code = "vault.tampered"


class VaultStopped(VaultError):
    """The vault could not write: it takes no more until the service starts anew."""

    code = "vault.stopped"


class VaultUnreadable(VaultError):
    """The vault's database cannot be opened."""

    code = "vault.unreadable"


class MasterKeyThere(VaultError):
    """A master key is to be put back, but the one that is there is the right one."""

    code = "vault.master_there"


class ShareUnusable(VaultError):
    """Shares of the master key cannot be split so, or cannot be put together."""

    code = "vault.share"


class BackupExpired(VaultError):
    """A backup of keys is older than personal data may be."""

    code = "vault.backup_expired"


class BackupUnusable(VaultError):
    """A file is no whole backup of keys, or of other keys than those at hand."""

    code = "vault.backup"


class CannotWrite(VaultError):
    """A file of keys cannot be written where it was asked for: another is there, or the folder is not."""

    code = "vault.cannot_write"


class NotAtHand(VaultError):
    """Something that an act on the keys needs is not in the data folder."""

    code = "vault.not_at_hand"
