"""One line of a key file: a batch key wrapped by the master key, or the mark of one that was destroyed.

    <batch number> <nonce, 24 hex digits> <wrapped key, 96 hex digits> <CRC-32 of the line up to here, 8 hex digits>
    <batch number> destroyed <mark, 32 hex digits> <CRC-32 of the line up to here, 8 hex digits>

The wrapped key is AES-256-GCM of the 32-byte batch key under the master key, its 16-byte tag at the end, with the
text `cardmill batch key <batch number>` as associated data.
"""

from __future__ import annotations

import secrets
from binascii import crc32
from dataclasses import dataclass, field
from hashlib import blake2b

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from controller.vault.keys import KEY_BYTES

NONCE_BYTES = 12
TAG_BYTES = 16
MARK_BYTES = 16
DESTROYED = b"destroyed"


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A wrapped key of a batch."""

    batch_id: int
    nonce: bytes = field(repr=False)
    wrapped: bytes = field(repr=False)

    def line(self) -> bytes:
        """Give the line as it stands in a file."""
        return closed_line(f"{self.batch_id} {self.nonce.hex()} {self.wrapped.hex()}".encode("ascii"))

    def secret(self, master: AESGCM) -> bytes:
        """Give the key.  Raises: InvalidTag: it was wrapped by another master key."""
        return master.decrypt(self.nonce, self.wrapped, _bound_to(self.batch_id))


@dataclass(frozen=True, slots=True, order=True)
class Tomb:
    """What stays of a destroyed key: its batch, and by what it is known when it comes back."""

    batch_id: int
    mark: bytes

    def line(self) -> bytes:
        """Give the line as it stands in a file."""
        return closed_line(b"%d %b %b" % (self.batch_id, DESTROYED, self.mark.hex().encode("ascii")))


def wrap(master: AESGCM, batch_id: int, secret: bytes) -> KeyLine:
    """Give a batch's key as it is written down."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    return KeyLine(batch_id, nonce, master.encrypt(nonce, secret, _bound_to(batch_id)))


def mark_of(secret: bytes) -> bytes:
    """Give a hash of a batch's key (BLAKE2b-128): who has it has nothing of the key."""
    return blake2b(secret, digest_size=MARK_BYTES, person=b"cardmill tomb").digest()


def read_line(line: bytes) -> KeyLine | Tomb | None:
    """Give what a line says, or None when it is torn or damaged."""
    text, _, check = line.rpartition(b" ")
    parts = text.split(b" ")
    if len(parts) != 3 or check != b"%08x\n" % crc32(text):
        return None
    try:
        batch_id, last = int(parts[0]), bytes.fromhex(parts[2].decode())
        nonce = b"" if parts[1] == DESTROYED else bytes.fromhex(parts[1].decode())
    except ValueError:  # a UnicodeDecodeError is one too
        return None
    if parts[1] == DESTROYED:
        return Tomb(batch_id, last) if len(last) == MARK_BYTES else None
    if len(nonce) != NONCE_BYTES or len(last) != KEY_BYTES + TAG_BYTES:
        return None
    return KeyLine(batch_id, nonce, last)


def closed_line(text: bytes) -> bytes:
    """Give a text with its checksum, as a line."""
    return b"%b %08x\n" % (text, crc32(text))


def _bound_to(batch_id: int) -> bytes:
    return f"cardmill batch key {batch_id}".encode("ascii")
