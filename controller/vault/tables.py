"""The tables of the vault's own database: ciphertext by number, and which batches have any."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

metadata = MetaData()

Id = BigInteger().with_variant(Integer(), "sqlite")

meta = Table("meta", metadata, Column("key", Text, primary_key=True), Column("value", Text, nullable=False))

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
