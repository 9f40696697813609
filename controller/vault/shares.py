"""Shares of the master key: any K of N files bring it back, and fewer tell nothing of it (Shamir's scheme).

A share's file is ASCII, mode 0600:

    cardmill master key share 1
    share <which> of <how many>, <how many are needed> needed
    master <fingerprint of the key, 16 hex digits>
    <which>-<first half, 32 hex digits>
    <which>-<second half, 32 hex digits>
    check <CRC-32 of the lines before, 8 hex digits>

The two lines of halves are what the tool `ssss` takes (`ssss-combine -t K -x -D`), so that the key can be had without
this program too: 16 bytes in hex digits from each.
"""

from __future__ import annotations

import re
from binascii import crc32
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from Crypto.Protocol.SecretSharing import Shamir

from controller.vault.errors import CannotWrite, ShareUnusable
from controller.vault.keys import KEY_BYTES, fingerprint, write_private
from devices.folders import sync_folder

NEEDED_MIN, SHARES_MAX = 2, 9
HALF_BYTES = KEY_BYTES // 2  # what the library splits at once
LONGEST_FILE_BYTES = 1_024
OF = re.compile(r"([1-9])of([1-9])")
FORMAT = re.compile(
    r"cardmill master key share 1\n"
    r"share ([1-9]) of ([1-9]), ([1-9]) needed\n"
    r"master ([0-9a-f]{16})\n"
    r"\1-([0-9a-f]{32})\n"
    r"\1-([0-9a-f]{32})\n"
)


@dataclass(frozen=True, slots=True)
class Share:
    """One of `count` shares, `needed` of which bring the key back."""

    which: int
    count: int
    needed: int
    fingerprint: str  # of the key
    halves: tuple[bytes, bytes] = field(repr=False)


def read_numbers(text: str) -> tuple[int, int]:
    """Give K and N of a text like `2of3`.  Raises: ShareUnusable."""
    found = OF.fullmatch(text)
    needed, count = (int(found[1]), int(found[2])) if found else (0, 0)
    if not NEEDED_MIN <= needed <= count <= SHARES_MAX:
        raise ShareUnusable(f"shares are given like 2of3: {NEEDED_MIN} or more of at most {SHARES_MAX}")
    return needed, count


def split(key: bytes, needed: int, count: int) -> list[Share]:
    """Give the shares of a key of 32 bytes, random each time."""
    first, second = (Shamir.split(needed, count, half, ssss=True) for half in (key[:HALF_BYTES], key[HALF_BYTES:]))
    mark = fingerprint(key)
    return [
        Share(which, count, needed, mark, (one, other))
        for (which, one), (_, other) in zip(first, second, strict=True)
    ]  # fmt: skip


def join(shares: Sequence[Share]) -> bytes:
    """Give the key; more shares than are needed are no fault.

    Raises: ShareUnusable: too few, the same twice, or not all of one key.
    """
    if len({(one.needed, one.count, one.fingerprint) for one in shares}) != 1:
        raise ShareUnusable("these shares are not of one export: compare their fingerprints and numbers")
    needed = shares[0].needed
    different = list({one.which: one for one in shares}.values())
    if len(different) < needed:
        raise ShareUnusable(f"{needed} different shares are needed, these are {len(different)}")
    some = different[:needed]  # exactly so many: one more would give another polynomial
    key = b"".join(Shamir.combine([(one.which, one.halves[half]) for one in some], ssss=True) for half in (0, 1))
    if fingerprint(key) != some[0].fingerprint:
        raise ShareUnusable("these shares do not give the key of their fingerprint: they are of different exports")
    return key


def write_shares(folder: Path, shares: Sequence[Share]) -> list[Path]:
    """Write each share to a file of its own, mode 0600, and give the files.  Raises: CannotWrite, OSError."""
    require_no_shares(folder)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(f"{folder} cannot be made ({error.strerror}): choose another folder with --out") from None
    paths = [folder / f"master-{one.fingerprint}-{one.which}of{one.count}.share" for one in shares]
    for path, one in zip(paths, shares, strict=True):
        write_private(path, _text(one).encode("ascii"))
    sync_folder(folder)
    return paths


def require_no_shares(folder: Path) -> None:
    """Raises: CannotWrite: the folder holds shares of an export, which those of another must not mingle with."""
    if folder.exists() and not folder.is_dir():
        raise CannotWrite(f"{folder} is a file: choose a folder with --out")
    there = next(folder.glob("master-*.share"), None)
    if there is not None:
        raise CannotWrite(f"{folder} holds shares already ({there.name}): choose another folder with --out")


def read_share(path: Path) -> Share:
    """Give the share of a file.  Raises: ShareUnusable, OSError."""
    with path.open("rb") as file:
        text = file.read(LONGEST_FILE_BYTES).decode("ascii", "replace")
    body, _, check = text.rpartition("check ")
    found = FORMAT.fullmatch(body)
    if found is None or check != f"{crc32(body.encode()):08x}\n":
        raise ShareUnusable(f"{path.name} is no whole share of a master key: take its paper copy, or another share")
    which, count, needed = (int(found[place]) for place in (1, 2, 3))
    return Share(which, count, needed, found[4], (bytes.fromhex(found[5]), bytes.fromhex(found[6])))


def _text(share: Share) -> str:
    lines = [
        "cardmill master key share 1",
        f"share {share.which} of {share.count}, {share.needed} needed",
        f"master {share.fingerprint}",
        *(f"{share.which}-{half.hex()}" for half in share.halves),
    ]
    body = "".join(f"{line}\n" for line in lines)
    return f"{body}check {crc32(body.encode()):08x}\n"
