"""Zip archives and folders: hostile, damaged and half-copied ones are refused; nothing is unpacked to disk."""

from __future__ import annotations

import io
import os
import stat
import struct
import zipfile
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.offline import archive as archives
from controller.offline.archive import ARCHIVE_MAX_BYTES, MEMBERS_MAX, Archive
from controller.offline.errors import SENTENCES, PackageError
from controller.offline.package import PORTRAIT_MAX_BYTES, ROWS_MAX_BYTES, opened
from controller.offline.pictures import READ_UP_TO_BYTES
from tests.controller.checks.samples import portrait
from tests.controller.offline.packages import FACE, NAME, code_of, csv_text, parts_of, texts, written, xml, zipped

ROWS = f"{NAME}.xml"
GOOD = zipped()


def refused(content: bytes) -> str:
    """Give why an archive is refused, all its members read; empty when it is not."""
    try:
        archive = Archive(io.BytesIO(content))
        for name in archive.names:
            archive.read(name, ROWS_MAX_BYTES)
    except PackageError as error:
        return error.code
    return ""


def with_member(info: zipfile.ZipInfo, content: bytes = b"x") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr(info, content)
    return out.getvalue()


def patched(content: bytes, at: int, form: str, *values: int) -> bytes:
    """Give an archive with some header bytes overwritten, counted from a signature's begin."""
    changed = bytearray(content)
    struct.pack_into(form, changed, at, *values)
    return bytes(changed)


def directory(content: bytes) -> int:
    return content.index(b"PK\x01\x02")


# ---- good ones ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("under", ["", f"{NAME}/"])
def test_a_package_in_an_archive_gives_parts_and_portraits(method, under, tmp_path):
    members = {f"{under}{ROWS}": xml(), f"{under}{FACE}": portrait()}
    path = written(tmp_path, f"{NAME}.zip", zipped(members, method))
    with opened(path) as one:
        assert [part.application for part in list(one.parts)[1:]] == [texts(1), texts(2)]
        assert one.read_picture(FACE) == portrait()


def test_a_csv_in_an_archive_with_capitals_in_its_ends_is_read(tmp_path):
    path = written(tmp_path, f"{NAME}.ZIP", zipped({f"{NAME}.CSV": csv_text().encode(), "FACE.JPG": portrait()}))
    assert [part.application for part in parts_of(path)[1:]] == [texts(1), texts(2)]


def test_a_folder_gives_the_same_as_an_archive(tmp_path):
    folder = written(tmp_path / NAME, ROWS, xml()).parent
    archive = written(tmp_path, f"{NAME}.zip", GOOD)
    assert parts_of(folder) == parts_of(archive)


def test_an_archive_without_an_end_in_its_name_is_known_by_its_content(tmp_path):
    assert [part.application for part in parts_of(written(tmp_path, NAME, GOOD))[1:]] == [texts(1), texts(2)]
    assert len(parts_of(written(tmp_path, NAME, xml()))) == 3
    assert len(parts_of(written(tmp_path, f"{NAME}.jsonl", xml(1)))) == len(xml(1).splitlines())


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "portrait.missing"),
        ("other.jpg", "portrait.missing"),
        (ROWS, "portrait.missing"),
        ("../face.jpg", "portrait.outside"),
        ("/face.jpg", "portrait.outside"),
        ("a/../../face.jpg", "portrait.outside"),
    ],
)
def test_a_portrait_that_is_not_there_is_a_finding(name, code, tmp_path):
    with opened(written(tmp_path, f"{NAME}.zip", GOOD)) as one:
        assert one.read_picture(name).code == code
        assert one.read_picture("./a/../face.jpg") == portrait()


def test_of_a_large_portrait_no_more_is_kept_than_shows_that_it_is_too_large(tmp_path):
    content = zipped({ROWS: xml(), FACE: bytes(5_000_000)})
    with opened(written(tmp_path, f"{NAME}.zip", content)) as one:
        assert len(one.read_picture(FACE)) == READ_UP_TO_BYTES


