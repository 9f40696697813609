"""The cells of a SQLite file, byte by byte: what SQLite itself never reads is looked at too.

Three things in a file stand for nothing that a query gives back: the type of the empty place that a row number leaves
in its record, the record of a row that is nothing but its number, and the keys inside a table's tree that only steer
the search.  A bit of them may flip unseen by every query and by `integrity_check`; here it is seen.
Source: https://www.sqlite.org/fileformat2.html, sections 1.6, 2 and 4.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

from sqlalchemy import Connection

from controller.ledger.verify.report import Verified

TABLE_LEAF, TABLE_INNER, INDEX_LEAF, INDEX_INNER = 13, 5, 10, 2
PAGES_TOLD = 5_000
DEPTH_MAX = 30
LOOKS_MAX = 100  # at a log that somebody writes
_INT_BYTES = (0, 1, 2, 3, 4, 6, 8, 8, 0, 0)
DELETED_FROM = ("meta", "snapshot")  # and tables of other databases: there a key may outlive its row
_TREES = "SELECT name, tbl_name, type, rootpage, sql FROM sqlite_master WHERE rootpage > 0"


class Damage(Exception):
    """A page is not built as SQLite builds one."""


class Pages:
    """Pages of a database as of one commit: from the write-ahead log where it has them, else from the file.

    The caller's connection has begun to read before: while it does, no page is overwritten that is needed here.
    """

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDONLY)
        header = os.pread(self._file, 100, 0)
        size = int.from_bytes(header[16:18])
        self.size_bytes = 65_536 if size == 1 else size
        self.usable_bytes = self.size_bytes - header[20]
        self._log = -1
        self._in_log: dict[int, int] = {}
        self.count = os.fstat(self._file).st_size // self.size_bytes
        # the log begins anew at a moment of its own
        self.is_steady = any(self._read_log(path) for _ in range(LOOKS_MAX))

    def close(self) -> None:
        """Close both files."""
        os.close(self._file)
        if self._log >= 0:
            os.close(self._log)

    def page(self, number: int) -> bytes:
        """Give a page.  Raises: Damage: there is none."""
        if not 1 <= number <= self.count:
            raise Damage(f"page {number} is not there")
        at = self._in_log.get(number)
        if at is None:
            found = os.pread(self._file, self.size_bytes, (number - 1) * self.size_bytes)
        else:
            found = os.pread(self._log, self.size_bytes, at)
        if len(found) != self.size_bytes:
            raise Damage(f"page {number} is not there")
        return found

    def _read_log(self, path: Path) -> bool:
        """Note where the log has pages; give whether shared memory and log were of one moment."""
        self._in_log.clear()
        shared = path.with_name(f"{path.name}-shm")
        try:
            index = shared.read_bytes()[:48]
            if self._log < 0:
                self._log = os.open(path.with_name(f"{path.name}-wal"), os.O_RDONLY)
        except FileNotFoundError:
            return True
        frames, salts = int.from_bytes(index[16:20], _native(index)), index[32:40]
        if frames == 0:
            return True
        if os.pread(self._log, 8, 16) != salts:
            return False
        step = self.size_bytes + 24
        for frame in range(frames):
            head = os.pread(self._log, 16, 32 + frame * step)
            if head[8:16] != salts:
                return False
            self._in_log[int.from_bytes(head[:4])] = 32 + frame * step + 24
        self.count = max(self.count, *self._in_log)
        return True


def _native(
    index: bytes,
) -> Literal["little", "big"]:  # the shared memory is in the machine's own byte order: its version is 3007000
    return "little" if int.from_bytes(index[:4], "little") == 3_007_000 else "big"


class Tree(NamedTuple):
    """A table or index in the file."""

    name: str
    root: int
    number_at: int  # place of the column that is the row's number; -1: none
    columns: int  # at most; 0: not known
    keys_exact: bool  # an inner key is the last key of what lies left of it


@dataclass(slots=True)
class _Walk:
    tree: Tree
    pages: Pages
    report: Verified
    seen: int = 0

    def walk(self, number: int, depth: int = 0) -> int:
        """Look at all pages below and at one; give the last row number there.  Raises: Damage, IndexError."""
        page = self.pages.page(number)
        at = 100 if number == 1 else 0
        kind, count = page[at], int.from_bytes(page[at + 3 : at + 5])
        self.seen += 1
        is_of_a_tree = kind in (TABLE_LEAF, TABLE_INNER, INDEX_LEAF, INDEX_INNER)
        if not is_of_a_tree or depth > DEPTH_MAX or self.seen > self.pages.count:
            raise Damage(f"page {number} is no page of this tree")
        if self.seen % PAGES_TOLD == 0:
            self.report.tell(f"pages of {self.tree.name}", self.seen, 0)
        begin = at + (12 if kind in (TABLE_INNER, INDEX_INNER) else 8)
        last = 0
        for place in range(begin, begin + 2 * count, 2):
            cell = page[int.from_bytes(page[place : place + 2]) :]
            last = self._cell(kind, cell, depth)
        if kind in (TABLE_INNER, INDEX_INNER):
            last = self.walk(int.from_bytes(page[at + 8 : at + 12]), depth + 1)
        return last

    def _cell(self, kind: int, cell: bytes, depth: int) -> int:
        if kind == TABLE_INNER:
            last = self.walk(int.from_bytes(cell[:4]), depth + 1)
            key, _ = _varint(cell, 4)
            if self.tree.keys_exact and key != last:
                raise Damage(f"a key that steers the search to row {last} is {key}")
            return key
        if kind == TABLE_LEAF:
            size, at = _varint(cell, 0)
            row, at = _varint(cell, at)
            self._record(cell, at, size)
            return row
        at = 0
        if kind == INDEX_INNER:
            self.walk(int.from_bytes(cell[:4]), depth + 1)
            at = 4
        size, at = _varint(cell, at)
        self._record(cell, at, size)
        return 0

    def _record(self, cell: bytes, begin: int, size: int) -> None:
        """Look at a record's head: its length, its types, and what they add up to."""
        head, at = _varint(cell, begin)
        whole, end, columns = head, begin + head, 0
        while at < end:
            kind = cell[at]
            if kind < 0x80:  # nearly all: a call for each would take most of the time
                at += 1
            else:
                kind, at = _varint(cell, at)
            if columns == self.tree.number_at and kind:
                raise Damage("the place of a row's number is not empty")
            whole += _INT_BYTES[kind] if kind < 10 else (kind - 12) // 2
            columns += 1
        if at != end or whole != size or columns > (self.tree.columns or columns) or not columns:
            raise Damage("a record is not as long as its head says")


