"""What a process did to the files of a folder, in order, read from what strace wrote of it.

All strings of the trace are hexadecimal (`-xx`), also the paths behind descriptors (`-y`).  A write counts as done when
its call has ended, a sync covers what had ended before it began, and is done when it has ended: so nothing counts as
safe a moment too early, whatever other threads do meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

CALLS = (
    *("openat", "write", "pwrite64", "ftruncate", "fsync", "fdatasync"),
    *("rename", "renameat", "renameat2", "unlink", "unlinkat", "link", "linkat"),
)
STRACE = ("strace", "-f", "-y", "-xx", "-s", "1000000", "--seccomp-bpf", "-e", f"trace={','.join(CALLS)}")
SHARED_MEMORY = "-shm"  # written through a mapping, and made anew after a power cut

_LINE = re.compile(r"(\d+) +(.*)", re.DOTALL)
_UNFINISHED = re.compile(r"(.*) <unfinished \.\.\.>$")
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)$")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)")
_ON_FILE = re.compile(r"(\d+)<([^>]*)>(?:\(deleted\))?(?:, )?(.*)")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"(\.\.\.)?')


class TraceError(Exception):
    """A line of the trace that cannot be: it was cut, or strace writes otherwise than expected."""

    code = "crash.trace"


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes were written to a file at an offset; -1 is its end."""

    name: str
    offset: int
    content: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A file was cut, or lengthened with zeros, to a size."""

    name: str
    size: int


@dataclass(frozen=True, slots=True)
class SyncBegun:
    """A sync of a file began; an empty name is the folder itself."""

    name: str
    thread: int


@dataclass(frozen=True, slots=True)
class SyncEnded:
    """It ended well: what was done before it began is safe."""

    name: str
    thread: int


@dataclass(frozen=True, slots=True)
class Created:
    """A name now leads to a new, empty file, unless there was one already."""

    name: str
    emptied: bool = False  # opened so that what was in it is gone


@dataclass(frozen=True, slots=True)
class Linked:
    """A name now leads to the file that another name leads to; `moved`: that other name is gone."""

    name: str
    source: str
    moved: bool


@dataclass(frozen=True, slots=True)
class Unlinked:
    """A name is gone."""

    name: str


@dataclass(frozen=True, slots=True)
class Said:
    """The process wrote a line to its standard output: it acknowledged something."""

    line: str


Deed = Written | Cut | SyncBegun | SyncEnded | Created | Linked | Unlinked | Said


def deeds_in(lines: Iterable[str], folder: str) -> Iterator[Deed]:
    """Give what was done in `folder` (an absolute path), and what the traced process itself said, in order.

    Raises: TraceError.
    """
    reading = _Reading(folder)
    for line in lines:
        yield from reading.take(line.rstrip("\n"))


class _Reading:
    """Puts the halves of a call together that other threads cut in two."""

    def __init__(self, folder: str) -> None:
        self._folder = PurePosixPath(folder)
        self._halves: dict[int, str] = {}
        self._first = 0  # the process itself: what those it starts write to their output is nothing to us

    def take(self, line: str) -> Iterator[Deed]:
        """Take a line of the trace."""
        found = _LINE.fullmatch(line)
        if found is None:
            raise TraceError(f"no line of strace -f: {line[:60]!r}")
        thread, rest = int(found[1]), found[2]
        self._first = self._first or thread
        if begun := _UNFINISHED.fullmatch(rest):
            self._halves[thread] = begun[1]
            yield from self._began(thread, begun[1])
            return
        if ended := _RESUMED.fullmatch(rest):
            rest = self._halves.pop(thread, "") + ended[1]
        elif rest.startswith(("fsync(", "fdatasync(")):
            yield from self._began(thread, rest)
        call = _CALL.match(rest)
        if call is not None and int(call[3]) >= 0:
            yield from self._done(thread, call[1], call[2], int(call[3]))

    def _began(self, thread: int, call: str) -> Iterator[Deed]:
        verb, _, arguments = call.partition("(")
        if verb in ("fsync", "fdatasync"):
            name = self._name_of(arguments)
            if name is not None:
                yield SyncBegun(name, thread)

    def _done(self, thread: int, verb: str, arguments: str, result: int) -> Iterator[Deed]:
        if verb == "openat":
            yield from self._opened(arguments)
        elif verb in ("fsync", "fdatasync"):
            name = self._name_of(arguments)
            if name is not None:
                yield SyncEnded(name, thread)
        elif verb.startswith(("rename", "link", "unlink")):
            yield from self._named(verb, [self._inside(path) for path in _texts(arguments)])
        elif thread == self._first and verb == "write" and arguments.startswith("1<"):
            [said] = _texts(_on_file(arguments)[2])
            yield from (Said(line) for line in said.decode("ascii", "replace").splitlines())
        else:
            yield from self._changed(verb, arguments, result)

    def _changed(self, verb: str, arguments: str, result: int) -> Iterator[Deed]:
        """Take a write or a cut of a file."""
        name, rest = self._name_of(arguments), _on_file(arguments)[2]
        if not name:
            return
        if verb == "ftruncate":
            yield Cut(name, int(rest))
            return
        [content] = _texts(rest)
        offset = int(rest.rsplit(", ", 1)[1]) if verb == "pwrite64" else -1
        yield Written(name, offset, content[:result])

    def _opened(self, arguments: str) -> Iterator[Deed]:
        if "O_CREAT" not in arguments:
            return
        name = self._inside(_texts(arguments)[-1])
        if name:
            yield Created(name, "O_TRUNC" in arguments)

    def _named(self, verb: str, names: list[str | None]) -> Iterator[Deed]:
        if verb.startswith("unlink"):
            if names[0]:
                yield Unlinked(names[0])
        elif names[0] and names[1]:
            yield Linked(names[1], names[0], verb.startswith("rename"))
        elif names[0] or names[1]:
            raise TraceError("a file was moved into the folder or out of it: what it held is not known")

    def _name_of(self, arguments: str) -> str | None:
        """Give the name of the file a call is about, empty for the folder, None for what lies elsewhere."""
        return self._inside(_bytes(_on_file(arguments)[1]))

    def _inside(self, path: bytes) -> str | None:
        place = PurePosixPath(path.decode("utf-8", "replace"))
        if place == self._folder:
            return ""
        inside = place.parent == self._folder and not place.name.endswith(SHARED_MEMORY)
        return place.name if inside else None


def _on_file(arguments: str) -> tuple[str, str, str]:
    """Give descriptor, its path in hexadecimal, and the other arguments."""
    found = _ON_FILE.match(arguments)
    if found is None:
        return "", "", arguments
    return found[1], found[2], found[3]


def _texts(arguments: str) -> list[bytes]:
    """Give all quoted strings.  Raises: TraceError: strace has cut one."""
    found = list(_TEXT.finditer(arguments))
    if any(one[2] for one in found):
        raise TraceError("strace has cut a string: its -s is too small")
    return [_bytes(one[1]) for one in found]


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