# ---- hostile ones -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        "../a.xml",
        "/a.xml",
        "a/../../b.xml",
        "C:/a.xml",
        "..\\a.xml",
        "a//b.xml",
        "./a.xml",
        "a\nb.xml",
        "\u202ea.xml",
        "n" * 201 + ".xml",
        "a/./b.xml",
    ],
)
def test_a_path_that_leads_elsewhere_is_refused(name):
    assert refused(zipped({name: b"x"})) == "package.zip_path"


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK, stat.S_IFDIR])
def test_a_member_that_is_no_plain_file_is_refused(kind):
    info = zipfile.ZipInfo(FACE)
    info.create_system, info.external_attr = 3, (kind | 0o644) << 16
    assert refused(with_member(info, b"/etc/hostname")) == "package.zip_path"


@pytest.mark.parametrize("name", ["a.zip", "a.ZIP", "a.tar.gz", "a.7z", "d.zip/"])
def test_an_archive_in_the_archive_is_refused(name):
    assert refused(zipped({name: b""})) == "package.zip_nested"


@pytest.mark.parametrize("name", ["a.exe", "Thumbs.db", "a", "a.jpg.scr", ".jpg"])
def test_what_belongs_to_no_package_is_refused(name):
    assert refused(zipped({name: b"x"})) == "package.member"


@pytest.mark.parametrize(("one", "other"), [(FACE, FACE), (FACE, "FACE.jpg"), ("a/", "A/")])
def test_two_members_of_one_name_are_refused(one, other):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, pytest.MonkeyPatch.context() as patch:
        patch.setattr("warnings.warn", lambda *_, **__: None)
        archive.writestr(one, b"1")
        archive.writestr(other, b"2")
    assert refused(out.getvalue()) == "package.zip_doubled"


def test_an_encrypted_member_is_refused():
    at = directory(GOOD)
    assert refused(patched(GOOD, at + 8, "<H", 1)) == "package.zip_encrypted"
    assert refused(patched(GOOD, at + 8, "<H", 1 << 6)) == "package.zip_encrypted"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_than_deflate_are_refused(method):
    assert refused(zipped({ROWS: xml()}, method)) == "package.zip_method"


def test_a_bomb_is_refused_by_the_size_it_declares(tmp_path):
    bomb = zipped({ROWS: bytes(ROWS_MAX_BYTES + 1)})
    assert len(bomb) < 100_000
    assert code_of(written(tmp_path, f"{NAME}.zip", bomb)) == "package.zip_bomb"
    portraits = zipped({ROWS: xml(), FACE: bytes(PORTRAIT_MAX_BYTES + 1)})
    assert code_of(written(tmp_path, f"{NAME}.zip", portraits)) == "package.zip_bomb"


def test_a_bomb_that_declares_less_is_refused_by_its_real_size():
    bomb = zipped({ROWS: bytes(20_000_000)})
    honest_first = zlib.crc32(bytes(1_000))
    at = directory(bomb)
    lying = patched(bomb, at + 16, "<L", honest_first)
    assert refused(patched(lying, at + 24, "<L", 1_000)) == "package.zip_bomb"


def test_many_members_together_are_a_bomb_too(monkeypatch):
    monkeypatch.setattr(archives, "UNPACKED_MAX_BYTES", 10_000)
    assert refused(zipped({"1.jpg": bytes(6_000), "2.jpg": bytes(4_000)})) == ""
    assert refused(zipped({"1.jpg": bytes(6_000), "2.jpg": bytes(4_001)})) == "package.zip_bomb"


def test_members_that_share_bytes_are_refused():
    content = zipped({"1.jpg": b"one", "2.jpg": b"two"}, zipfile.ZIP_STORED)
    second = content.index(b"PK\x01\x02", directory(content) + 1)
    assert refused(patched(content, second + 42, "<L", 0)) == "package.zip"


def test_more_members_than_a_batch_has_are_refused_before_the_directory_is_read():
    end = GOOD.rindex(b"PK\x05\x06")
    assert refused(patched(GOOD, end + 8, "<2H", MEMBERS_MAX + 1, MEMBERS_MAX + 1)) == "package.members"
    assert refused(patched(GOOD, end + 8, "<2H", 1, 1)) == "package.zip"


def test_an_archive_that_is_far_too_large_is_refused_unread(tmp_path):
    path = tmp_path / f"{NAME}.zip"
    with path.open("wb") as file:
        file.truncate(ARCHIVE_MAX_BYTES + 1)
    assert code_of(path) == "package.too_large"


