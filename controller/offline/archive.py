"""A zip archive that somebody else made: its directory looked through before anything is unpacked, into memory only.

Nothing is ever written by a member's name.  A member is unpacked up to a limit, and must have the size, the name and
the checksum that the directory says.  Source: PKWARE APPNOTE 6.3.10, 4.3.7, 4.3.12, 4.3.16.
"""

from __future__ import annotations

import os
import stat
import struct
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import BinaryIO

from controller.application import LAST_INDEX
from controller.offline.errors import PackageError

ARCHIVE_MAX_BYTES = 1 << 30  # ten thousand portraits of 100 KB, the largest the checks let through
MEMBERS_MAX = LAST_INDEX + 1 + 100  # a portrait each, the applications, some folders
DIRECTORY_MAX_BYTES = MEMBERS_MAX * 512
UNPACKED_MAX_BYTES = ARCHIVE_MAX_BYTES + (1 << 28)
NAME_MAX_CHARACTERS = 200
PORTRAIT_ENDS = (".jpg", ".jpeg")
ROWS_ENDS = (".xml", ".csv")
NESTED_ENDS = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".cab", ".iso", ".jar", ".lzh")

_END = struct.Struct("<4s4H2LH")  # of the central directory, the last thing of an archive without comment
_END_SIGNATURE, _ZIP64_LOCATOR = b"PK\x05\x06", b"PK\x06\x07"
_LOCATOR_BYTES = 20
_BLOCK_HEADS_BYTES = 4_096  # what deflate adds at most to some hundred thousand bytes that do not pack
_LOCAL = struct.Struct("<4s5H3L2H")
_LOCAL_SIGNATURE = b"PK\x03\x04"
_ENCRYPTED, _STRONG_ENCRYPTION, _MASKED = 1 << 0, 1 << 6, 1 << 13
_UTF_8_NAME = 1 << 11


class Archive:
    """The members of an open archive, by name."""

    def __init__(self, stream: BinaryIO) -> None:
        """Look through the directory of a seekable stream, which stays its caller's.

        Raises: PackageError; OSError.  Cost: 10 us a member.
        """
        self._stream = stream
        size_bytes = stream.seek(0, os.SEEK_END)
        if size_bytes > ARCHIVE_MAX_BYTES:
            raise PackageError("package.too_large", ARCHIVE_MAX_BYTES)
        count, directory_at = _directory(stream, size_bytes)
        try:
            found = zipfile.ZipFile(stream).infolist()
        except (zipfile.BadZipFile, UnicodeDecodeError, struct.error, ValueError, NotImplementedError):
            raise PackageError("package.zip", "its directory") from None
        if len(found) != count:
            raise PackageError("package.zip", "its directory counts other members than it has")
        for place, member in enumerate(found, 1):
            _look(member, place)
        _require_apart(found, directory_at)
        self._members = {member.filename: (place, member) for place, member in enumerate(found, 1)}

    @property
    def names(self) -> list[str]:
        """Give the names of the members that are files, in order of the directory."""
        return [name for name, (_, member) in self._members.items() if not member.is_dir()]

    def read(self, name: str, max_bytes: int) -> bytes:
        """Give what a member holds.

        Raises: KeyError: there is none; PackageError: it unpacks to more than `max_bytes`, or is damaged; OSError.
        """
        place, member = self._members[name]
        if member.file_size > max_bytes:
            raise PackageError("package.zip_bomb", place, max_bytes)
        packed = self._packed(place, member)
        is_stored = member.compress_type == zipfile.ZIP_STORED
        content = packed if is_stored else _inflated(packed, place, member.file_size)
        if len(content) != member.file_size or zlib.crc32(content) != member.CRC:
            raise _damaged(place)
        return content

    def begin(self, name: str, size_bytes: int, max_bytes: int) -> bytes:
        """Give the first `size_bytes` of a member that says it is longer; no more is read or unpacked, or checked.

        A row costs its writer fifty bytes, and ten thousand of them may name the same member: unpacked whole each
        time, an archive of 17 KB would take minutes (measured).
        Raises: as `read`.
        """
        place, member = self._members[name]
        if member.file_size > max_bytes:
            raise PackageError("package.zip_bomb", place, max_bytes)
        packed = self._packed(place, member, size_bytes + _BLOCK_HEADS_BYTES)
        is_stored = member.compress_type == zipfile.ZIP_STORED
        return packed[:size_bytes] if is_stored else _first_inflated(packed, place, size_bytes)

    def size_bytes(self, name: str) -> int:
        """Give how long a member says it is.  Raises: KeyError: there is none."""
        return self._members[name][1].file_size

    def _packed(self, place: int, member: zipfile.ZipInfo, most_bytes: int = ARCHIVE_MAX_BYTES) -> bytes:
        """Give a member's bytes as they lie in the archive; its local header must be that of the directory."""
        self._stream.seek(member.header_offset)
        raw = self._stream.read(_LOCAL.size)
        if len(raw) != _LOCAL.size:
            raise _damaged(place)
        signature, _, flags, method, *_, name_bytes, extra_bytes = _LOCAL.unpack(raw)
        name = self._stream.read(name_bytes)
        self._stream.seek(extra_bytes, os.SEEK_CUR)
        wanted_bytes = min(member.compress_size, most_bytes)
        packed = self._stream.read(wanted_bytes)
        is_same = name.decode("utf-8" if flags & _UTF_8_NAME else "cp437", "replace") == member.orig_filename
        if signature != _LOCAL_SIGNATURE or method != member.compress_type or not is_same:
            raise _damaged(place)
        if len(packed) != wanted_bytes:
            raise _damaged(place)
        return packed


