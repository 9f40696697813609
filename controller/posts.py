"""Posts: who may work at which step or decide, and until when, from a table that is read again when it changes."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import structlog

from controller.clock import day_start_floor_s
from controller.config import ConfigError, PostConfig
from controller.core.calendar import DAY_S
from controller.core.turn import Refused
from controller.table_file import TableFile, read_table
from devices.defects import Step

log = structlog.get_logger()
OFFICE = "office"  # whoever decides: not at a station
POSTS = (*(step.value for step in Step), OFFICE)
COLUMNS = ("name", "post", "valid_until")
SOON_DAYS = 30  # a certificate that ends within so many days is marked
MAX_NAME = 64
MAX_TABLE_BYTES = 4 << 20

Certificates = dict[tuple[str, str], "Certificate"]  # by name and post


class PostTableError(ConfigError):
    """The table of posts cannot be used; the sentence names file and line."""

    code = "posts.malformed"


@dataclass(frozen=True, slots=True)
class Certificate:
    """One person's certificate for one post; it holds on the day `valid_until` (YYYYMMDD) too."""

    name: str
    post: str
    valid_until: str

    def days_left(self, today: str) -> int:
        """Give the days from `today` (YYYYMMDD) to its last one; below 0 it has ended."""
        return (_date(self.valid_until) - _date(today)).days


class Posts:
    """The table of a file; without a path no certificate is asked for.

    A file that breaks later is named in the log and in `fault`, and the last good table holds on.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Read the table.  Raises: PostTableError."""
        self._file = TableFile(path, read_posts, "posts", "certificates") if path else None

    @property
    def asked_for(self) -> bool:
        """Say whether certificates are asked for at all."""
        return self._file is not None

    def fault(self) -> str:
        """Give why the file as it is now cannot be used, empty when it can: then an older table holds."""
        return self._file.fault() if self._file else ""

    def refusal(self, name: str, post: str, today: str) -> Refused | None:
        """Give why a person may not work at a post today (a step's name or `office`), None when it may."""
        if not self.asked_for:
            return None
        held = self._table().get((name, post))
        if held is None:
            return Refused("post.none", f"{name} has no certificate for the post {post}: see `cardmill posts`")
        if held.days_left(today) < 0:
            ended = _date(held.valid_until).isoformat()
            return Refused("post.expired", f"the certificate of {name} for the post {post} ended on {ended}")
        return None

    def until_floor_s(self, name: str, post: str) -> float:
        """Give the floor second at which a person's certificate ends, 0 when there is none or none is asked for."""
        held = self._table().get((name, post))
        return day_start_floor_s(held.valid_until) + DAY_S if held else 0.0

    def listing(self, today: str) -> list[dict[str, str | int]]:
        """Give each certificate with the days it has left and its mark: empty, `soon` or `ended`."""
        rows = sorted(self._table().values(), key=lambda one: (one.name, POSTS.index(one.post)))
        return [
            {
                "name": one.name,
                "post": one.post,
                "valid_until": _date(one.valid_until).isoformat(),
                "days_left": one.days_left(today),
                "mark": _mark(one.days_left(today)),
            }
            for one in rows
        ]

    def _table(self) -> Certificates:
        return self._file.rows() if self._file else {}


def open_posts(config: PostConfig) -> Posts:
    """Give the posts of a section; that none are asked for is said in the log.  Raises: PostTableError."""
    if not config.table:
        log.warning("posts not asked for", text="posts.table is empty: no certificate is asked for, roles alone decide")
        return Posts()
    return Posts(Path(config.table))


def read_posts(path: Path) -> Certificates:
    """Give the certificates of a CSV `name,post,valid_until` by name and post.  Raises: PostTableError."""
    text = read_table("posts.table", path, MAX_TABLE_BYTES, PostTableError)
    reader = csv.reader(io.StringIO(text), strict=True)
    held: Certificates = {}
    try:
        for number, row in enumerate(reader, 1):
            if number == 1 and tuple(row) != COLUMNS:
                raise _broken(path, 1, f"the columns {','.join(COLUMNS)}")
            if number == 1 or not row:
                continue
            one = _certificate(path, reader.line_num, row)
            if (one.name, one.post) in held:
                raise _broken(path, reader.line_num, "each person and post once")
            held[one.name, one.post] = one
    except csv.Error:
        raise _broken(path, reader.line_num, "comma separated values") from None
    if not held:
        raise _broken(path, reader.line_num + 1, "at least one certificate: without any nobody could decide anything")
    return held


def _certificate(path: Path, line: int, row: list[str]) -> Certificate:
    cells = [cell.strip() for cell in row]
    if len(cells) != len(COLUMNS):
        raise _broken(path, line, f"{len(COLUMNS)} cells")
    name, post, day = cells
    if not 1 <= len(name) <= MAX_NAME or not name.isprintable():
        raise _broken(path, line, f"a name of 1 to {MAX_NAME} characters")
    if post not in POSTS:
        raise _broken(path, line, f"a post of {', '.join(POSTS)}")
    try:
        valid_until = date.fromisoformat(day)
    except ValueError:
        raise _broken(path, line, "a last day like 2027-06-30") from None
    return Certificate(name, post, valid_until.strftime("%Y%m%d"))


def _broken(path: Path, line: int, expected: str) -> PostTableError:
    return PostTableError(f"posts.table: {path}, line {line}: expected {expected}")


def _mark(days_left: int) -> str:
    if days_left < 0:
        return "ended"
    return "soon" if days_left <= SOON_DAYS else ""


def _date(day: str) -> date:
    return date(int(day[:4]), int(day[4:6]), int(day[6:]))
