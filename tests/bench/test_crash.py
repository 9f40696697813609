"""The crash bench: what it reads from a trace, how it rebuilds files, what it sees, and a short real run."""

from __future__ import annotations

import json
from random import Random

import pytest

from bench.crash import main, read_record, result_of
from bench.crash_acknowledged import Acknowledged
from bench.crash_audit import Auditor
from bench.crash_cuts import Cuts, cut_power
from bench.crash_diary import Announced, Diary, kept_by, promise_of
from bench.crash_disk import Disk
from bench.crash_kills import Killed
from bench.crash_matter import not_in_bundles, second_cards
from bench.crash_owners import orphans
from bench.crash_trace import (
    Created,
    Cut,
    Linked,
    Said,
    SyncBegun,
    SyncEnded,
    TraceError,
    Unlinked,
    Written,
    deeds_in,
)
from controller.core import moves as m
from controller.core.fold import apply
from controller.core.state import FloorState
from controller.core.stock import Account
from controller.ledger.store import open_ledger
from controller.wire import Receipt

FOLDER, TWO_LINES = "/data", "ack 1\nack 2\n"


def hexed(text: str | bytes) -> str:
    content = text.encode() if isinstance(text, str) else text
    return "".join(f"\\x{byte:02x}" for byte in content)


def on(number: int, name: str) -> str:
    return f"{number}<{hexed(f'{FOLDER}/{name}' if name else FOLDER)}>"


def deeds(*lines: str) -> list:
    return list(deeds_in(lines, FOLDER))


def test_a_write_a_cut_a_sync_and_a_word_are_read_with_their_file_and_place():
    assert deeds(
        f'10 openat(AT_FDCWD<{hexed("/")}>, "{hexed("/data/a.db")}", O_RDWR|O_CREAT|O_CLOEXEC, 0644) = {on(5, "a.db")}',
        f'10 pwrite64({on(5, "a.db")}, "{hexed("abc")}", 3, 4096) = 3',
        f'10 write({on(6, "keys")}, "{hexed("line")}", 4) = 4',
        f"10 ftruncate({on(5, 'a.db')}, 512) = 0",
        f"10 fdatasync({on(5, 'a.db')}) = 0",
        f"10 fsync({on(7, '')}) = 0",
        f'10 write(1<{hexed("pipe:[7]")}>, "{hexed(TWO_LINES)}", 12) = 12',
    ) == [
        Created("a.db"),
        Written("a.db", 4096, b"abc"),
        Written("keys", -1, b"line"),
        Cut("a.db", 512),
        SyncBegun("a.db", 10),
        SyncEnded("a.db", 10),
        SyncBegun("", 10),
        SyncEnded("", 10),
        Said("ack 1"),
        Said("ack 2"),
    ]


def test_a_call_cut_in_two_by_another_thread_counts_from_its_end_and_a_sync_covers_from_its_beginning():
    assert deeds(
        "10 +++ exited with 0 +++",
        f'11 pwrite64({on(5, "a.db")}, "{hexed("abc")}", 3, 0 <unfinished ...>',
        f"12 fdatasync({on(5, 'a.db')} <unfinished ...>",
        "11 <... pwrite64 resumed>) = 3",
        "12 <... fdatasync resumed>) = 0",
    ) == [SyncBegun("a.db", 12), Written("a.db", 0, b"abc"), SyncEnded("a.db", 12)]


def test_names_are_followed_through_links_moves_and_removals():
    assert deeds(
        f'10 link("{hexed("/data/k.new")}", "{hexed("/data/k")}") = 0',
        f'10 unlink("{hexed("/data/k.new")}") = 0',
        f'10 rename("{hexed("/data/e.new")}", "{hexed("/data/e")}") = 0',
    ) == [Linked("k", "k.new", False), Unlinked("k.new"), Linked("e", "e.new", True)]


def test_what_failed_lies_elsewhere_is_shared_memory_or_is_said_by_another_process_is_nothing():
    assert not deeds(
        "10 exit_group(0) = ?",
        f'10 openat(AT_FDCWD<{hexed("/")}>, "{hexed("/data/a")}", O_RDWR|O_CREAT, 0644) = -1 EACCES (denied)',
        f'10 pwrite64(5<{hexed("/elsewhere/a.db")}>, "{hexed("abc")}", 3, 0) = 3',
        f'10 pwrite64({on(5, "a.db-shm")}, "{hexed("a")}", 1, 0) = 1',
        f'11 write(1<{hexed("pipe:[9]")}>, "{hexed("noise")}", 5) = 5',
    )


