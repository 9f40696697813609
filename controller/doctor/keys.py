"""The keys: whether they are there, closed to others, whole, and fit what they open; none is ever shown."""

from __future__ import annotations

from pathlib import Path

from controller.doctor.finding import Finding, ok, warning, wrong
from controller.evidence.errors import EvidenceError
from controller.evidence.public_keys import key_id
from controller.evidence.signing import read_secret
from controller.vault.errors import VaultError
from controller.vault.key_files import KEYRING_NAME, MASTER_KEY_NAME, SITE_KEY_NAME, read_ring
from controller.vault.keys import load_key
from devices.key_files import read_pair
from devices.key_ring import SERVER, KeyRing
from devices.keys import KeyFileError, LinkError
from devices.peers import ADMINISTRATOR

FILES = (MASTER_KEY_NAME, SITE_KEY_NAME, KEYRING_NAME)


def look_at_vault_keys(folder: Path, sealed: set[int] | None) -> list[Finding]:
    """Say whether the vault's keys are there and open it; `sealed`: the batches with ciphertext, None if unknown."""
    missing = [name for name in FILES if not (folder / name).exists()]
    if missing and not sealed and len(missing) == len(FILES):
        return [ok("vault keys", "none yet: the first start makes them")]
    if missing:
        return [wrong("vault keys", _gone(missing))]
    try:
        load_key(folder / SITE_KEY_NAME)
        _, ring = read_ring(folder)
        ring.require(sealed or ())
    except VaultError as error:
        return [wrong("vault keys", str(error))]
    if ring.torn_bytes:
        return [warning("vault keys", "the end of the key file is torn by a power cut: the next start mends it")]
    return [ok("vault keys", f"master and site key open {len(ring.batches()):,} batch keys; mode 0600")]


def _gone(missing: list[str]) -> str:
    """Say which files are gone and what brings each back; the master key comes first, the backup of keys needs it."""
    acts = []
    if MASTER_KEY_NAME in missing:
        acts.append("put the master key back with `cardmill keys master restore SHARE SHARE`")
    others = [name for name in missing if name != MASTER_KEY_NAME]
    if others:
        acts.append(f"bring {' and '.join(others)} back with `cardmill keys restore FILE`")
    named = " and ".join(filter(None, (", ".join(missing[:-1]), missing[-1])))
    are, them = ("is", "it") if len(missing) == 1 else ("are", "them")
    return f"{named} {are} gone, and without {them} nobody can read the vault: {', then '.join(acts)}"


def look_at_receipt_keys(folder: Path) -> list[Finding]:
    """Say whether receipts can be signed, and which key signs them."""
    try:
        key = read_secret(folder / "keys")
    except EvidenceError as error:  # as the start will say
        return [wrong("receipt keys", str(error))]
    if key is None:
        return [
            warning("receipt keys", "no key signs receipts: the first start makes one; after a restore put it back")
        ]
    return [ok("receipt keys", f"receipts are signed with {key_id(key.public_key())}")]


def look_at_door_keys(folder: Path) -> list[Finding]:
    """Say whether the doors have their own pair, and whether the peers' keys can be read."""
    keys = folder / "keys"
    if not (keys / f"{SERVER}.secret").exists():
        if (keys / f"{SERVER}.public").exists():
            gone = KeyFileError("keys.secret_missing", keys / f"{SERVER}.secret")  # as the start will say
            return [wrong("door keys", str(gone))]
        return [
            warning("door keys", "the doors have no key pair: the first start makes one; after a restore put it back")
        ]
    try:
        read_pair(keys, SERVER)
        peers = KeyRing(keys).peers()
    except LinkError as error:
        return [wrong("door keys", str(error))]
    if not peers:
        return [warning("door keys", "no peer may connect: allow some with `cardmill keys allow`")]
    administrators = sum(ADMINISTRATOR in peer.roles for peer in peers)
    if administrators < 2:
        few = "nobody is" if not administrators else "one person only is"
        text_ = f"{few} {ADMINISTRATOR}, and changes of keys and purges take two: see `cardmill keys allow --roles`"
        return [ok("door keys", f"{len(peers)} peers may connect"), warning("door keys", text_)]
    return [ok("door keys", f"{len(peers)} peers may connect, {administrators} of them administrators")]
