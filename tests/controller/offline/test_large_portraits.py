"""A portrait in an archive that is far too large costs what shows that, however often rows name it."""

from __future__ import annotations

import random
import zipfile

import pytest

from controller.checks.finding import FINDINGS
from controller.offline import archive as archives
from controller.offline.errors import PackageError
from controller.offline.package import PORTRAIT_MAX_BYTES, opened
from controller.offline.parts import Record
from controller.offline.pictures import READ_UP_TO_BYTES, Pictures
from tests.controller.offline.packages import FACE, NAME, written, xml, zipped

LARGE_BYTES = 3_000_000
PICTURES = {"flat": bytes(LARGE_BYTES), "noise": random.Random(1).randbytes(LARGE_BYTES)}


def package(tmp_path, picture: bytes, method: int, rows: int = 3):
    return written(tmp_path, f"{NAME}.zip", zipped({f"{NAME}.xml": xml(rows), FACE: picture}, method))


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize(
    "picture", [bytes(LARGE_BYTES), random.Random(1).randbytes(LARGE_BYTES)], ids=["flat", "noise"]
)
def test_a_member_beyond_what_is_looked_at_is_unpacked_that_far_and_no_further(tmp_path, monkeypatch, picture, method):
    unpacked = []
    inflate = archives._first_inflated
    monkeypatch.setattr(archives, "_first_inflated", lambda *args: unpacked.append(inflate(*args)) or unpacked[-1])
    with opened(package(tmp_path, picture, method)) as one:
        rows = [part for part in one.parts if isinstance(part, Record)]
        read = [one.read_picture(row.portrait) for row in rows]
        looked = Pictures(one.read_picture).look(rows[0].portrait)
    assert read == [picture[:READ_UP_TO_BYTES]] * 3
    assert {len(content) for content in unpacked} <= {READ_UP_TO_BYTES}
    assert len(unpacked) == (4 if method == zipfile.ZIP_DEFLATED else 0)
    assert FINDINGS["portrait.too_large"] in looked.findings


def test_a_member_of_more_than_any_portrait_is_still_a_bomb(tmp_path):
    with opened(package(tmp_path, bytes(PORTRAIT_MAX_BYTES + 1), zipfile.ZIP_DEFLATED)) as one:
        [row, *_] = [part for part in one.parts if isinstance(part, Record)]
        with pytest.raises(PackageError) as refused:
            one.read_picture(row.portrait)
    assert refused.value.code == "package.zip_bomb"


def test_a_large_member_cut_off_is_damaged(tmp_path):
    path = package(tmp_path, random.Random(2).randbytes(LARGE_BYTES), zipfile.ZIP_DEFLATED)
    with opened(path) as one:
        [row, *_] = [part for part in one.parts if isinstance(part, Record)]
        with path.open("r+b") as file:
            file.truncate(200_000)  # while it is read
        with pytest.raises(PackageError) as refused:
            one.read_picture(row.portrait)
    assert refused.value.code == "package.zip"
