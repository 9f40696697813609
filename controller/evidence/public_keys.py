"""The public keys by which anybody tells a centre's receipts from others, and how a receipt stands by them."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key

from controller.evidence.errors import KeyFileUnfit, Unreadable
from controller.evidence.signed_bytes import signed_bytes
from controller.wire import Receipt

LONGEST_FILE_BYTES = 1 << 16  # more keys than a centre has in a hundred years
KEY_ID_CHARS = 16
_CENTRE = re.compile(rb"^Centre: ([^\r\n]{1,400})\r?$", re.MULTILINE)  # before the first key: whose they are
_PEM = re.compile(rb"-----BEGIN PUBLIC KEY-----.+?-----END PUBLIC KEY-----", re.DOTALL)


class Standing(StrEnum):
    """How a receipt stands by some public keys."""

    GOOD = "good"
    BAD = "bad"  # of a key that is known, and something of the receipt was changed
    FOREIGN = "foreign"  # of a key that is not known
    OTHER_CENTRE = "other_centre"  # of a key that is known, but not as that of the centre it names
    UNSIGNED = "unsigned"


class PublicKeys:
    """Some centres' keys, those of before too; the newest of a file stands first.

    Where it is said by which names their centre goes, they sign for no other one, and others do not sign for it.
    """

    def __init__(self, keys: Iterable[Ed25519PublicKey], centres: Iterable[str] = ()) -> None:
        self._keys = {key_id(key): key for key in keys}
        self._centres = dict.fromkeys(self._keys, tuple(dict.fromkeys(centres)))

    @classmethod
    def read(cls, *paths: Path) -> PublicKeys:
        """Give the keys of `receipts.public` files, each one or more public keys in PEM.

        Raises: KeyFileUnfit; Unreadable: a file is not there, or may not be read.
        """
        found = cls(())
        for path in paths:
            one = _read(path)
            found._keys |= one._keys
            found._centres |= {name: (*found._centres.get(name, ()), *mine) for name, mine in one._centres.items()}
        return found

    @property
    def ids(self) -> tuple[str, ...]:
        """Give the ids of the keys, in their order."""
        return tuple(self._keys)

    def with_first(self, newest: Ed25519PublicKey) -> PublicKeys:
        """Give these keys and a newer one before them."""
        return PublicKeys([newest, *self._keys.values()], self.centres)

    @property
    def centres(self) -> tuple[str, ...]:
        """Give the names of centres that the keys sign for, none where that is not said."""
        return tuple(dict.fromkeys(name for names in self._centres.values() for name in names))

    def named(self, centre: str) -> PublicKeys:
        """Give these keys as those of one centre, which goes by this name too."""
        return PublicKeys(self._keys.values(), [centre, *self.centres])

    def pem(self) -> bytes:
        """Give the file that holds these keys, which are of one centre."""
        names = "".join(f"Centre: {centre}\n" for centre in self.centres)
        return names.encode() + b"".join(
            key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) for key in self._keys.values()
        )

    def standing_of(self, receipt: Receipt) -> Standing:
        """Say how a receipt stands.  Cost: 110 us."""
        if not receipt.signature and not receipt.signer:
            return Standing.UNSIGNED
        return self.standing(receipt.signer, receipt.centre, receipt.signature, signed_bytes(receipt))

    def standing(self, signer: str, centre: str, signature: bytes, raw: bytes) -> Standing:
        """Say how bytes stand that a centre is said to have signed with a key of this id."""
        key = self._keys.get(signer)
        if key is None:
            return Standing.FOREIGN
        try:
            key.verify(signature, raw)
        except InvalidSignature:
            return Standing.BAD
        centres = self._centres[signer]
        is_its_own = centre in centres if centres else centre not in self.centres
        return Standing.GOOD if is_its_own else Standing.OTHER_CENTRE

    def names_centre_of(self, signer: str) -> bool:
        """Say whether it is known for which centre a key signs."""
        return bool(self._centres.get(signer))


def key_id(key: Ed25519PublicKey) -> str:
    """Give what a receipt names its signer by: the first 16 hex digits of SHA-256 over the key's 32 bytes."""
    return sha256(key.public_bytes_raw()).hexdigest()[:KEY_ID_CHARS]


def read_key_file(path: Path) -> tuple[bytes, int]:
    """Give a key file's content and its mode.  Raises: KeyFileUnfit: it is no file or too long; Unreadable."""
    try:  # not blocking, or a pipe laid in place of the file would stop whoever reads it
        with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(LONGEST_FILE_BYTES + 1) if stat.S_ISREG(mode) else b""
    except OSError as error:
        raise Unreadable(f"{path.name}: {error.strerror}") from None
    if not content or len(content) > LONGEST_FILE_BYTES:
        raise KeyFileUnfit(f"{path.name} holds no key: restore it")
    return content, stat.S_IMODE(mode)


def _read(path: Path) -> PublicKeys:
    content, _ = read_key_file(path)
    blocks = _PEM.findall(content)
    try:
        keys = [load_pem_public_key(block) for block in blocks]
    except ValueError:
        keys = []
    found = [key for key in keys if isinstance(key, Ed25519PublicKey)]
    if not found or len(found) < len(blocks) or _CENTRE.sub(b"", _PEM.sub(b"", content)).strip():
        raise KeyFileUnfit(f"{path.name} does not hold Ed25519 public keys in PEM: take the centre's receipts.public")
    try:
        return PublicKeys(found, [name.decode() for name in _CENTRE.findall(content)])
    except UnicodeDecodeError:
        raise KeyFileUnfit(f"{path.name} names its centre not in UTF-8: take the centre's receipts.public") from None