def check_pages(connection: Connection, report: Verified, deleted_from: tuple[str, ...] = DELETED_FROM) -> None:
    """Walk every tree of the database that a connection, which has begun to read, is open on.

    A key inside the tree of a table that rows are `deleted_from` may be any that lies between its neighbours.
    Cost: 4 us a row.
    """
    files = connection.exec_driver_sql("PRAGMA database_list").all()
    path = next((file for _, name, file in files if name == "main"), "")
    if not path:
        return  # in memory
    pages = Pages(Path(path))
    if not pages.is_steady:
        report.notes.append("cells: not looked into, the log began anew again and again: verify at a quieter time")
        pages.close()
        return
    try:
        for tree in _trees(connection, deleted_from):
            walk = _Walk(tree, pages, report)
            try:
                walk.walk(tree.root)
            except (Damage, IndexError) as error:
                report.add(f"{tree.name}: {error if isinstance(error, Damage) else 'a record ends too soon'}")
            report.counts["pages"] += walk.seen
    finally:
        pages.close()


def _trees(connection: Connection, deleted_from: tuple[str, ...]) -> Iterator[Tree]:
    yield Tree("sqlite_master", 1, -1, 5, False)
    for name, table, kind, root, sql in connection.exec_driver_sql(_TREES).all():
        columns = connection.exec_driver_sql(f'PRAGMA table_info("{table}")').all() if kind == "table" else []
        keys = [row for row in columns if row[5]]
        is_number = len(keys) == 1 and keys[0][2] == "INTEGER" and "WITHOUT ROWID" not in str(sql)
        number_at = keys[0][0] if is_number else -1
        exact = is_number and table not in deleted_from
        yield Tree(str(name), root, number_at, len(columns), exact)


def _varint(page: bytes, at: int) -> tuple[int, int]:
    """Give a number of 1 to 9 bytes and where it ends.  Raises: IndexError."""
    value = page[at]
    if value < 0x80:
        return value, at + 1
    value &= 0x7F
    for place in range(at + 1, at + 8):
        byte = page[place]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + 1
    return value << 8 | page[at + 8], at + 9
