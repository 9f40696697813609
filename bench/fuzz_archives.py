"""Archives for the fuzz bench: good packages as zip, and the ways in which somebody else's archive is not one."""

from __future__ import annotations

import io
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from bench import fuzz_seeds as seeds
from bench.fuzz_mutations import GROWN_MAX_BYTES, mutated

NAME = f"ZAGL_ZZJH_{seeds.BATCH_NUMBER}"
PORTRAIT = "1.jpg"
BOMB_BYTES = (1 << 16, 1 << 19, 1 << 21)  # what a member of zeros unpacks to
ROWS_MANY = (20, 100, 500)
MIB = 1 << 20
LONG_NAME = 5_000
ROWS_BYTES = 32 * MIB

_CENTRAL, _LOCAL, _END = b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06"
_HOSTILE_NAMES = (
    *("../1.jpg", "/etc/1.jpg", "a/../../1.jpg", "..\\1.jpg", "C:1.jpg", "a//1.jpg", "./1.jpg", "1.jpg/", "..", "."),
    *(
        "1.JPG",
        "1\x00.jpg",
        "1\n.jpg",
        "\u202e1.jpg",
        "样" * 90 + ".jpg",
        "a" * LONG_NAME + ".jpg",
        "1.exe",
        "1.zip",
    ),
)
_MODES = (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK, stat.S_IFDIR)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_OTHER_METHODS = (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)

Members = dict[str, bytes]
Reshape = Callable[[Members, Random], bytes]


def good_archives() -> list[bytes]:
    """Give packages as somebody honest makes them: XML and CSV, stored and deflated, flat and in their folder."""
    [xml], [csv] = seeds.xml(), seeds.csv_rows()
    portrait = seeds.photos()[0]
    packed = [
        _packed({f"{NAME}{end}": rows, PORTRAIT: portrait}, method)
        for end, rows in ((".xml", xml), (".csv", csv))
        for method in _METHODS
    ]
    return [*packed, _packed({f"{NAME}/{NAME}.xml": xml, f"{NAME}/{PORTRAIT}": portrait}, zipfile.ZIP_DEFLATED)]


def mutated_archive(kept: Sequence[bytes], rng: Random) -> bytes:
    """Give an archive that is wrong in its parts, in its bytes, or in both."""
    draw = rng.random()
    if draw < 0.4:
        return mutated(kept, rng)
    archive = rng.choice(RESHAPES)(_members(rng), rng)
    return archive if draw < 0.8 else mutated([archive], rng)


def allowed_s(archive: bytes) -> float:
    """Give the processor seconds that an archive may take: 0.1, 0.1 for each MiB it says it holds, 2 ms for each row.

    Its rows are unpacked once, at most 32 MiB of them, and of a portrait at most 400 KB for each row that names it:
    so this bound holds for archives of any size.
    """
    rows = sizes = 0
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as opened:
            for one in opened.infolist():
                sizes += min(one.file_size, ROWS_BYTES)
                if one.file_size <= MIB and one.filename.endswith((".xml", ".csv")):
                    content = opened.read(one)
                    rows += content.count(b"<application") + content.count(b"\n")
    except Exception:  # noqa: BLE001  the standard library promises nothing of broken archives
        sizes += MIB
    return 0.1 * (1 + sizes / MIB) + 0.002 * rows


def _members(rng: Random) -> Members:
    [xml], portrait = seeds.xml(), rng.choice(seeds.portraits())
    rows = {f"{NAME}.csv": seeds.csv_rows()[0]} if rng.random() < 0.3 else {f"{NAME}.xml": xml}
    return {**rows, PORTRAIT: portrait}


