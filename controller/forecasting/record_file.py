"""Where the record of forecasts stands: a small file of its own in the data folder, replaced as a whole."""

from __future__ import annotations

from pathlib import Path

import msgspec
import structlog

from controller.forecasting.record import Record
from controller.vault.keys import replace_private

log = structlog.get_logger()
NAME = "forecasts.json"
MAX_BYTES = 64 * 1024 * 1024


def read_record(folder: Path) -> Record:
    """Give what is kept.  A file that cannot be read costs a line in the log and the record, never a start."""
    path = folder / NAME
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError(path.name)
        return msgspec.json.decode(path.read_bytes(), type=Record)
    except FileNotFoundError:
        return Record()
    except (OSError, ValueError) as error:
        log.error("the record of forecasts begins anew", file=NAME, why=type(error).__name__)
        return Record()


def write_record(folder: Path, record: Record) -> None:
    """Keep a record: durable on return.  Raises: OSError."""
    replace_private(folder / NAME, msgspec.json.encode(record))
