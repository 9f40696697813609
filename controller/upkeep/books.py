"""The books: all that is folded from the ledger's moves, kept while the service runs, and encoded for a snapshot."""

from __future__ import annotations

import gc
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from functools import lru_cache
from hashlib import blake2b
from importlib.resources import files
from itertools import islice
from typing import Any, Protocol, get_type_hints

import msgspec
import structlog
from sqlalchemy import Engine

from controller.campaign.plan import capture_faults
from controller.config import Config
from controller.core.campaign import Campaign, Kept
from controller.core.foreman import Foreman
from controller.core.moves import AnyMove
from controller.core.remakes import Remakes
from controller.core.state import FloorState
from controller.core.tally import Tally
from controller.ledger.snapshot import usable_snapshots
from controller.plain import Plain, plain_of

log = structlog.get_logger()

FOLDING = {  # packages and their files that decide what a fold of moves is, besides the settings
    "controller": ("plain.py",),
    "controller.upkeep": ("books.py",),
    "controller.core": (),  # all
    "devices": ("defects.py", "lies.py", "messages.py", "peers.py"),
}
ITEMS_MAX = 1_000  # of a mapping or list in one piece: longer ones would hold all threads while they are encoded
LEVEL = 1  # of zlib: a fifth of the size for a tenth of the time that storing it would take

_LENGTH_BYTES = 4
_encode = msgspec.msgpack.Encoder().encode
_heads = msgspec.msgpack.Decoder(tuple[str, str, msgspec.Raw])


class BooksUnreadable(Exception):
    """Bytes are not the books of this program: fold the moves instead."""

    code = "books.unreadable"


@dataclass(slots=True)
class Books:
    """What is folded from the ledger at the start, and kept from then on."""

    foreman: Foreman
    tally: Tally
    last_floor_s: float
    campaign: Campaign = field(default_factory=lambda: Campaign(capture_faults()))

    def fold(self, moves: Iterable[tuple[float, AnyMove]]) -> int:
        """Fold moves of the ledger; give how many there were."""
        count, at_floor_s = 0, self.last_floor_s
        replay, tally, campaign = self.foreman.replay, self.tally.fold, self.campaign.fold
        for at_floor_s, move in moves:
            replay(at_floor_s, move)
            tally(at_floor_s, move)
            campaign(at_floor_s, move)
            count += 1
        self.last_floor_s = at_floor_s
        return count

    def count(
        self, at_floor_s: float, moves: Sequence[AnyMove], seen: Callable[[float, AnyMove], None] | None = None
    ) -> None:
        """Count moves that are durable; `seen` is told of each one before it is counted."""
        for move in moves:
            if seen is not None:
                seen(at_floor_s, move)
            self.tally.fold(at_floor_s, move)
            self.campaign.fold(at_floor_s, move)
        if moves:
            self.last_floor_s = at_floor_s


@dataclass(slots=True)
class Folded:
    """Books as they are after move `seq`, of which the last `moves` were folded one by one."""

    books: Books
    seq: int
    moves: int


def empty_books(config: Config) -> Books:
    """Give the books of a ledger without a move."""
    return Books(Foreman(config.core()), Tally(remakes=Remakes(config.calendar)), 0.0)


class Recorded(Protocol):
    """A ledger's durable moves: `controller.ledger.store.Ledger`, or whoever else reads them."""

    @property
    def reading(self) -> Engine:
        """The engine of its read-only connections."""

    def replay(self, after: int = 0) -> Iterator[tuple[float, AnyMove]]:
        """Give the moves numbered above `after`, with their floor times."""


def open_books(ledger: Recorded, config: Config) -> Folded:
    """Give the books of all durable moves: from the newest snapshot that may be believed, and the moves after it.

    For a worker thread: a million open moves take some seconds.  Raises: LedgerDamaged, CoreError.
    """
    with _uncollected():
        opened = _newest(ledger, config) or Folded(empty_books(config), 0, 0)
        opened.moves = opened.books.fold(ledger.replay(opened.seq))
        opened.seq += opened.moves
    return opened


def _newest(ledger: Recorded, config: Config) -> Folded | None:
    for snapshot in usable_snapshots(ledger.reading, code_of(config)):
        try:
            return Folded(decode_books(snapshot.body, config), snapshot.at.seq, 0)
        except BooksUnreadable as error:
            log.warning("snapshot not used", seq=snapshot.at.seq, why=str(error))
    return None


def code_of(config: Config) -> str:
    """Give the digest (64 hex digits) of the program's folding source and of the settings that folding asks.

    The libraries that make the bytes are in it too: another one may squeeze equal books to other bytes.
    """
    libraries = (zlib.ZLIB_RUNTIME_VERSION, msgspec.__version__)
    settings = repr((config.drift, config.calendar, sorted(capture_faults().items()), libraries))
    return blake2b(source_digest() + settings.encode(), digest_size=32).hexdigest()


