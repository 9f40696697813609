"""The keys: whether they are there, closed to others, whole, and fit what they open; none is ever shown."""

from __future__ import annotations

from pathlib import Path

from controller.doctor.finding import Finding, ok, warning, wrong
from controller.vault.errors import VaultError
from controller.vault.key_files import KEYRING_NAME, MASTER_KEY_NAME, SITE_KEY_NAME, read_ring
from controller.vault.keys import load_key
from devices.keys import SERVER, KeyRing, LinkError, read_pair

FILES = (MASTER_KEY_NAME, SITE_KEY_NAME, KEYRING_NAME)


def look_at_vault_keys(folder: Path, sealed: set[int] | None) -> list[Finding]:
    """Say whether the vault's keys are there and open it; `sealed`: the batches with ciphertext, None if unknown."""
    missing = [name for name in FILES if not (folder / name).exists()]
    if missing and not sealed and len(missing) == len(FILES):
        return [ok("vault keys", "none yet: the first start makes them")]
    if missing:
        text = (
            f"{', '.join(missing)} is gone: restore it, `cardmill keys restore`; without it nobody can read the vault"
        )
        return [wrong("vault keys", text)]
    try:
        load_key(folder / SITE_KEY_NAME)
        _, ring = read_ring(folder)
        ring.require(sealed or ())
    except VaultError as error:
        return [wrong("vault keys", str(error))]
    if ring.torn_bytes:
        return [warning("vault keys", "the end of the key file is torn by a power cut: the next start mends it")]
    return [ok("vault keys", f"master and site key open {len(ring.batches()):,} batch keys; mode 0600")]


def look_at_door_keys(folder: Path) -> list[Finding]:
    """Say whether the doors have their own pair, and whether the peers' keys can be read."""
    keys = folder / "keys"
    if not (keys / f"{SERVER}.secret").exists():
        return [
            warning("door keys", "the doors have no key pair: the first start makes one; after a restore put it back")
        ]
    try:
        read_pair(keys, SERVER)
        listed = KeyRing(keys).listing()
    except LinkError as error:
        return [wrong("door keys", str(error))]
    if not listed:
        return [warning("door keys", "no peer may connect: allow some with `cardmill keys allow`")]
    return [ok("door keys", f"{len(listed)} peers may connect")]
