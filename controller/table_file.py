"""A CSV table that a setting names: its text, or one sentence that says what is wrong with the file."""

from __future__ import annotations

from pathlib import Path

from controller.config import ConfigError


def read_table(setting: str, path: Path, max_bytes: int, error: type[ConfigError]) -> str:
    """Give the text of a file of at most `max_bytes`.  Raises: `error`, with the setting, the file and the reason."""
    try:
        if path.stat().st_size > max_bytes:
            raise error(f"{setting}: {path} has more than {max_bytes:,} bytes")
        return path.read_text("utf-8-sig")
    except OSError as fault:
        raise error(f"{setting}: {path} cannot be read: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise error(f"{setting}: {path} is not UTF-8 text") from None