def _packed(members: Members, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def _written(infos: Sequence[tuple[zipfile.ZipInfo, bytes]]) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(out, "w") as archive:
        warnings.simplefilter("ignore")  # of names that are there twice: they are meant
        for member, content in infos:
            archive.writestr(member, content)
    return out.getvalue()


# ---- wrong in its parts ---------------------------------------------------------------------------------------


def _slips(members: Members, rng: Random) -> bytes:
    """A member whose name leads elsewhere, is too long, or is no name."""
    return _packed({**members, rng.choice(_HOSTILE_NAMES): b"content"})


def _links(members: Members, rng: Random) -> bytes:
    """A member that is a link or a device."""
    infos = [(zipfile.ZipInfo(name), content) for name, content in members.items()]
    chosen = rng.choice(infos)[0]
    chosen.external_attr = (rng.choice(_MODES) | 0o777) << 16
    chosen.create_system = 3
    return _written(infos)


def _bomb(members: Members, rng: Random) -> bytes:
    """A member of zeros, as rows or as a portrait."""
    name = rng.choice((f"{NAME}.xml", f"{NAME}.csv", PORTRAIT))
    return _packed({**members, name: bytes(rng.choice(BOMB_BYTES))})


def _many_rows(members: Members, rng: Random) -> bytes:
    """Rows that name the same large picture over and over."""
    [xml] = seeds.xml()
    row = b"<application><portrait>1.jpg</portrait></application>"
    rows = xml.replace(b"</package>", row * rng.choice(ROWS_MANY) + b"</package>")
    return _packed({f"{NAME}.xml": rows, PORTRAIT: bytes(rng.choice(BOMB_BYTES))})


def _lying_sizes(members: Members, rng: Random) -> bytes:
    """A directory that says another size, method or flag than the members have."""
    archive = bytearray(_packed(members))
    at = archive.find(rng.choice((_CENTRAL, _LOCAL)))
    field, width = rng.choice(((8, 2), (10, 2), (16, 4), (20, 4), (24, 4), (28, 2), (38, 4), (42, 4)))
    value = rng.choice((0, 1, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, rng.getrandbits(20)))
    archive[at + field : at + field + width] = (value & (256**width - 1)).to_bytes(width, "little")
    return bytes(archive)


def _wrong_crc(members: Members, rng: Random) -> bytes:
    """A member whose bytes are not those of its checksum."""
    archive = bytearray(_packed(members, zipfile.ZIP_STORED))
    content = members[PORTRAIT]
    at = bytes(archive).find(content[:16]) if content else 40
    archive[(at + rng.randrange(max(1, len(content)))) % len(archive)] ^= 1 << rng.randrange(8)
    return bytes(archive)


def _doubled(members: Members, rng: Random) -> bytes:
    """Two members of one name, or one archive behind another."""
    if rng.random() < 0.5:
        other = _packed(members)
        return other + _packed(_members(rng)) + rng.choice((b"", other))
    name = rng.choice(list(members))
    infos = [(zipfile.ZipInfo(one), content) for one, content in members.items()]
    twin = zipfile.ZipInfo(rng.choice((name, name.upper(), name.swapcase())))
    return _written([*infos, (twin, members[name])])


def _nested(members: Members, rng: Random) -> bytes:
    """An archive in an archive, also under the name of a portrait."""
    inner = _packed(members)
    for _ in range(rng.choice((1, 2, 8))):
        inner = _packed({rng.choice(("inner.zip", PORTRAIT, f"{NAME}.zip")): inner, **members})
    return inner


def _half_copied(members: Members, rng: Random) -> bytes:
    """A file of which a part is not there yet: zeros, or nothing."""
    archive = bytearray(_packed(members, rng.choice(_METHODS)))
    at = rng.randrange(len(archive))
    until = rng.randrange(at, len(archive)) + 1
    archive[at:until] = bytes(until - at)
    return bytes(archive[:at] if rng.random() < 0.5 else archive)


def _other_method(members: Members, rng: Random) -> bytes:
    """Members packed by another method."""
    return _packed(members, rng.choice(_OTHER_METHODS))


def _many_members(members: Members, rng: Random) -> bytes:
    """Hundreds of members, or none at all."""
    return _packed({**members, **{f"{number}.jpg": b"" for number in range(rng.choice((1, 100, 700)))}})


def _another_end(members: Members, rng: Random) -> bytes:
    """A comment, something behind the end, a second end, a directory said to be elsewhere."""
    archive = _packed(members)
    end = archive.rfind(_END)
    counts = struct.pack("<4H", 0, 0, *[rng.choice((0, 1, 2, 3, 0xFFFF))] * 2)
    changed = archive[: end + 4] + counts + archive[end + 12 :]
    return rng.choice((archive + b"x", archive[:-2] + b"\x05\x00hello", archive + archive[end:], changed, archive[4:]))


def _rows_mutated(members: Members, rng: Random) -> bytes:
    """A sound archive of broken rows and pictures."""
    names = list(members)
    broken = rng.choice(names)
    return _packed({**members, broken: mutated([members[broken]], rng)[:GROWN_MAX_BYTES]})


RESHAPES: tuple[Reshape, ...] = (
    *(_slips, _links, _bomb, _many_rows, _lying_sizes, _lying_sizes, _wrong_crc, _doubled, _nested, _half_copied),
    *(_other_method, _many_members, _another_end, _rows_mutated, _rows_mutated),
)


def archive_path(folder: Path) -> Path:
    """Give where an archive lies that is to be read: its name must be that of its batch."""
    return folder / f"{NAME}.zip"
