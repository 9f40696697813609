"""The tables, for SQLite and PostgreSQL: the journal that only grows, the state folded from its moves, the inbox."""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    event,
    literal_column,
    or_,
)
from sqlalchemy.types import TypeEngine

metadata = MetaData()

# SQLite's row number, which costs no index, must be declared INTEGER
Id = BigInteger().with_variant(Integer(), "sqlite")
# sorted by bytes in both engines, so that two copies can be compared side by side
Name = Text().with_variant(Text(collation="C"), "postgresql")


def _column(name: str, kind: TypeEngine[Any] | type[TypeEngine[Any]], **rest: Any) -> Column[Any]:
    return Column(name, kind, nullable=False, **rest)


meta = Table(
    "meta", metadata, Column("key", Name, primary_key=True), _column("value", Text), _column("row_hash", LargeBinary)
)

# ---- the journal ----------------------------------------------------------------------------------------------

move = Table(
    "move",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    _column("at_floor_s", Double),
    _column("tag", Text),
    _column("body", LargeBinary),  # msgpack of the move
    _column("hash", LargeBinary),  # see `chain`
)

# what is looked for over weeks and months: one move in twenty, so that the others need not be walked over
RARE_TAGS = (
    *("batches_purged", "bundle", "bundle_opened", "bundle_stopped", "came_back", "decided", "encode", "encoded"),
    *("ledger_restored", "missing", "quarantined", "received", "sent", "set_good", "signed_on", "stopped", "supply"),
    "tables_folded",
)
# SQLite takes a partial index when the query names one of these words as it stands here
_is_rare = or_(*(move.c.tag == literal_column(f"'{tag}'") for tag in RARE_TAGS))
rare_moves = Index("move_rare", move.c.tag, move.c.seq, sqlite_where=_is_rare, postgresql_where=_is_rare)

journal_event = Table(
    "event",
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    _column("at_floor_s", Double),
    _column("body", LargeBinary),  # msgpack of the event
    _column("move_seq_after", BigInteger),  # the last move when this event and its moves were recorded
    _column("hash", LargeBinary),  # see `chain`: events have a chain of their own
)

APPEND_ONLY = (move, journal_event)

SQLITE_TRIGGER = """CREATE TRIGGER {table}_no_{verb} BEFORE {verb} ON {table}
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"""
_POSTGRESQL_FUNCTION = """CREATE OR REPLACE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql
AS 'BEGIN RAISE EXCEPTION ''the journal is append-only''; END'"""
_POSTGRESQL_TRIGGER = """CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only()"""


def _forbid_changes(table: Table) -> None:
    """Let the database itself refuse to update or delete a row of `table`."""

    def on_create(statement: str, dialect: str) -> None:
        event.listen(table, "after_create", DDL(statement).execute_if(dialect=dialect))  # type: ignore[no-untyped-call]

    for verb in ("update", "delete"):
        on_create(SQLITE_TRIGGER.format(table=table.name, verb=verb), "sqlite")
    on_create(_POSTGRESQL_FUNCTION, "postgresql")
    on_create(_POSTGRESQL_TRIGGER.format(table=table.name), "postgresql")


for _table in APPEND_ONLY:
    _forbid_changes(_table)

# ---- state, folded from moves alone (`projection`) ------------------------------------------------------------

batch = Table(
    "batch",
    metadata,
    Column("batch_id", Id, primary_key=True, autoincrement=False),
    _column("batch_number", Text, index=True),
    _column("upstream", Text),
    _column("card_kind", Text),
    _column("state", Text),  # open, closed, refused
    _column("received_floor_s", Double),
    _column("due_floor_s", Double),
    _column("decided_floor_s", Double),  # when the verdicts came out
    _column("closed_floor_s", Double),  # 0 while open
    _column("received", Integer),
    _column("refused", Integer),  # rows; with the held that were refused once the batch is closed
    _column("cancelled", Integer),  # this and the next two: 0 until the batch is closed
    _column("refused_late", Integer),
    _column("dispatched", Integer),
    _column("codes", Text),  # JSON list: why the batch was refused
    _column("rows_hash", LargeBinary),  # of its rows in the inbox, once a daily head or a purge told it
    _column("purged_floor_s", Double),  # 0 while its personal data is there
)

