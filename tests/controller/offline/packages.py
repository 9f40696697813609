"""Packages to be read: good ones of each shape, and archives put together byte by byte."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

import msgspec

from controller.application import Application
from controller.offline.errors import PackageError
from controller.offline.package import opened
from controller.offline.parts import BatchHead, Part
from tests.controller.checks.samples import TODAY, portrait
from tests.controller.offline.files import BATCH, person

NUMBER = f"{BATCH}00001"
NAME = f"ZAGL_ZZJH_{NUMBER}"
FACE = "face.jpg"


def header(count: int, /, **changes: str) -> dict[str, str]:
    """Give the fields of a good header."""
    made = {"batch_number": NUMBER, "received_on": TODAY, "card_kind": "second", "due": "20260301"}
    return made | {"count": str(count)} | changes


def texts(sequence: int = 1) -> Application:
    """Give the application of `row` as it is read: its portrait lies elsewhere."""
    return msgspec.structs.replace(person(sequence), portrait=b"")


def row(sequence: int = 1, **changes: str) -> dict[str, str]:
    """Give the fields of a good application."""
    return msgspec.structs.asdict(person(sequence)) | {"portrait": FACE} | changes


def elements(fields: Mapping[str, str]) -> str:
    """Give fields as elements."""
    return "".join(f"<{name}>{escape(text)}</{name}>\n" for name, text in fields.items())


def xml(count: int = 2, *, body: str | None = None, head: Mapping[str, str] | None = None) -> bytes:
    """Give a package's XML."""
    rows = "".join(f"<application>{elements(row(number))}</application>" for number in range(1, count + 1))
    inside = rows if body is None else body
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<package version="1">\n'
        f"<batch>{elements(head or header(count))}</batch>\n{inside}\n</package>\n"
    ).encode()


def csv_text(count: int = 2, *, rows: list[dict[str, str]] | None = None, head: Mapping[str, str] | None = None) -> str:
    """Give a package's CSV."""
    chosen = [row(number) for number in range(1, count + 1)] if rows is None else rows
    used = head or header(len(chosen))
    lines = [",".join(used), ",".join(used.values()), ",".join(row())]
    return "\r\n".join([*lines, *(",".join(one.values()) for one in chosen), ""])


def zipped(members: Mapping[str, bytes] | None = None, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Give a zip archive, of a good package without members."""
    out = io.BytesIO()
    chosen = {f"{NAME}.xml": xml(), FACE: portrait()} if members is None else members
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in chosen.items():
            archive.writestr(name, content)
    return out.getvalue()


def written(folder: Path, name: str, content: bytes) -> Path:
    """Write a file and the portrait beside it; give its path."""
    folder.mkdir(exist_ok=True, parents=True)
    (folder / FACE).write_bytes(portrait())
    (folder / name).write_bytes(content)
    return folder / name


def parts_of(path: Path) -> list[Part]:
    """Read a package to its end."""
    with opened(path) as one:
        return list(one.parts)


def code_of(path: Path) -> str:
    """Give why a package is refused, reading its portraits too; empty when it is not."""
    try:
        with opened(path) as one:
            for part in one.parts:
                if not isinstance(part, BatchHead):
                    one.read_picture(part.portrait)
    except PackageError as error:
        return error.code
    return ""