def _directory(stream: BinaryIO, size_bytes: int) -> tuple[int, int]:
    """Give the members that the archive's end speaks of, and where the directory begins.

    The end must be the last thing of the file, so that nobody can find another one: no comment, nothing after it.
    """
    if size_bytes < _END.size:
        raise PackageError("package.zip", "its end is missing")
    at = size_bytes - _END.size
    stream.seek(max(0, at - _LOCATOR_BYTES))
    locator = stream.read(min(at, _LOCATOR_BYTES))
    signature, disk, first_disk, here, count, length, begin, comment = _END.unpack(stream.read(_END.size))
    if signature != _END_SIGNATURE or comment or disk or first_disk or here != count:
        raise PackageError("package.zip", "its end is missing")
    if count > MEMBERS_MAX:
        raise PackageError("package.members", MEMBERS_MAX)
    if begin + length != at or length > DIRECTORY_MAX_BYTES or locator.startswith(_ZIP64_LOCATOR):
        raise PackageError("package.zip", "its directory")
    return count, begin


def _look(member: zipfile.ZipInfo, place: int) -> None:
    """Raise what makes a member one that is not taken."""
    name, path = member.orig_filename, PurePosixPath(member.filename)
    is_elsewhere = path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name
    # `path` drops what a reader of names might see otherwise: doubled slashes, single dots
    if is_elsewhere or not name.isprintable() or len(name) > NAME_MAX_CHARACTERS or str(path) != name.rstrip("/"):
        raise PackageError("package.zip_path", place)
    mode = member.external_attr >> 16
    if stat.S_IFMT(mode) not in (0, stat.S_IFDIR if member.is_dir() else stat.S_IFREG):
        raise PackageError("package.zip_path", place)
    if member.flag_bits & (_ENCRYPTED | _STRONG_ENCRYPTION | _MASKED):
        raise PackageError("package.zip_encrypted")
    if path.suffix.lower() in NESTED_ENDS:
        raise PackageError("package.zip_nested", place)
    if not member.is_dir() and path.suffix.lower() not in (*PORTRAIT_ENDS, *ROWS_ENDS):
        raise PackageError("package.member", place)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise PackageError("package.zip_method", place)


def _require_apart(members: list[zipfile.ZipInfo], directory_at: int) -> None:
    """Raise when two members have one name or share bytes, or all together unpack to too much."""
    seen: set[str] = set()
    unpacked_bytes = 0
    for place, member in enumerate(members, 1):
        folded = member.filename.rstrip("/").casefold()  # where files go to disk, some disks see no difference
        if folded in seen:
            raise PackageError("package.zip_doubled", place)
        seen.add(folded)
        unpacked_bytes += member.file_size
        if unpacked_bytes > UNPACKED_MAX_BYTES:
            raise PackageError("package.zip_bomb", place, UNPACKED_MAX_BYTES)
    ends_at = 0
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.header_offset < ends_at:
            raise PackageError("package.zip", "members share bytes")
        name_bytes = len(member.orig_filename)  # at least so many
        ends_at = member.header_offset + _LOCAL.size + name_bytes + member.compress_size
    if ends_at > directory_at:
        raise PackageError("package.zip", "members share bytes")


def _inflated(packed: bytes, place: int, size_bytes: int) -> bytes:
    """Give what a deflated member unpacks to, and not one byte more than it says."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        content = inflater.decompress(packed, size_bytes + 1)
    except zlib.error:
        raise _damaged(place) from None
    if len(content) > size_bytes:
        raise PackageError("package.zip_bomb", place, size_bytes)
    if not inflater.eof or inflater.unused_data:
        raise _damaged(place)
    return content


def _first_inflated(packed: bytes, place: int, size_bytes: int) -> bytes:
    """Give what a deflated member begins with."""
    try:
        return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed, size_bytes)
    except zlib.error:
        raise _damaged(place) from None


def _damaged(place: int) -> PackageError:
    return PackageError("package.zip", f"member {place}")