card = Table(
    "card",
    metadata,
    Column("card_id", Id, primary_key=True, autoincrement=False),
    _column("batch_id", BigInteger),
    _column("acceptance_number", Text, index=True),
    _column("case_no", SmallInteger),
    _column("unit", Text),
    _column("express", Boolean),
    _column("codes", Text),  # JSON lists: what the checks found
    _column("fields", Text),
    _column("state", Text),
    _column("stopped_for", Text),  # the code it last stopped for
    _column("generation", SmallInteger),
    _column("sheet_id", BigInteger),  # 0: on none
    _column("position", SmallInteger),  # -1: on none
    _column("blank", BigInteger),  # 0: none
    _column("bundle_id", BigInteger),  # 0: in none
    _column("since_floor_s", Double),
    _column("move_seq", BigInteger),  # the move that brought it to this state
)
WAITING_STATES = ("held", "stopped", "suspect")  # of a card that waits for a person
# SQLite sees that `state = 'held'` implies one side of an OR, but not that it implies an IN
_waits = or_(*(card.c.state == literal_column(f"'{state}'") for state in WAITING_STATES))
Index("card_waits", card.c.state, card.c.card_id, sqlite_where=_waits, postgresql_where=_waits)

encode_job = Table(
    "encode_job",
    metadata,
    Column("job_id", Id, primary_key=True, autoincrement=False),
    _column("cards", Text),  # JSON list
    _column("started_floor_s", Double),
    _column("ended_floor_s", Double),  # 0 while it runs
)

sheet = Table(
    "sheet",
    metadata,
    Column("sheet_id", Id, primary_key=True, autoincrement=False),
    _column("cards", Text),  # JSON list of eight, 0 for an empty place
    _column("body", BigInteger),  # 0: still a film
    _column("live", SmallInteger),  # masks of positions
    _column("suspect", SmallInteger),
    _column("step", Text),  # the last one it is through
    _column("job_id", BigInteger),  # 0: in no job
    _column("imposed_floor_s", Double),
    _column("move_seq", BigInteger),
)

bundle = Table(
    "bundle",
    metadata,
    Column("bundle_id", Id, primary_key=True, autoincrement=False),
    _column("batch_id", BigInteger, index=True),
    _column("unit", Text),
    _column("cards", Text),  # JSON list
    _column("station", Text),
    _column("made_floor_s", Double),
    _column("consignment_id", BigInteger),  # 0: not sent
)

consignment = Table(
    "consignment",
    metadata,
    Column("consignment_id", Id, primary_key=True, autoincrement=False),
    _column("batch_id", BigInteger, index=True),
    _column("bundles", Text),  # JSON list
    _column("cards", Integer),
    _column("sent_by", Text),
    _column("sent_floor_s", Double),
    _column("chain", LargeBinary),  # head at the move that sent it: a manifest carries it away
    _column("move_seq", BigInteger),  # that move
    _column("scanned", Boolean),  # at the door, bundle by bundle
    _column("box_max", Integer),  # bundles of one box
    _column("uncounted", Text),  # JSON list: police stations that counted nothing of it yet
)
# written out, so that SQLite takes the index for a query that says the same
is_uncounted = consignment.c.uncounted != literal_column("'[]'")
consignment_waits = Index(
    "consignment_waits",
    consignment.c.consignment_id,
    sqlite_where=is_uncounted,
    postgresql_where=is_uncounted,
)

arrival = Table(
    "arrival",  # each count that was entered; of a consignment and unit the last one holds
    metadata,
    Column("arrival_id", Id, primary_key=True, autoincrement=False),
    _column("consignment_id", BigInteger, index=True),
    _column("unit", Text),
    _column("sent", Integer),  # cards that were for it
    _column("cards", Integer),  # cards it counted
    _column("counted_by", Text),
    _column("counted_floor_s", Double),
)

