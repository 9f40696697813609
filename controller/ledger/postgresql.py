"""PostgreSQL: one schema of a database, opened for its one writer, who holds its lock, and for its readers."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError

from controller.ledger.errors import LedgerInUse, LedgerUnfit

DRIVER = "postgresql+psycopg"
APPLICATION = "cardmill"
CONNECT_WITHIN_S = 10
LOCK_WITHIN_S = 3.0  # the server takes a moment to see that a process that was killed is gone

# a server that acknowledges what it could lose is refused: setting, what it must be
REQUIRED: Mapping[str, str] = {
    "server_encoding": "UTF8",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
}
WHAT_TO_DO: Mapping[str, str] = {"server_encoding": "make the database anew with ENCODING 'UTF8'"}
# a writer whose machine is gone is noticed by the server in about 25 s, one that hangs in a commit in 60 s: then its
# lock is free for the next one
_WRITER_SETTINGS: Mapping[str, str] = {
    "synchronous_commit": "on",
    "idle_in_transaction_session_timeout": "60s",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
_READER_SETTINGS: Mapping[str, str] = {
    "default_transaction_read_only": "on",
    "default_transaction_isolation": r"repeatable\ read",  # one look sees one moment, as in SQLite
}
_WRITER_LINK = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 30_000}

_WHO_HOLDS = """
SELECT a.application_name, a.pid, a.backend_start::timestamp(0)
FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
AND l.classid::bigint = %s AND l.objid::bigint = %s"""


def writer_engine(url: str, schema: str, *, locking: bool) -> Engine:
    """Give an engine of one connection, which is made only if the server is safe; the schema is made if need be.

    `locking`: the connection holds the schema's lock as long as it lives, or is not made.
    Raises: LedgerUnfit.  At the first connection LedgerUnfit, LedgerInUse.
    """
    settings = {"search_path": schema, **_WRITER_SETTINGS}
    engine = _engine(url, settings, {"target_session_attrs": "read-write", **_WRITER_LINK}, pool_size=1, max_overflow=0)

    def connect(dialect: Any, record: Any, words: Any, options: Any) -> Any:
        connection = dialect.connect(*words, **options)
        try:
            connection.autocommit = True
            _require_safe(connection)
            if locking:
                _take_lock(connection, schema)
            _ensure_schema(connection, schema)
            connection.autocommit = False
        except BaseException:
            connection.close()
            raise
        return connection

    event.listen(engine, "do_connect", connect)
    return engine


def reader_engine(url: str, schema: str) -> Engine:
    """Give an engine that cannot write, for any thread; the schema must be there.  Raises: LedgerUnfit."""
    return _engine(url, {"search_path": schema, **_READER_SETTINGS}, {})


def _engine(url: str, settings: Mapping[str, str], link: Mapping[str, Any], **pool: int) -> Engine:
    address = _address(url)
    own = "".join(f" -c {name}={value}" for name, value in settings.items())
    given = address.query.get("options", "")
    options = {
        "connect_timeout": CONNECT_WITHIN_S,
        **{name: value for name, value in link.items() if name not in address.query},
        "options": f"{given if isinstance(given, str) else ' '.join(given)}{own}",
        # else a database of SQL_ASCII answers with bytes, and nothing here could read what it says of itself
        "client_encoding": "UTF8",
        "application_name": f"{APPLICATION} {socket.gethostname()[:40]} {os.getpid()}",
    }
    try:
        # positional parameters, so that a statement of the driver's own takes a row as a tuple in both engines
        engine = create_engine(
            address, paramstyle="format", use_native_hstore=False, hide_parameters=True, connect_args=options, **pool
        )
    except ModuleNotFoundError as error:
        raise LedgerUnfit("PostgreSQL's driver is missing: run `pip install 'cardmill[postgresql]'`") from error
    event.listen(engine, "connect", _adapt)
    return engine


def _address(url: str) -> URL:
    """Give the address with its driver.  It is in no error: a password may be in it.  Raises: LedgerUnfit."""
    try:
        address = make_url(url)
    except (ArgumentError, ValueError):
        address = None
    if address is None or address.get_backend_name() != "postgresql" or not address.database:
        raise LedgerUnfit("storage.url is not an address like postgresql://USER@HOST/DATABASE: correct it")
    return address.set(drivername=DRIVER)


def _adapt(connection: Any, record: Any) -> None:
    """Let numbers always go as eight bytes: a statement then keeps its one plan, whatever their size.

    PostgreSQL's text has no NUL; one from outside, which nothing stored has, becomes a sign that stands for it.
    """
    from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper  # the driver comes with an extra
    from psycopg.types.string import StrBinaryDumper, StrDumper

    class TextDumper(StrDumper):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "␀"))

    class TextBinaryDumper(StrBinaryDumper):
        def dump(self, obj: str) -> Any:
            return super().dump(obj.replace("\0", "␀"))

    for dumper in (Int8Dumper, Int8BinaryDumper):
        connection.adapters.register_dumper(int, dumper)
    for text_dumper in (TextBinaryDumper, TextDumper):
        connection.adapters.register_dumper(str, text_dumper)


def _require_safe(connection: Any) -> None:
    """Raises: LedgerUnfit: what is acknowledged could be lost, or texts do not fit."""
    for name, wanted in REQUIRED.items():
        [value] = connection.execute("SELECT current_setting(%s)", [name]).fetchone()
        if value != wanted:
            advice = f"{WHAT_TO_DO[name]}, " if name in WHAT_TO_DO else ""
            raise LedgerUnfit(
                f"the PostgreSQL server has {name} = {value}, it must be {wanted}: {advice}see docs/storage.md"
            )


def _ensure_schema(connection: Any, schema: str) -> None:
    """Make the schema unless it is there; who made it for us may have kept the right to do so."""
    if connection.execute("SELECT to_regnamespace(%s)", [schema]).fetchone() == (None,):
        connection.execute(f"CREATE SCHEMA {schema}")


def lock_key(schema: str) -> int:
    """Give the number of a schema's advisory lock: the same for every centre, 64 bits with a sign."""
    digest = blake2b(f"{APPLICATION} controller {schema}".encode("ascii"), digest_size=8).digest()
    return int.from_bytes(digest, signed=True)


def _take_lock(connection: Any, schema: str) -> None:
    """Hold the schema's lock until the connection ends, however it ends.  Raises: LedgerInUse."""
    from psycopg.errors import LockNotAvailable  # the driver comes with an extra

    key = lock_key(schema)
    connection.execute(f"SET lock_timeout = {round(LOCK_WITHIN_S * 1_000)}")
    try:
        connection.execute("SELECT pg_advisory_lock(%s)", [key])
    except LockNotAvailable:
        raise _in_use(connection, schema, key) from None
    connection.execute("RESET lock_timeout")


def _in_use(connection: Any, schema: str, key: int) -> LedgerInUse:
    bits = key & (1 << 64) - 1
    holder = connection.execute(_WHO_HOLDS, [bits >> 32, bits & 0xFFFF_FFFF]).fetchone()
    name, session, since = holder or ("", 0, "")
    words = (name or "").split()
    pid = int(words[2]) if words[:1] == [APPLICATION] and len(words) == 3 and words[2].isdecimal() else 0
    owner = f"process {pid} on {words[1]}" if pid else "another process"
    session_text = f" (session {session} of the server, since {since})" if session else ""
    return LedgerInUse(f"schema {schema}", pid, f"{owner}{session_text}")
