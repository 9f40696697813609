"""The floor of the intake's job: its decodes, its bytes over CURVE and its rows, one after another in one thread."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import simplejpeg
import zmq

from bench.batches import Batch
from bench.intake_load import CHUNK_CARDS, chunks_of
from controller.encoding import open_application
from controller.ledger.store import DATABASE_NAME as LEDGER_NAME
from controller.vault.store import DATABASE_NAME as VAULT_NAME
from controller.wire import Chunk, ChunkStored
from encoders.envelope import pack

WAIT_MS = 10_000  # after which a message that does not come ends the bench


def decode_s(batches: Sequence[Batch]) -> float:
    """Give the seconds to decode every portrait in the colour and scale that `controller.intake.examination` uses.

    As simplejpeg is called by anybody: into a new array for each picture, which costs it more than our one canvas.
    """
    pictures = [open_application(one).portrait for batch in batches for one in batch.applications]
    began_s = time.perf_counter()
    for picture in pictures:
        simplejpeg.decode_jpeg(picture, colorspace="GRAY", fastdct=True, strict=True)
    return time.perf_counter() - began_s


def curve_s(batches: Sequence[Batch]) -> float:
    """Give the seconds to bring the same chunks over raw pyzmq with CURVE on loopback, each with a small answer."""
    frames = [_frame(batch, first) for batch, first in chunks_of(batches)]
    public, secret = zmq.curve_keypair()
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router, context.socket(zmq.DEALER) as dealer:
        router.curve_server, router.curve_secretkey = True, secret
        port = router.bind_to_random_port("tcp://127.0.0.1")
        dealer.curve_publickey, dealer.curve_secretkey = zmq.curve_keypair()
        dealer.curve_serverkey = public
        for socket in (router, dealer):
            socket.linger, socket.rcvtimeo, socket.sndtimeo = 0, WAIT_MS, WAIT_MS
        dealer.connect(f"tcp://127.0.0.1:{port}")
        answer = pack(ChunkStored(request=1, batch_number=batches[0].batch_number, first=0, count=CHUNK_CARDS))
        _exchange(router, dealer, frames[0][:100], answer)  # the handshake is no part of it
        began_s = time.perf_counter()
        for frame in frames:
            _exchange(router, dealer, frame, answer)
        return time.perf_counter() - began_s


def rows_s(data: Path, scratch: Path) -> float:
    """Give the seconds to insert every row that the service stored, with raw sqlite3, into tables made alike.

    WAL, `synchronous=FULL`, a transaction for each chunk's worth of rows, and no checkpoint.
    """
    return sum(_copy_s(data / name, scratch / name) for name in (LEDGER_NAME, VAULT_NAME))


def _frame(batch: Batch, first: int) -> bytes:
    raw = [msgspec.Raw(one) for one in batch.applications[first : first + CHUNK_CARDS]]
    return pack(Chunk(request=1, batch_number=batch.batch_number, first=first, applications=raw))


def _exchange(router: Any, dealer: Any, frame: bytes, answer: bytes) -> None:
    dealer.send(frame, copy=False)
    peer, _ = router.recv_multipart(copy=False)
    router.send_multipart((peer, answer))
    dealer.recv()


def _copy_s(source: Path, target: Path) -> float:
    spent_s = 0.0
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target, isolation_level=None)) as new:
        new.execute("PRAGMA journal_mode = WAL")
        new.execute("PRAGMA synchronous = FULL")
        new.execute("PRAGMA wal_autocheckpoint = 0")
        made = old.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid").fetchall()
        for _, name, sql in made:
            if not name.startswith("sqlite_"):  # SQLite makes those itself
                new.execute(sql)
        for table in (name for kind, name, _ in made if kind == "table" and not name.startswith("sqlite_")):
            for rows in _slices(old, table):
                places = ", ".join("?" * len(rows[0]))
                began_s = time.perf_counter()
                new.execute("BEGIN IMMEDIATE")
                new.executemany(f"INSERT INTO {table} VALUES ({places})", rows)
                new.execute("COMMIT")
                spent_s += time.perf_counter() - began_s
    return spent_s


def _slices(old: sqlite3.Connection, table: str) -> Iterator[list[tuple[Any, ...]]]:
    cursor = old.execute(f"SELECT * FROM {table}")
    while rows := cursor.fetchmany(CHUNK_CARDS):
        yield rows
