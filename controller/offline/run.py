"""One run over one file: the shape, the tables and the settings put together."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from controller.checks.context import load_context
from controller.checks.policy import Policy, SharedNumber
from controller.config import Config
from controller.offline.answers import Answer
from controller.offline.checking import Checking
from controller.offline.jsonl import read_jsonl
from controller.offline.parts import Part
from controller.offline.pictures import Pictures, ReadPicture, beside
from encoders.fonts.coverage import bundled_coverage


def check_jsonl(
    stream: BinaryIO,
    folder: Path,
    settings: Config,
    today: str,
    *,
    authorities: Mapping[str, str] | None = None,
    pixels: bool = True,
) -> Iterator[Answer]:
    """Give the answer to each line of a stream of JSON lines.

    Args:
        stream: opened for bytes; it is read once, from where it stands.
        folder: from where the paths of its portraits lead.
        today: `YYYYMMDD`, for a header that names no day.
        authorities: county code -> issuing authority; the shipped ones without it.
        pixels: look at the portraits themselves, not at their files' headers alone.
    Raises: OSError: the stream cannot be read on.
    """
    parts, read = read_jsonl(stream), beside(folder, anywhere=True)
    return check_parts(parts, read, settings, today, authorities=authorities, pixels=pixels)


def check_parts(
    parts: Iterable[Part],
    read: ReadPicture,
    settings: Config,
    today: str,
    *,
    authorities: Mapping[str, str] | None = None,
    pixels: bool = True,
) -> Iterator[Answer]:
    """Give the answer to each part of a file of any shape, whose portraits `read` gives; else as `check_jsonl`.

    Raises: PackageError, OSError: reading on fails.
    """
    characters = bundled_coverage().characters
    policy = Policy(
        shared_number=SharedNumber(settings.checks.shared_number), scope_age_years=settings.campaign.scope_age
    )
    context = load_context(today, lambda point: chr(point) in characters, authorities=authorities, policy=policy)
    pictures = Pictures(read, decode=pixels)
    checking = Checking(context, pictures, secrets.token_bytes(32), settings.kinds.is_made)
    return checking.answers(parts)
