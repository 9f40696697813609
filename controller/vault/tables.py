"""The tables of the vault's own database: ciphertext by number, and which batches have any."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, Integer, LargeBinary, MetaData, Table, Text, true

from controller.ledger.row_hash import rehash

metadata = MetaData()

Id = BigInteger().with_variant(Integer(), "sqlite")

meta = Table(
    "meta",
    metadata,
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("row_hash", LargeBinary, nullable=False),
)

sealed_batch = Table("sealed_batch", metadata, Column("batch_id", Id, primary_key=True, autoincrement=False))

sealed_application = Table(
    "sealed_application",
    metadata,
    # by `application.card_id`, which is one number: SQLite's own row number, so that no index is needed
    Column("application_id", Id, primary_key=True, autoincrement=False),
    Column("blob", LargeBinary, nullable=False),
)

sealed_card = Table(
    "sealed_card",
    metadata,
    Column("card_id", Id, primary_key=True, autoincrement=False),
    Column("blob", LargeBinary, nullable=False),
)


def to_schema_2(connection: Connection) -> None:
    """Bring schema 1 to schema 2: what the database says of itself carries a hash."""
    connection.exec_driver_sql("ALTER TABLE meta ADD COLUMN row_hash BLOB NOT NULL DEFAULT x''")
    rehash(connection, meta, true())