def test_a_string_that_strace_has_cut_and_a_line_that_is_none_are_errors():
    with pytest.raises(TraceError):
        deeds(f'10 pwrite64({on(5, "a.db")}, "{hexed("abc")}"..., 300, 0) = 300')
    with pytest.raises(TraceError):
        deeds("no line of strace")


def disk_of(*done) -> Disk:
    disk = Disk()
    for deed in done:
        disk.take(deed)
    return disk


def synced(name: str) -> tuple[SyncBegun, SyncEnded]:
    return SyncBegun(name, 1), SyncEnded(name, 1)


def outcomes(disk: Disk, name: str, cuts: int = 400) -> set[bytes | None]:
    luck = Random(5)
    return {disk.after_power_cut(luck).get(name) for _ in range(cuts)}


def test_what_was_synced_with_its_name_is_there_after_every_cut():
    disk = disk_of(Created("a"), Written("a", 0, b"x" * 700), *synced("a"), *synced(""))
    assert outcomes(disk, "a") == {b"x" * 700}


def test_a_name_whose_folder_was_not_synced_may_be_gone_though_the_file_was():
    disk = disk_of(Created("a"), Written("a", 0, b"x"), *synced("a"))
    assert outcomes(disk, "a") == {None, b"x"}


def test_a_write_that_was_not_synced_survives_in_any_mixture_of_its_sectors():
    old, new = b"o" * 1536, b"n" * 1536
    disk = disk_of(Created("a"), Written("a", 0, old), *synced("a"), *synced(""), Written("a", 0, new))
    torn = {bytes(part) for part in outcomes(disk, "a", 2_000)}
    mixtures = {
        b"".join((letter * 512).encode() for letter in f"{number:03b}".replace("0", "o").replace("1", "n"))
        for number in range(8)
    }
    assert torn == mixtures


def test_sectors_are_those_of_the_disk_and_not_of_the_write():
    disk = disk_of(Created("a"), Written("a", 0, b"o" * 1024), *synced("a"), *synced(""), Written("a", 500, b"n" * 24))
    whole = {(0, 0), (12, 0), (0, 12), (12, 12)}
    assert {(part[500:512].count(b"n"), part[512:524].count(b"n")) for part in outcomes(disk, "a")} == whole


def test_a_sync_does_not_cover_what_was_written_after_it_began():
    disk = disk_of(
        *(Created("a"), Written("a", 0, b"1"), SyncBegun("a", 1), Written("a", 1, b"2"), SyncEnded("a", 1)), *synced("")
    )
    assert outcomes(disk, "a") == {b"1", b"12"}


def test_a_cut_and_a_removal_may_or_may_not_be_there_and_an_appended_line_lies_at_the_end():
    disk = disk_of(Created("a"), Written("a", -1, b"one"), Written("a", -1, b"two"), *synced("a"), *synced(""))
    assert disk.whole() == {"a": b"onetwo"}
    disk.take(Cut("a", 3))
    assert outcomes(disk, "a") == {b"onetwo", b"one"}
    disk.take(Unlinked("a"))
    assert outcomes(disk, "a") == {b"onetwo", b"one", None}
    for deed in synced(""):
        disk.take(deed)
    assert outcomes(disk, "a") == {None}


def test_a_line_of_acknowledgement_that_is_none_is_not_passed_over():
    acknowledged = Acknowledged()
    for line in ("open", "turns 3 9", "cursor 4", "batch 0 1", "chunk 1 0 5"):
        acknowledged.take(line)
    assert (acknowledged.turns, acknowledged.moves, acknowledged.cursor) == (3, 9, 4)
    assert (acknowledged.batches, acknowledged.chunks) == ({0: 1}, [(1, 0, 5)])
    with pytest.raises(ValueError, match="no line"):
        acknowledged.take("turns 3")


# ---- what is seen after a kill -----------------------------------------------------------------------------------


async def test_a_promise_that_the_ledger_does_not_keep_is_lost_and_one_that_it_keeps_is_not(tmp_path):
    diary = Diary()
    async with open_ledger(tmp_path) as ledger:
        del ledger
        diary.announced.append(Announced("5" * 25, 3, "0" * 64))
        diary.answers.append(("decided", 10_000, "release", "ann"))
        auditor = Auditor(tmp_path, diary)
        auditor.look()
        auditor.look(whole=True)
    assert auditor.counts["lost"] == 4  # each of the two, at both looks
    assert auditor.counts["faults"] == auditor.counts["duplicates"] == 0


