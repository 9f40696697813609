"""Receipts are fetched into a file: durable before they are acknowledged, once each, and gone on with after any end."""

from __future__ import annotations

import os
import resource
from collections.abc import Sequence

import msgspec
import pytest

from controller.evidence import kept_receipts
from controller.evidence.errors import FileInUse, FileOther, Unreadable
from controller.evidence.kept_receipts import KeptReceipts, fetch
from controller.evidence.signing import Signer
from controller.evidence.verification import verify_file
from controller.wire import Acknowledged, Receipt, Receipts
from tests.controller.evidence.samples import KEYS, OTHER, lines_of, receipt


class Crash(Exception):
    """The end of the program, somewhere."""


class Centre:
    """Gives receipts in pages of three, and looks into the file at each acknowledgement."""

    def __init__(self, path, count: int) -> None:
        self.path, self.given, self.acknowledged, self.crash_in = path, [receipt(n) for n in range(1, count + 1)], 0, -1

    def receipts(self, after: int, limit: int) -> Receipts:
        self._step()
        newer = [one for one in self.given if one.number > after]
        return Receipts(request=1, items=newer[:3], more=len(newer) > 3)

    def acknowledge(self, upto: int) -> Acknowledged:
        self._step()
        assert numbers_in(self.path)[-1] >= upto, "acknowledged before it was kept"
        self.acknowledged = max(self.acknowledged, upto)
        return Acknowledged(request=1, upto=upto)

    def _step(self) -> None:
        self.crash_in -= 1
        if self.crash_in == 0:
            raise Crash


def numbers_in(path) -> Sequence[int]:
    lines = path.read_bytes().splitlines(keepends=True)
    return [msgspec.json.decode(line, type=Receipt).number for line in lines if line.endswith(b"\n")]


def fetched(centre: Centre) -> int:
    with KeptReceipts(centre.path) as kept:
        return fetch(centre, kept)


def test_all_that_is_there_is_kept_signed_and_acknowledged_and_the_next_time_only_what_is_new(tmp_path):
    centre = Centre(tmp_path / "receipts.jsonl", 10)
    assert (fetched(centre), centre.acknowledged) == (10, 10)
    assert verify_file(centre.path, KEYS).is_sound
    assert centre.path.stat().st_mode & 0o777 == 0o600
    assert fetched(centre) == 0
    centre.given.append(receipt(11))
    assert (fetched(centre), centre.acknowledged) == (1, 11)
    assert numbers_in(centre.path) == list(range(1, 12))


@pytest.mark.parametrize("step", range(1, 10))
@pytest.mark.parametrize("torn", [0, 1, 40])
def test_after_an_end_anywhere_it_goes_on_and_each_receipt_is_there_once(tmp_path, step, torn):
    centre = Centre(tmp_path / "receipts.jsonl", 10)
    centre.crash_in = step
    try:
        fetched(centre)
    except Crash:
        with centre.path.open("ab") as file:
            file.write(lines_of(receipt(99))[0][:torn])  # a line that was under way
    centre.crash_in = -1
    fetched(centre)
    assert (numbers_in(centre.path), centre.acknowledged) == (list(range(1, 11)), 10)
    assert verify_file(centre.path, KEYS).is_sound


def test_nothing_is_acknowledged_that_the_disk_did_not_take(tmp_path, monkeypatch):
    centre = Centre(tmp_path / "receipts.jsonl", 10)

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with KeptReceipts(centre.path) as kept:
        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(Unreadable, match="No space"):
            fetch(centre, kept)
    assert centre.acknowledged == 0
    assert centre.path.read_bytes() == b""


def test_a_disk_that_takes_half_a_page_is_an_answer_and_the_half_is_taken_off(tmp_path):
    centre, limits = Centre(tmp_path / "receipts.jsonl", 10), resource.getrlimit(resource.RLIMIT_FSIZE)
    room = len(b"".join(lines_of(*centre.given[:4]))) + 10
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, limits[1]))
    try:
        with pytest.raises(Unreadable, match="not acknowledged"):
            fetched(centre)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert (list(numbers_in(centre.path)), centre.acknowledged) == ([1, 2, 3], 3)
    assert (fetched(centre), centre.acknowledged) == (7, 10)


def test_what_a_killed_program_wrote_is_made_durable_before_it_is_acknowledged(tmp_path, monkeypatch):
    centre = Centre(tmp_path / "receipts.jsonl", 2)
    centre.path.write_bytes(b"".join(lines_of(receipt(1), receipt(2))))
    synced, fsync = [], os.fsync
    monkeypatch.setattr(os, "fsync", lambda descriptor: (synced.append(centre.acknowledged), fsync(descriptor)))
    assert fetched(centre) == 0
    assert (synced, centre.acknowledged) == ([0], 2)


def test_one_file_has_one_writer_one_centre_and_one_upstream(tmp_path):
    centre = Centre(tmp_path / "receipts.jsonl", 4)
    fetched(centre)
    with KeptReceipts(centre.path), pytest.raises(FileInUse):
        KeptReceipts(centre.path)
    for other in (receipt(5, "south"), receipt(5, signer=Signer(OTHER, "southern"))):
        with KeptReceipts(centre.path) as kept, pytest.raises(FileOther, match="cardmill for north"):
            kept.keep([other])
    assert numbers_in(centre.path) == [1, 2, 3, 4]


@pytest.mark.parametrize("content", [b"hello\n", b"{}\n", b"words", b"x" * (1 << 17), b"[1]\n"])
def test_a_file_of_something_else_is_not_touched(tmp_path, content):
    (tmp_path / "notes").write_bytes(content)
    with pytest.raises(FileOther):
        KeptReceipts(tmp_path / "notes")
    assert (tmp_path / "notes").read_bytes() == content
    with pytest.raises(Unreadable, match="No such file"):
        KeptReceipts(tmp_path / "nowhere" / "receipts.jsonl")


def test_of_a_long_file_only_the_end_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr(kept_receipts, "LINE_MAX_BYTES", 2_000)
    path = tmp_path / "receipts.jsonl"
    path.write_bytes(b"\xff" * 50_000 + b"\n" + b"".join(lines_of(*(receipt(n) for n in range(7, 40)))))
    with KeptReceipts(path) as kept:
        assert kept.last == 39
