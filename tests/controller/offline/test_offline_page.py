"""The page on packages: its codes are all there are, its limits hold, its examples get the answers beside them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from controller.config import Config
from controller.offline.archive import ARCHIVE_MAX_BYTES, MEMBERS_MAX, UNPACKED_MAX_BYTES
from controller.offline.csv_rows import LINE_MAX_BYTES
from controller.offline.errors import SENTENCES, PackageError
from controller.offline.fields import HEADER_FIELDS, RECORD_FIELDS
from controller.offline.package import PORTRAIT_MAX_BYTES, ROWS_MAX_BYTES, opened
from controller.offline.pictures import READ_UP_TO_BYTES
from controller.offline.run import check_parts
from controller.offline.sending import ROWS_MAX, require_whole
from controller.offline.watch import HALF_COPIED_S, LOOK_S, UNFINISHED_ENDS
from controller.offline.xml_rows import TEXT_MAX_CHARACTERS
from tests.controller.offline.packages import zipped

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "docs" / "examples"
PAGE = (ROOT / "docs" / "offline.md").read_text("utf-8")
PACKAGES = sorted(EXAMPLES.glob("ZAGL_ZZJH_*"))


def answers(path: Path) -> list[str]:
    with opened(path) as one:
        return [answer.line() for answer in check_parts(one.parts, one.read_picture, Config(), "20260301")]


@pytest.fixture(params=["file", "archive", "folder"])
def package(request, tmp_path):
    """An example as it lies there, and put into an archive and a folder."""

    def made(example: Path) -> Path:
        members = {example.name: example.read_bytes(), "face.jpg": (EXAMPLES / "face.jpg").read_bytes()}
        if request.param == "archive":
            (tmp_path / f"{example.stem}.zip").write_bytes(zipped(members))
            return tmp_path / f"{example.stem}.zip"
        if request.param == "folder":
            (tmp_path / example.stem).mkdir()
            for name, content in members.items():
                (tmp_path / example.stem / name).write_bytes(content)
            return tmp_path / example.stem
        return example

    return made


@pytest.mark.parametrize("example", PACKAGES, ids=lambda path: path.suffix)
def test_the_examples_get_the_answers_beside_them_in_every_shape_and_can_be_sent(example, package):
    assert {path.suffix for path in PACKAGES} == {".xml", ".csv"}
    path = package(example)
    assert answers(path) == (EXAMPLES / "answers.jsonl").read_text("ascii").splitlines()[:5]
    assert require_whole(path) == 4


def test_the_page_lists_every_code_with_its_sentence():
    listed = re.findall(r"^\| `(package\.[a-z_]+)` \| (.+) \|$", PAGE, re.MULTILINE)
    assert listed == [(code, sentence.replace("{}", "…")) for code, sentence in SENTENCES.items()]


def test_every_code_is_raised_somewhere_and_its_sentence_takes_what_is_given():
    sources = "".join(path.read_text("utf-8") for path in (ROOT / "controller" / "offline").glob("*.py"))
    raised = set(re.findall(r'PackageError\(\s*"(package\.[a-z_]+)"', sources))
    assert raised == set(SENTENCES)
    for code, sentence in SENTENCES.items():
        assert "{}" not in str(PackageError(code, *"12"[: sentence.count("{}")]))


def test_the_page_names_the_fields_and_the_limits_of_the_code():
    assert all(f"`{name}`" in PAGE or f"<{name}>" in PAGE for name in HEADER_FIELDS)
    assert "portrait" in RECORD_FIELDS
    mib = 1 << 20
    for text in (
        f"applications of a package | {ROWS_MAX:,} |",
        f"file of applications | {ROWS_MAX_BYTES // mib} MiB |",
        f"archive | {ARCHIVE_MAX_BYTES // mib // 1024} GiB, of {MEMBERS_MAX:,} members, unpacked ",
        f"{UNPACKED_MAX_BYTES / mib / 1024:g} GiB |",
        f"portrait in an archive | {PORTRAIT_MAX_BYTES // mib} MiB unpacked; over {READ_UP_TO_BYTES - 1:,} bytes",
        f"| {TEXT_MAX_CHARACTERS:,} characters, or bytes |",
        f"two looks, {LOOK_S:g} s apart",
        f"nothing changed for {HALF_COPIED_S / 60:g} minutes",
        *(f"`{end}`" for end in UNFINISHED_ENDS),
    ):
        assert text in PAGE
    assert LINE_MAX_BYTES == TEXT_MAX_CHARACTERS
