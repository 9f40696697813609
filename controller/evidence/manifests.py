"""The signature of a manifest: a small file beside it, by which anybody with the public key knows whose it is."""

from __future__ import annotations

from pathlib import Path

import msgspec

from controller.evidence.errors import Unreadable
from controller.evidence.public_keys import PublicKeys, Standing
from controller.evidence.signed_bytes import written
from controller.evidence.signing import Signer
from controller.packing.manifest import digest_of

DOMAIN = "cardmill manifest 1"  # no signature of anything else begins so
SUFFIX = ".sig"
LONGEST_SIGNATURE_BYTES = 4_096
MANIFEST_MAX_BYTES = 64 << 20


class ManifestSignature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who signed which bytes: a line of JSON, the signature in base64."""

    centre: str
    signer: str  # id of the key, as receipts name it
    sha256: str  # of the manifest, hex
    signature: bytes


def sign_manifest(signer: Signer, file: bytes) -> ManifestSignature:
    """Give the signature of a manifest: the same each time, as long as the key is."""
    digest = digest_of(file)
    raw = _signed(signer.centre, signer.key_id, digest)
    return ManifestSignature(centre=signer.centre, signer=signer.key_id, sha256=digest, signature=signer.sign(raw))


def read_signature(path: Path) -> ManifestSignature:
    """Give what a file of a signature holds.  Raises: Unreadable."""
    try:
        with path.open("rb") as file:
            return msgspec.json.decode(file.read(LONGEST_SIGNATURE_BYTES + 1), type=ManifestSignature)
    except OSError as error:
        raise Unreadable(f"{path.name}: {error.strerror}") from None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise Unreadable(f"{path.name} is no signature of a manifest") from None


def standing_of_manifest(keys: PublicKeys, signature: ManifestSignature, file: bytes) -> Standing:
    """Say how a manifest stands by some public keys: `BAD` too where the signature is that of another file."""
    digest = digest_of(file)
    raw = _signed(signature.centre, signature.signer, digest)
    return keys.standing(signature.signer, signature.centre, signature.signature, raw)


def read_manifest_file(path: Path) -> bytes:
    """Give the bytes of a manifest.  Raises: Unreadable."""
    try:
        with path.open("rb") as file:
            content = file.read(MANIFEST_MAX_BYTES + 1)
    except OSError as error:
        raise Unreadable(f"{path.name}: {error.strerror}") from None
    if len(content) > MANIFEST_MAX_BYTES:
        raise Unreadable(f"{path.name} is too large for a manifest")
    return content


def _signed(centre: str, signer: str, digest: str) -> bytes:
    return written(DOMAIN, centre, signer, digest)
