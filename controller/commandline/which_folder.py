"""Which data folder a command means: the one that is named, or the one of the settings."""

from __future__ import annotations

from pathlib import Path

from controller.config import load_config


def data_folder(config: Path | None, data: Path | None) -> Path:
    """Give the data folder that options and settings name.  Raises: ConfigError."""
    settings = load_config(config)  # in any case: one that cannot be used is told
    return data or settings.service.path()
