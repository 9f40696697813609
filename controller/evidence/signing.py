"""The centre's signing key: its files, its rotation, and what signs receipts with it."""

from __future__ import annotations

import shlex
from functools import lru_cache
from pathlib import Path

import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from controller.evidence.errors import KeyFileUnfit, SecretExposed, SecretMissing, SecretOther
from controller.evidence.public_keys import PublicKeys, key_id, read_key_file
from controller.evidence.signed_bytes import signed_bytes
from controller.vault.keys import create_private, replace_private, replace_public
from controller.wire import Receipt

KEPT_MAX = 10_000  # signatures in memory with what they are over, 500 bytes each
SECRET_NAME, PUBLIC_NAME = "receipts.secret", "receipts.public"


class Signer:
    """Signs the receipts of one centre; its repr shows the key's id alone."""

    def __init__(self, key: Ed25519PrivateKey, centre: str) -> None:
        self.centre = centre
        self._key = key
        self._sign = lru_cache(KEPT_MAX)(key.sign)
        self.key_id = key_id(key.public_key())

    def __repr__(self) -> str:
        return f"Signer({self.key_id})"

    def sign(self, raw: bytes) -> bytes:
        """Give the signature of bytes that begin with a domain of their own."""
        return self._key.sign(raw)

    def signed(self, receipt: Receipt, upstream: str) -> Receipt:
        """Give a receipt of an upstream with its names and its signature: the same each time.

        Safe in any thread.  Cost: 40 us, 10 us for one of the last `KEPT_MAX`: who asks for the same pages again and
        again keeps no processor busy.
        """
        named = msgspec.structs.replace(receipt, centre=self.centre, upstream=upstream, signer=self.key_id)
        return msgspec.structs.replace(named, signature=self._sign(signed_bytes(named)))


def open_signer(folder: Path, centre: str) -> Signer:
    """Give the signer of a folder of keys that this process holds alone; a key is made where there never was one.

    Raises: SecretExposed, SecretMissing, SecretOther, KeyFileUnfit, Unreadable; OSError.
    """
    key = read_secret(folder)
    if key is None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        key = Ed25519PrivateKey.generate()
        create_private(folder / SECRET_NAME, _pem(key))
    public = folder / PUBLIC_NAME  # not there: the first start was cut short, or somebody moved it away
    known = PublicKeys.read(public) if public.exists() else PublicKeys([key.public_key()])
    if not public.exists() or centre not in known.centres:
        replace_public(public, known.named(centre).pem())
    return Signer(key, centre)


def read_secret(folder: Path) -> Ed25519PrivateKey | None:
    """Give the signing key of a folder, or None where there never was one; writes nothing.

    Raises: SecretExposed, SecretMissing, SecretOther, KeyFileUnfit, Unreadable.
    """
    secret, public = folder / SECRET_NAME, folder / PUBLIC_NAME
    if not secret.exists():
        if public.exists():
            raise SecretMissing(
                f"{SECRET_NAME} is gone, and {PUBLIC_NAME} beside it is still there: put it back, or make another key "
                "with `cardmill receipts rotate`, by which earlier receipts are verified as before"
            )
        return None
    key = _key_in(secret)
    if public.exists() and key_id(key.public_key()) not in PublicKeys.read(public).ids:
        raise SecretOther(f"{PUBLIC_NAME} does not hold the key of {SECRET_NAME}: put the right one of them back")
    return key


def rotate(folder: Path) -> str:
    """Make another signing key, and give its id; `receipts.public` keeps those before, so old receipts are verified.

    The folder's service must not run.  Cut short, the key that signed before still signs, and `receipts.public` holds
    one key more, whose secret nobody has.
    Raises: KeyFileUnfit, Unreadable; OSError.
    """
    secret, public = folder / SECRET_NAME, folder / PUBLIC_NAME
    known = PublicKeys.read(public) if public.exists() else PublicKeys([])
    key = Ed25519PrivateKey.generate()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace_public(public, known.with_first(key.public_key()).pem())
    replace_private(secret, _pem(key))
    return key_id(key.public_key())


def _key_in(path: Path) -> Ed25519PrivateKey:
    content, mode = read_key_file(path)
    if mode & 0o077:
        raise SecretExposed(f"others may use the secret: chmod 600 {shlex.quote(str(path))}")
    try:
        key = load_pem_private_key(content, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it wants a password
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyFileUnfit(f"{path.name} does not hold an Ed25519 key in PEM: restore it")
    return key


def _pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