@pytest.mark.parametrize("content", [GOOD + b"x", b"x" + GOOD, GOOD + GOOD, b"", b"PK\x05\x06", xml()])
def test_what_is_before_or_after_an_archive_or_is_none_is_refused(content):
    assert refused(content) == "package.zip"


def test_a_local_header_that_says_other_things_than_the_directory_is_refused():
    assert refused(GOOD.replace(FACE.encode(), b"evil.jpg", 1)) == "package.zip"
    assert refused(patched(GOOD, 8, "<H", zipfile.ZIP_STORED)) == "package.zip"
    assert refused(patched(GOOD, 0, "<L", 0)) == "package.zip"


# ---- damaged ones -------------------------------------------------------------------------------------------------


@given(st.integers(0, len(GOOD) - 1))
def test_an_archive_cut_off_anywhere_is_refused(size):
    assert refused(GOOD[:size]) == "package.zip"


@settings(max_examples=300)
@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_a_changed_byte_anywhere_is_refused_or_changes_nothing_that_is_read(at, change):
    content = bytearray(GOOD)
    content[at] ^= change
    if code := refused(bytes(content)):
        assert code in SENTENCES
        return
    archive = Archive(io.BytesIO(bytes(content)))
    held = sorted(archive.read(name, ROWS_MAX_BYTES) for name in archive.names)
    assert held == sorted([xml(), portrait()])


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_code(content):
    assert refused(content) in SENTENCES
    assert refused(content + GOOD[-22:]) in SENTENCES


# ---- names and what is inside -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({FACE: b"x"}, "package.rows"),
        ({ROWS: xml(), f"{NAME}.csv": csv_text().encode()}, "package.rows"),
        ({ROWS: xml(), "other.xml": xml()}, "package.rows"),
        ({"other.xml": xml()}, "package.number"),
        ({f"{NAME[:-1]}2.xml": xml()}, "package.number"),
        ({f"deep/{ROWS}": xml()}, "package.number"),
        ({ROWS: xml(head={"batch_number": "1", "count": "2"})}, "package.number"),
        ({ROWS: xml()[:-20]}, "package.xml"),
    ],
)
def test_an_archive_or_folder_holds_one_file_of_applications_by_its_own_name(members, code, tmp_path):
    assert code_of(written(tmp_path, f"{NAME}.zip", zipped(members))) == code
    for name, content in members.items():
        path = tmp_path / NAME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    assert code_of(tmp_path / NAME) == code


@pytest.mark.parametrize("name", ["package.zip", "ZAGL_YDZZ_" + NAME[10:] + ".zip", f"{NAME}-1.zip"])
def test_an_archive_of_another_name_is_refused(name, tmp_path):
    assert code_of(written(tmp_path, name, GOOD)) == "package.name"


def test_a_folder_with_links_or_pipes_in_it_or_of_another_name_is_refused(tmp_path):
    folder = written(tmp_path / NAME, ROWS, xml()).parent
    assert code_of(folder) == ""
    (folder / "2.jpg").symlink_to("/etc/hostname")
    assert code_of(folder) == "package.member"
    (folder / "2.jpg").unlink()
    os.mkfifo(folder / "2.jpg")
    assert code_of(folder) == "package.member"
    assert code_of(written(tmp_path / "other", ROWS, xml()).parent) == "package.name"


def test_a_folder_with_more_files_than_a_batch_has_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("controller.offline.package.MEMBERS_MAX", 4)
    folder = written(tmp_path / NAME, ROWS, xml()).parent
    (folder / "below").mkdir()
    (folder / "below" / "1.jpg").write_bytes(b"x")
    assert code_of(folder) == ""
    (folder / "below" / "2.jpg").write_bytes(b"x")
    assert code_of(folder) == "package.members"


def test_no_sentence_repeats_a_name_or_a_value(tmp_path):
    path = written(tmp_path, f"{NAME}.zip", zipped({"../样例甲.xml": b"x"}))
    with pytest.raises(PackageError) as raised, opened(path):
        pass
    assert "样例" not in str(raised.value)
    assert raised.value.sentence in str(raised.value)