@lru_cache(maxsize=1)
def source_digest() -> bytes:
    """Give the digest (32 bytes) of the source that decides what a fold of moves is."""
    return digest_of_source(FOLDING)


def digest_of_source(packages: Mapping[str, Sequence[str]]) -> bytes:
    """Give the digest (32 bytes) of files of packages as they stand now; a package without names counts whole."""
    whole = blake2b(digest_size=32)
    for package, names in packages.items():
        folder = files(package)
        for name in names or sorted(one.name for one in folder.iterdir() if one.name.endswith(".py")):
            source = folder.joinpath(name).read_bytes()
            whole.update(f"{package} {name} {len(source)}\n".encode() + source)
    return whole.digest()


# ---- as bytes -------------------------------------------------------------------------------------------------


def encode_books(books: Books) -> bytes:
    """Give books as bytes: equal books, however they came about, give equal bytes.

    No other thread may change them meanwhile.  It is done in pieces, so that other threads get their turn.
    """
    squeeze = zlib.compressobj(LEVEL)
    with _uncollected():
        return b"".join([*(squeeze.compress(piece) for piece in _pieces(books)), squeeze.flush()])


def decode_books(body: bytes, config: Config) -> Books:
    """Give the books that `encode_books` made under the same settings.  Raises: BooksUnreadable."""
    try:
        found = {name: _whole(kind, pieces) for (name, kind), pieces in _parts_in(zlib.decompress(body))}
        books = Books(Foreman(config.core(), found["state"]), found["tally"], found["last"].floor_s)
        books.campaign = Campaign(capture_faults(), found["campaign"])
    except (KeyError, TypeError, ValueError, zlib.error, msgspec.MsgspecError) as error:
        raise BooksUnreadable(f"it cannot be read: {type(error).__name__}") from error
    return books


@dataclass(slots=True)
class _Last:
    floor_s: float


_PARTS: dict[str, type] = {"state": FloorState, "tally": Tally, "campaign": Kept, "last": _Last}


@lru_cache(maxsize=8)
def _fields_of(kind: type) -> dict[str, tuple[Plain, msgspec.msgpack.Decoder[Any]]]:
    hints = get_type_hints(kind)
    plain = {one.name: plain_of(hints[one.name]) for one in fields(kind)}
    return {name: (one, msgspec.msgpack.Decoder(one.kind)) for name, one in plain.items()}


def _pieces(books: Books) -> Iterator[bytes]:
    parts = {
        "state": books.foreman.state,
        "tally": books.tally,
        "campaign": books.campaign.kept,
        "last": _Last(books.last_floor_s),
    }
    for part, value in parts.items():
        for name, (plain, _) in _fields_of(_PARTS[part]).items():
            whole = getattr(value, name)
            for piece in _cut(whole if plain.make is None else plain.make(whole)):
                body = _encode((part, name, piece))
                yield len(body).to_bytes(_LENGTH_BYTES) + body


def _cut(whole: Any) -> Iterator[Any]:
    """Cut a mapping or list into pieces, at least one; whatever else is one piece."""
    if not isinstance(whole, dict | list) or len(whole) <= ITEMS_MAX:
        yield whole
    elif isinstance(whole, list):
        yield from (whole[first : first + ITEMS_MAX] for first in range(0, len(whole), ITEMS_MAX))
    else:
        items = iter(whole.items())
        while piece := dict(islice(items, ITEMS_MAX)):
            yield piece


def _parts_in(body: bytes) -> Iterator[tuple[tuple[str, type], dict[str, list[msgspec.Raw]]]]:
    """Give each part with the pieces of its fields."""
    found: dict[str, dict[str, list[msgspec.Raw]]] = {}
    view, at = memoryview(body), 0
    while at < len(view):
        first = at + _LENGTH_BYTES
        at = first + int.from_bytes(view[at:first])
        part, name, piece = _heads.decode(view[first:at])
        found.setdefault(part, {}).setdefault(name, []).append(piece)
    for part, pieces in found.items():
        yield (part, _PARTS[part]), pieces


def _whole(kind: type, pieces: dict[str, list[msgspec.Raw]]) -> Any:
    values = {}
    for name, (plain, decoder) in _fields_of(kind).items():
        first, *more = (decoder.decode(piece) for piece in pieces[name])
        for piece in more:
            first.update(piece) if isinstance(first, dict) else first.extend(piece)
        values[name] = first if plain.back is None else plain.back(first)
    return kind(**values)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Keep the garbage collector from what is built here, now and later.

    Looking through a hundred thousand open cards again and again is slow, and holds every thread for half a second
    each time (measured); they are no cycles, and go without it.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.freeze()
            gc.enable()
