"""Portraits beside the file: only inside its folder, only regular files, never more of them than is needed."""

from __future__ import annotations

import os

import numpy as np
import pytest

from controller.checks.finding import FINDINGS
from controller.offline import pictures
from controller.offline.pictures import READ_UP_TO_BYTES, Pictures, beside
from tests.controller.checks.samples import jpeg, portrait


def codes(picture):
    return [finding.code for finding in picture.findings]


@pytest.fixture
def folder(tmp_path):
    inner = tmp_path / "inner"
    (inner / "below").mkdir(parents=True)
    for place in (tmp_path, inner, inner / "below"):
        (place / "face.jpg").write_bytes(portrait())
    return inner


@pytest.mark.parametrize("name", ["face.jpg", "below/face.jpg", "./face.jpg", "below/../face.jpg", "below//face.jpg"])
def test_a_portrait_in_the_folder_or_below_is_read(folder, name):
    assert codes(Pictures(beside(folder)).look(name)) == []


@pytest.mark.parametrize(
    "name", ["../face.jpg", "below/../../face.jpg", "..", "../inner2/face.jpg", "/etc/hostname", "."]
)
def test_a_path_out_of_the_folder_is_refused_unread(folder, name):
    assert codes(Pictures(beside(folder)).look(name)) == ["portrait.outside"]


def test_an_absolute_path_is_refused_wherever_it_leads(folder):
    assert codes(Pictures(beside(folder)).look(str(folder / "face.jpg"))) == ["portrait.outside"]


@pytest.mark.parametrize("name", ["face.jpg", "../face.jpg", "below/../../face.jpg", "../inner/below/face.jpg"])
def test_any_relative_path_is_read_where_portraits_may_lie_anywhere(folder, name):
    assert codes(Pictures(beside(folder, anywhere=True)).look(name)) == []


@pytest.mark.parametrize(
    ("name", "code"),
    [("/etc/hostname", "portrait.outside"), ("..", "portrait.missing"), ("../gone.jpg", "portrait.missing")],
)
def test_an_absolute_path_or_no_picture_is_refused_there_too(folder, name, code):
    assert codes(Pictures(beside(folder, anywhere=True)).look(name)) == [code]


@pytest.mark.parametrize("name", ["", "gone.jpg", "below", "x" * 5_000, "a\0b", "face\ud800.jpg", "face.jpg/x"])
def test_what_is_no_file_there_is_a_missing_portrait(folder, name):
    assert codes(Pictures(beside(folder)).look(name)) == ["portrait.missing"]


def test_an_empty_file_is_a_missing_portrait(folder):
    (folder / "empty.jpg").touch()
    assert codes(Pictures(beside(folder)).look("empty.jpg")) == ["portrait.missing"]


def test_a_pipe_is_not_waited_for(folder):
    os.mkfifo(folder / "pipe.jpg")
    assert codes(Pictures(beside(folder)).look("pipe.jpg")) == ["portrait.missing"]


def test_of_a_huge_file_only_its_beginning_is_read(folder):
    with (folder / "huge.jpg").open("wb") as file:
        file.truncate(10**9)
    assert len(beside(folder)("huge.jpg")) == READ_UP_TO_BYTES
    assert codes(Pictures(beside(folder)).look("huge.jpg")) == ["portrait.too_large"]


def test_the_folder_may_be_the_one_we_stand_in(folder, monkeypatch):
    monkeypatch.chdir(folder)
    assert codes(Pictures(beside(folder.relative_to(folder))).look("face.jpg")) == []


def test_without_a_decode_the_header_alone_is_looked_at():
    blank = jpeg(np.full((441, 358, 3), 255, np.uint8))
    looked = [Pictures(lambda name: blank, decode=decode).look("x") for decode in (True, False)]
    assert [("portrait.blank" in codes(picture)) for picture in looked] == [True, False]


def test_equal_bytes_are_decoded_once(monkeypatch):
    decoded = []
    monkeypatch.setattr(pictures, "pixel_findings", lambda picture: decoded.append(len(picture)) or [])
    looker = Pictures(lambda name: portrait() if name < "c" else jpeg(quality=80))
    for name in "abcab":
        looker.look(name)
    assert len(decoded) == 2


def test_what_is_remembered_is_bounded(monkeypatch):
    monkeypatch.setattr(pictures, "KEPT", 3)
    looker = Pictures(lambda name: name.encode())
    for name in ("a", "b", "c", "d", "e"):
        assert looker.look(name).findings == (FINDINGS["portrait.small_file"], FINDINGS["portrait.not_jpeg"])
    assert len(looker._kept) == 3
