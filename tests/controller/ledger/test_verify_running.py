"""Verification beside a running service, and of a ledger whose end was cut off with its log."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest
import trio

from controller.audit.carried import head_in, look_at
from controller.audit.errors import Unreadable
from controller.clock import day_start_floor_s
from controller.core.calendar import DAY_S
from controller.ledger.inbox import AcknowledgeReceipts
from controller.ledger.store import DATABASE_NAME
from controller.packing.manifest import manifest_csv
from sims.receipt_file import ReceiptFile
from tests.controller.checks.samples import TODAY
from tests.controller.ledger.audited import NUMBERS, SMALL, audit, copy_of_centre, post_head
from tests.controller.returning import centre, sent_centre

LOG = f"{DATABASE_NAME}-wal"
FRAME_HEAD = struct.Struct(">II8s8s")


def commits(log: bytes) -> list[int]:
    """Give where each commit ends in a write-ahead log, from its frames."""
    page_bytes = int.from_bytes(log[8:12])
    ends = []
    for at in range(32, len(log) - page_bytes - 23, page_bytes + 24):
        _, pages, salts, _ = FRAME_HEAD.unpack_from(log, at)
        if salts != log[16:24]:
            break
        if pages:
            ends.append(at + 24 + page_bytes)
    return ends


async def test_a_service_at_work_is_verified_beside_it_from_its_log(tmp_path):
    async with sent_centre(tmp_path) as made:
        cards = [row.card_id for row in made.ledger.reader.cards_of("52010200120251220" + "00000")]
        assert cards
        await made.vault.store_cards([(cards[0] + place, b"encoded") for place in range(3)])
        await post_head(made, day_start_floor_s(TODAY) + DAY_S)
        reports = []
        async with trio.open_nursery() as nursery:

            async def write() -> None:
                for number in range(300):
                    await made.ledger.write(AcknowledgeReceipts("north", number % 9))
                    await made.ask("acts")
                nursery.cancel_scope.cancel()

            nursery.start_soon(write)
            while True:
                reports.append(await trio.to_thread.run_sync(audit, tmp_path))
        assert len(reports) > 1
        assert all(_is_sound_but_for_times(report.faults) for report in reports), reports[-1].faults
        assert (tmp_path / LOG).stat().st_size > 100_000


def _is_sound_but_for_times(faults: list[str]) -> bool:
    """That centre tells its floor another moment of arrival than its inbox has."""
    return all("received_floor_s not as the floor was told" in fault for fault in faults)


@pytest.fixture
async def live(tmp_path: Path) -> Path:
    """Give a copy of a centre whose log is still there, with the receipts and the manifest that were carried away."""
    async with centre(tmp_path / "centre") as made:
        made.ledger._writer._idle_s = 3_600.0  # however slow this machine is, the log is not copied and begun anew
        await made.made(await made.bring(portrait=SMALL))
        with ReceiptFile(tmp_path / "receipts.jsonl") as file:
            file.keep(made.ledger.reader.receipts("north", 0))
            assert file.last >= 9
        (tmp_path / "manifest.csv").write_bytes(manifest_csv(made.ledger.reader.manifest(1)))
        return shutil.copytree(tmp_path / "centre", tmp_path / "live", ignore=shutil.ignore_patterns("*-shm"))


def _faults(folder: Path, *files: Path) -> list[str]:
    report = audit(folder, "", [look_at(path) for path in files])
    return [one for one in report.faults if _is_about_the_chain(one)]


def _is_about_the_chain(fault: str) -> bool:
    return _is_sound_but_for_times([fault]) is False and "sealed card" not in fault  # this centre encodes nothing


async def test_a_cut_end_of_the_log_opens_fine_and_is_found_against_receipts_and_manifests(live, tmp_path):
    receipts, manifest = tmp_path / "receipts.jsonl", tmp_path / "manifest.csv"
    log = (live / LOG).read_bytes()
    ends = commits(log)
    assert len(ends) > 5
    for share in (1.0, 0.9, 0.8):
        folder = shutil.copytree(live, tmp_path / f"cut {share}")
        (folder / LOG).write_bytes(log[: ends[int(len(ends) * share) - 1]])
        assert _faults(folder) == []  # nothing of it shows in the ledger itself
        found = _faults(folder, receipts)
        assert bool(found) == (share < 1.0)
        assert all("this ledger never gave it: its end was cut off" in fault for fault in found)
        assert ("receipt 9 (dispatched) in receipts.jsonl" in " ".join(found)) == (share < 1.0)
        ends_before = "manifest of consignment 1: it carries the chain's head at move" in " ".join(
            _faults(folder, manifest)
        )
        assert ends_before == (share < 1.0)


async def test_a_changed_cell_of_a_manifest_is_a_fault_that_names_file_line_and_cell(live, tmp_path):
    manifest = tmp_path / "manifest.csv"
    whole = manifest.read_bytes()
    assert _faults(live, manifest) == []
    lines = whole.split(b"\r\n")
    place = len(lines) - 2
    cells = lines[place].split(b",")
    cells[5] = b"%d" % (int(cells[5]) + 1)  # still a manifest, of another case
    manifest.write_bytes(b"\r\n".join([*lines[:place], b",".join(cells), b""]))
    [fault] = _faults(live, manifest)
    assert f"manifest.csv, line {place + 1}: `case` is not what the ledger says of consignment 1" in fault
    manifest.write_bytes(whole.replace(b"cards,", b"cards,9", 1))
    [fault] = _faults(live, manifest)
    assert "`cards` is not what the ledger says" in fault


# ---- what was carried away -------------------------------------------------------------------------------------


def test_receipts_of_another_ledger_and_changed_ones_are_named_by_number(tmp_path):
    folder, receipts = copy_of_centre(tmp_path)
    lines = receipts.read_text("utf-8").splitlines(keepends=True)
    assert audit(folder, "", [look_at(receipts)]).counts["receipts compared"] == len(lines) == 95
    changed = lines.copy()
    changed[3] = lines[3].replace('"accepted"', '"refused"', 1)
    chain = lines[4].index('"chain":"') + 9
    changed[4] = lines[4][:chain] + "0" * 64 + lines[4][chain + 64 :]
    changed.append(lines[-1].replace('"number":95', '"number":96'))
    receipts.write_text("".join(changed), "utf-8")
    first, second, third = audit(folder, "", [look_at(receipts)]).faults
    assert first.startswith("receipt 4 (refused) in receipts.jsonl: this ledger gave another one")
    assert second.startswith("receipt 5 (accepted) in receipts.jsonl: it carries another head")
    assert third.startswith("receipt 96 (")


def test_a_line_that_was_cut_short_and_one_that_is_no_receipt_are_faults_and_another_file_is_refused(tmp_path):
    folder, receipts = copy_of_centre(tmp_path)
    whole = receipts.read_bytes()
    receipts.write_bytes(whole[:-30])
    report = audit(folder, "", [look_at(receipts)])
    assert report.faults == ["receipts.jsonl, line 95: its end is missing, the last line was cut off"]
    assert report.moves > 0
    receipts.write_bytes(whole + b"{}\n")
    assert audit(folder, "", [look_at(receipts)]).faults == ["receipts.jsonl, line 96: this is no receipt as JSON"]
    receipts.write_bytes(b"")
    empty = audit(folder, "", [look_at(receipts)])
    assert (empty.sound, empty.counts["receipts compared"], "receipts compared" in empty.counts) == (True, 0, True)
    (tmp_path / "manifest.csv").write_bytes(b"manifest,1,x\r\n")
    [broken] = audit(folder, "", [look_at(tmp_path / "manifest.csv")]).faults
    assert broken.startswith("manifest.csv, line 2: it is not as a manifest is written")
    (tmp_path / "head.txt").write_text("12:" + "a" * 64 + "\nlast daily head: none yet\n", "utf-8")
    with pytest.raises(Unreadable, match="--head NUMBER:HASH"):
        look_at(tmp_path / "head.txt")
    (tmp_path / "other.json").write_text('{"cardmill_audit":1}\n', "utf-8")
    with pytest.raises(Unreadable, match="neither receipts"):
        look_at(tmp_path / "other.json")
    with pytest.raises(Unreadable, match="No such file"):
        look_at(tmp_path / "none")


def test_a_head_that_was_written_down_is_found_in_the_chain_or_not(tmp_path):
    folder, _ = copy_of_centre(tmp_path)
    head = audit(folder).head
    said = f"{head.seq}:{head.hash.hex()}"
    assert audit(folder, heads=[head_in(said)]).sound
    beyond = head_in(f"{head.seq + 1}:{head.hash.hex()}")
    [fault] = audit(folder, heads=[beyond]).faults
    assert fault.startswith(f"the head that was written down: it carries the chain's head at move {head.seq + 1}")
    assert fault.endswith("the chain ends before: its end was cut off")
    assert "written anew" in audit(folder, heads=[head_in(f"3:{head.hash.hex()}")]).faults[0]
    for text in ("", "3", f"3:{'0' * 63}", f"x:{'0' * 64}", f"3:{'Z' * 64}"):
        with pytest.raises(Unreadable, match="a head is"):
            head_in(text)
    assert len(NUMBERS) == 30