station = Table(
    "station",
    metadata,
    Column("station", Name, primary_key=True),
    _column("step", Text),
    _column("model", Text),
    _column("load_max", Integer),
    _column("state", Text),
    _column("reason", Text),
    _column("since_floor_s", Double),
    _column("job_id", BigInteger),  # 0: idle
)

receipt = Table(
    "receipt",
    metadata,
    Column("upstream", Name, primary_key=True),
    Column("number", Id, primary_key=True, autoincrement=False),  # from 1, no gaps
    _column("kind", Text),
    _column("batch_id", BigInteger),
    _column("card_id", BigInteger),  # 0: not about a card
    _column("acceptance_number", Text),
    _column("idx", Integer),  # -1: about the batch
    _column("case_no", SmallInteger),
    _column("codes", Text),  # JSON lists
    _column("fields", Text),
    _column("counts", Text),  # JSON map
    _column("at_floor_s", Double),
    _column("move_seq", BigInteger),
    _column("chain", LargeBinary),  # head at that move
    sqlite_with_rowid=False,
)

receipt_count = Table(
    "receipt_count",  # how many receipts a batch ever had, since schema 3: to count them is to read all of `receipt`
    metadata,
    Column("batch_id", BigInteger, primary_key=True, autoincrement=False),  # 0: about a restore
    Column("kind", Name, primary_key=True),
    _column("count", Integer),
    sqlite_with_rowid=False,
)

STATE_TABLES = (batch, card, encode_job, sheet, bundle, consignment, arrival, station, receipt, receipt_count)

# ---- what is not moves ----------------------------------------------------------------------------------------

# each row carries a hash of itself (see `row_hash`); the daily head folds those of a decided batch into the chain
receipt_cursor = Table(
    "receipt_cursor",
    metadata,
    Column("upstream", Name, primary_key=True),
    _column("acknowledged", BigInteger),
    _column("row_hash", LargeBinary),
)

inbox_batch = Table(
    "inbox_batch",
    metadata,
    Column("batch_id", Id, primary_key=True, autoincrement=True),
    _column("batch_number", Text, unique=True),
    _column("upstream", Text),
    _column("due", Text),
    _column("count", Integer),
    _column("digest", Text),
    _column("card_kind", Text),
    _column("received_on", Text),
    _column("received_floor_s", Double),
    _column("state", Text),  # see `inbox.InboxState`
    _column("codes", Text),  # JSON list: why it is refused as a whole
    _column("row_hash", LargeBinary),
    sqlite_autoincrement=True,  # a batch's number makes its cards' numbers: it is never given twice
)

inbox_application = Table(
    "inbox_application",
    metadata,
    Column("batch_id", BigInteger, primary_key=True, autoincrement=False),
    Column("idx", Integer, primary_key=True, autoincrement=False),
    _column("acceptance_number", Text, index=True),
    _column("row_digest", LargeBinary),  # SHA-256 of the application as sent
    _column("identity", LargeBinary, index=True),  # keyed digests (law 8)
    _column("person", LargeBinary, index=True),
    _column("unit", Text),
    _column("express", Boolean),
    _column("reason", Text),
    _column("verdict", SmallInteger),  # -1 until the batch is checked, then `moves.Verdict`
    _column("codes", Text),  # JSON lists
    _column("fields", Text),
    _column("fee_class", Text),  # one of the table, else empty
    _column("in_scope", Boolean),  # the campaign counts this person
    _column("row_hash", LargeBinary),
    sqlite_with_rowid=False,
)

snapshot = Table(
    "snapshot",  # what the moves up to one make of the floor, so that a start need not fold them all; verified by it
    metadata,
    Column("seq", Id, primary_key=True, autoincrement=False),
    _column("chain", LargeBinary),  # head at that move
    _column("code", Text),  # of the program that folded it: another one folds anew
    _column("body", LargeBinary),
    _column("row_hash", LargeBinary),
)