def test_a_receipt_that_comes_again_as_another_or_out_of_order_is_seen():
    diary = Diary()
    one, two = (Receipt(number=n, kind="accepted", batch_number="1", index=n, at_floor_s=1.0) for n in (1, 2))
    diary.take_receipts([one, two])
    diary.take_receipts([one])
    assert (diary.receipts, diary.changed) == ([one, two], [])
    diary.take_receipts([Receipt(number=2, kind="made", batch_number="1", index=2, at_floor_s=1.0)])
    diary.take_receipts([Receipt(number=4, kind="made", batch_number="1", index=2, at_floor_s=1.0)])
    assert diary.changed == ["receipt 2 is another now", "receipt 4 came after 2"]


def test_what_an_operator_is_answered_is_looked_for_among_the_moves():
    assert promise_of("ann", "decide", {"card": 7, "decision": "release", "reason": "r"}, {}) == kept_by(
        m.CardDecided(7, "release", "ann", "r")
    )
    assert promise_of("ann", "act", {"verb": "receive", "args": {}}, {"act_id": 3}) == kept_by(
        m.ActProposed(3, "receive", {}, "ann", 9.0)
    )
    assert promise_of("bob", "second", {"act_id": 3}, {}) == kept_by(m.ActEnded(3, "bob", True))
    assert kept_by(m.ActEnded(3, "", False)) is None


def test_a_job_of_a_station_that_does_not_have_it_is_an_orphan():
    state = FloorState()
    apply(state, 0.0, m.StationJoined("p1", "print", "simulated", 1))
    assert not list(orphans(state))
    state.stations["p1"].job_id = 9
    assert list(orphans(state)) == ["p1 has job 9, which is none"]


def test_a_second_card_in_a_bundle_and_a_good_one_that_nobody_knows_of_are_seen():
    state = FloorState()
    cards = {10_000: ("0" * 22, "dispatched", 501), 10_001: ("1" * 22, "made", 502)}
    good = [(501, "10000", True, True), (502, "10001", True, True)]
    assert second_cards(good, cards, state) == not_in_bundles(good, cards) == []
    assert len(second_cards([*good, (503, "10000", True, True)], cards, state)) == 2
    assert len(second_cards([*good, (503, "10000", True, False)], cards, state)) == 1
    state.stock.spoil(503, 1.0)
    assert not second_cards([*good, (503, "10000", True, False)], cards, state)
    assert len(not_in_bundles(good[:1], cards)) == 1
    assert Account.SPOILED in state.stock.blanks


# ---- the real thing ----------------------------------------------------------------------------------------------


def test_full_loses_nothing_at_a_power_cut_and_the_same_look_sees_what_normal_loses():
    full, normal = (cut_power(11, 120, 60, mode) for mode in ("full", "normal"))
    assert (full.cuts, full.lost, full.examples) == (60, 0, [])
    assert full.acknowledged
    assert normal.lost


def test_sums_of_earlier_runs_are_added_and_a_file_that_holds_none_is_refused(tmp_path):
    killed = Killed(kills=200, acknowledged=10, counts={"lost": 0, "duplicates": 0, "faults": 0}, restarts_s=[1.0, 2.0])
    file = tmp_path / "sums.json"
    first = result_of(killed, Cuts(), Cuts(), read_record(file))
    file.write_text(json.dumps(first["cumulated"]))
    second = result_of(killed, Cuts(), Cuts(), read_record(file))
    assert (first["kills_cumulated"], second["kills_cumulated"], second["kills"]) == (200, 400, 200)
    file.write_text("{}")
    with pytest.raises(ValueError, match="earlier runs"):
        read_record(file)


def test_a_short_real_run_gives_all_figures_and_loses_nothing(tmp_path):
    out, sums = tmp_path / "crash.json", tmp_path / "sums.json"
    code = main(["--kills", "3", "--cuts", "40", "--turns", "80", "--cumulate", str(sums), "--json", str(out)])
    result = json.loads(out.read_text())
    assert (code, result["examples"]) == (0, [])
    assert (result["kills"], result["kills_cumulated"], result["power_cuts"]) == (3, 3, 40)
    assert (result["lost"], result["duplicates"], result["faults"], result["power_cut_lost"]) == (0, 0, 0, 0)
    assert min(result[name] for name in ("acknowledged", "dispatched", "normal_lost", "s_per_kill", "restart_s")) > 0
    assert json.loads(sums.read_text())["kills"] == 3
