"""A folder on a disk as a power cut leaves it: what was synced, and of the rest whatever luck has brought there.

What is not synced survives in pieces of a sector (512 bytes), each or none, in any mixture; so do changes of size and
names, except that of one name the later change cannot stand without the earlier one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from random import Random

from bench.crash_trace import Created, Cut, Deed, Linked, Said, SyncBegun, SyncEnded, Unlinked, Written

SECTOR_BYTES = 512
NOTHING, SOME, ALL = "nothing", "some", "all"  # of what is not synced, that a cut leaves


@dataclass(slots=True)
class _File:
    """A file's safe content, what was done to it since, and its content as the process sees it."""

    safe: bytearray = field(default_factory=bytearray)
    since: list[tuple[int, int, bytes | None]] = field(default_factory=list)  # number, offset or size, bytes or a cut
    size: int = 0  # as the process sees it


class Disk:
    """Takes deeds in order; `after_power_cut` may be asked at any time and changes nothing."""

    def __init__(self) -> None:
        self._files: list[_File] = []
        self._safe_names: dict[str, int] = {}
        self._names: dict[str, int] = {}  # as the process sees them
        self._since: list[tuple[int, str, int | None]] = []  # of names: number, name, file or gone
        self._begun: dict[tuple[str, int], tuple[int, int]] = {}  # by name and thread: the file, and how far it covers
        self._count = 0
        self.syncs = 0

    def take(self, deed: Deed) -> None:
        """Take the next thing that was done."""
        self._count += 1
        match deed:
            case Written(name, offset, content):
                file = self._file(name)
                at = file.size if offset < 0 else offset
                file.since.append((self._count, at, content))
                file.size = max(file.size, at + len(content))
            case Cut(name, size):
                file = self._file(name)
                file.since.append((self._count, size, None))
                file.size = size
            case Created(name, emptied):
                if name not in self._names:
                    self._files.append(_File())
                    self._name(name, len(self._files) - 1)
                elif emptied:
                    self.take(Cut(name, 0))
            case Linked(name, source, moved):
                self._name(name, self._names[source])
                if moved:
                    self._name(source, None)
            case Unlinked(name):
                self._name(name, None)
            case SyncBegun(name, thread):
                self._begun[name, thread] = (self._names[name] if name else -1, self._count)
            case SyncEnded(name, thread):
                self._sync(*self._begun.pop((name, thread)))
            case Said():
                pass

    def after_power_cut(self, luck: Random) -> dict[str, bytes]:
        """Give the files by name as they are found after a power cut now."""
        mode = luck.choice((NOTHING, SOME, SOME, ALL))
        share = luck.uniform(0.05, 0.95)

        def survives() -> bool:
            return mode == ALL or (mode == SOME and luck.random() < share)

        names = dict(self._safe_names)
        lost: set[str] = set()
        for _, name, file in self._since:
            if name in lost or not survives():
                lost.add(name)
            else:
                _set(names, name, file)
        return {name: self._content(self._files[file], survives) for name, file in names.items()}

    def whole(self) -> dict[str, bytes]:
        """Give the files by name as the process sees them now."""
        return {name: self._content(self._files[file], lambda: True) for name, file in self._names.items()}

    # ---- inside ------------------------------------------------------------------------------------------------

    def _file(self, name: str) -> _File:
        return self._files[self._names[name]]

    def _name(self, name: str, file: int | None) -> None:
        _set(self._names, name, file)
        self._since.append((self._count, name, file))

    def _sync(self, file: int, upto: int) -> None:
        """Make safe what was done before the sync began."""
        self.syncs += 1
        if file < 0:
            for number, name, target in self._since:
                if number <= upto:
                    _set(self._safe_names, name, target)
            self._since = [one for one in self._since if one[0] > upto]
            return
        one = self._files[file]
        for number, at, content in one.since:
            if number <= upto:
                _apply(one.safe, at, content)
        one.since = [left for left in one.since if left[0] > upto]

    def _content(self, file: _File, survives: Callable[[], bool]) -> bytes:
        image = bytearray(file.safe)
        for _, at, content in file.since:
            if content is None:
                if survives():
                    _apply(image, at, None)
                continue
            for start, piece in _pieces(at, content):
                if survives():
                    _apply(image, start, piece)
        return bytes(image)


def _pieces(at: int, content: bytes) -> list[tuple[int, bytes]]:
    """Give a write cut where the disk's sectors end, as (offset, bytes)."""
    first = SECTOR_BYTES - at % SECTOR_BYTES
    cuts = [0, *range(first, len(content), SECTOR_BYTES), len(content)]
    return [(at + start, content[start:end]) for start, end in pairwise(cuts)]


def _apply(image: bytearray, at: int, content: bytes | None) -> None:
    """Write at an offset, or cut to a size; what lies between is zeros."""
    if content is None:
        del image[at:]
        image.extend(bytes(at - len(image)))
        return
    if len(image) < at:
        image.extend(bytes(at - len(image)))
    image[at : at + len(content)] = content


def _set(names: dict[str, int], name: str, file: int | None) -> None:
    if file is None:
        names.pop(name, None)
    else:
        names[name] = file
