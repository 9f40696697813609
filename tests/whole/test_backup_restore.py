"""A service is copied under load, goes on, and its disk dies: restored and reconciled, it ends its batches.

The stations live through all of it and remember the jobs of the lost time.  People do by hand what docs/backup.md
asks of them; then no application has two blanks that left the house, over both lives of the centre.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import select

from controller.asking.conversation import ClientError, Refused
from controller.asking.submission import encode_application
from controller.core.moves import JobStarted, SheetImposed
from controller.ledger import tables
from controller.ledger.engine import reader_engine
from controller.ledger.journal import open_move, read_rows
from controller.ledger.verify.whole import verify
from controller.vault.key_files import KEYRING_NAME, MASTER_KEY_NAME, SITE_KEY_NAME
from sims.demo.staff import StockKeepers, Supervisors
from sims.faces import FaceSource
from sims.floor import DEFAULT_FLOOR
from sims.people import Population
from tests.whole.centre import Centre, run_cli

SIZES = (24, 120)
CARDS = sum(SIZES)
ORDERED = 2_000  # cards that blanks are ordered for: magazines that need no issue in the lost time
WITHIN_S = 600.0
PEOPLE = ("keeper-1", "keeper-2", "supervisor-1", "supervisor-2")
HERE = ("made", "dispatched")  # states of a card that exists, and whose blank may have left the house


class Story:
    """One centre and its two lives; what came of it is looked at by the tests below."""

    def __init__(self, folder: Path) -> None:
        self.centre, self.kept, self.lost = Centre(folder, scale=100.0), folder / "kept", folder / "lost"
        self.receipts: list[tuple[int, str, str]] = []  # number, kind, acceptance number; of the first life
        self.said: dict[str, str] = {}  # what commands said on the way
        self.later: list[tuple[int, str, str]] = []  # receipts of the second life
        self.by_hand = 0  # cards that people ended because they were made in the lost time

    def run(self) -> None:
        """Live both lives."""
        for station in DEFAULT_FLOOR:
            self.centre.secret("station", station.name)
        self.centre.secret("upstream", "north")
        self.centre.start()
        with ExitStack() as stack:
            stack.enter_context(closing(self.centre))
            command = [sys.executable, "-m", "sims.cli", "stations", "--endpoint", self.centre.doors["stations"]]
            command += ["--server-key", str(self.centre.server_public), "--seed", "3"]
            command += ["--secrets", str(self.centre.secret("upstream", "north").parent)]
            floor = subprocess.Popen(command, stdout=subprocess.DEVNULL)
            stack.callback(floor.wait, 30)
            stack.callback(floor.terminate)
            people = [stack.enter_context(self.centre.operator(name)) for name in PEOPLE]
            keepers, supervisors = StockKeepers(people[0], people[1], ORDERED), Supervisors(people[2], people[3])
            self._submit()
            self._work(keepers, supervisors, lambda status: status["steps"]["laminate"]["working"] > 0)
            self._backup()
            self._work(keepers, supervisors, lambda status: status["tally"]["made"] >= 24)
            self._fetch(self.receipts, 0)
            self.centre.kill()
            self._restore()
            self.centre.start("--accept-restored")
            self._ask_beyond()
            self._reconcile(people[2], people[3])
            self._work(keepers, supervisors, lambda status: status["tally"]["open"] == 0)
            self._fetch(self.later, self.backup["receipts"]["north"])
            assert self.centre.stop() == 0

    def _submit(self) -> None:
        population = Population(7, faces=FaceSource(7))
        with self.centre.upstream() as north:
            today = north.hello().floor_date
            sent = [encode_application(population.application(index, today)) for index in range(CARDS)]
            for number, (first, size) in enumerate(zip((0, SIZES[0]), SIZES, strict=True), 1):
                north.submit_batch(f"520000000000{today}{number:05d}", today, sent[first : first + size])

    def _work(self, keepers, supervisors, is_over) -> None:
        deadline = time.monotonic() + WITHIN_S
        while True:
            with suppress(ClientError):
                keepers.look()
                supervisors.look()
                if is_over(keepers._first.command("status")):
                    return
            self.centre.rest()
            assert time.monotonic() < deadline, f"{self.centre.log.read_text('utf-8')[-3_000:]}"

    def _fetch(self, into: list[tuple[int, str, str]], after: int) -> None:
        with self.centre.upstream() as north:
            more = True
            while more:
                page = north.receipts(after)
                into += [(one.number, one.kind, one.acceptance_number) for one in page.items]
                after, more = (into[-1][0], page.more) if into else (after, False)

    def _backup(self) -> None:
        code, out, errors = run_cli("backup", str(self.kept), "--config", str(self.centre.config), "--verify")
        assert code == 0, errors
        self.said["backup"] = out
        [path] = [one for one in self.kept.iterdir() if one.is_dir()]
        self.backup, self.path = json.loads((path / "backup.json").read_text("utf-8")), path

    def _restore(self) -> None:
        """The disk is gone; keys come from elsewhere, newer than the backup, as they must be."""
        self.centre.data.rename(self.lost)
        config = ("--config", str(self.centre.config))
        code, out, errors = run_cli("restore", str(self.path), *config)
        assert code == 0, errors
        self.said["restore"] = out
        for name in (MASTER_KEY_NAME, SITE_KEY_NAME, KEYRING_NAME):
            shutil.copy(self.lost / name, self.centre.data / name)
        shutil.copytree(self.lost / "keys", self.centre.data / "keys")
        code, _, self.said["refused"] = run_cli("serve", *config)
        assert code == 2

    def _ask_beyond(self) -> None:
        """Upstream goes on where it was, and is told what happened; a new batch has to wait."""
        with self.centre.upstream() as north:
            with pytest.raises(Refused) as beyond:
                north.receipts(self.receipts[-1][0])
            self.said["beyond"] = f"{beyond.value.code} {beyond.value}"
            with pytest.raises(Refused) as waits:
                north.open_batch(f"520000000000{north.hello().floor_date}00009", "20260401", 1, "0" * 64)
            self.said["waits"] = waits.value.code

    def _reconcile(self, ann, bob) -> None:
        """End what was made meanwhile, by upstream's own receipts, and settle what is suspect; then two people agree.

        What lies on the floor unfinished, and what no receipt speaks of, they collect and destroy: its cards are
        made again.
        """
        made = {number for _, kind, number in self.receipts if kind in HERE}
        deadline, agreed = time.monotonic() + WITHIN_S, False
        while not agreed:
            assert time.monotonic() < deadline, self.said
            for suspect in ann.command("suspects"):
                args = {"sheet_id": suspect["sheet_id"], "mask": suspect["mask"], "finding": "missing"}
                bob.command("second", act_id=ann.command("act", verb="settle", args=args)["act_id"])
            try:
                act = ann.command("act", verb="reconciled", args={})["act_id"]
                self._end_made(ann, bob, made)
                bob.command("second", act_id=act)
                agreed = True
            except Refused as refused:
                if refused.code not in ("restored.open_jobs", "restored.suspects"):
                    raise
                self.said[refused.code] = str(refused)
                self.centre.rest()

    def _end_made(self, ann, bob, made: set[str]) -> None:
        for row in cards_of(self.centre.data):
            if row.acceptance_number in made and row.state in ("accepted", "ready", "good"):
                if row.state == "good":  # its blank left the house: nothing is made again before `reconciled`
                    lost = ann.command("act", verb="missing", args={"card": row.card_id})
                    bob.command("second", act_id=lost["act_id"])
                reason = "made before the restore: upstream holds its receipt"
                ann.command("decide", card=row.card_id, decision="refuse_late", reason=reason)
                self.by_hand += 1


def cards_of(data: Path) -> list:
    engine = reader_engine(data / "ledger.db")
    with engine.connect() as connection:
        found = connection.execute(select(tables.card)).all()
    engine.dispose()
    return list(found)


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    made = Story(tmp_path_factory.mktemp("story"))
    made.run()
    return made


def test_over_both_lives_no_application_has_two_blanks_that_may_have_left_the_house(story):
    blanks: dict[str, set[int]] = defaultdict(set)
    told = {number for _, kind, number in story.receipts if kind in HERE}
    # a bundle of the lost time that upstream was not told of lies in the house still: people collect and destroy it
    lost_life = [card for card in cards_of(story.lost) if card.acceptance_number in told]
    for life in (lost_life, cards_of(story.centre.data)):
        for card in life:
            if card.state in HERE:
                blanks[card.acceptance_number].add(card.blank)
    assert len(blanks) > CARDS // 2
    assert {number: some for number, some in blanks.items() if len(some) > 1} == {}
    lost = {card.acceptance_number for card in lost_life if card.state in HERE}
    kept = {card.acceptance_number for card in cards_of_copy(story.path) if card.state in HERE}
    assert lost - kept, "nothing was made in the lost time: this story shows nothing"
    assert story.by_hand > 0


def cards_of_copy(path: Path) -> list:
    copy = path.parent / "looked-at"
    copy.mkdir(exist_ok=True)
    shutil.copy(path / "ledger.db", copy / "ledger.db")
    return cards_of(copy)


def test_every_card_came_to_its_end_and_the_restored_ledger_is_sound(story):
    states = {card.state for card in cards_of(story.centre.data)}
    assert states <= {"dispatched", "cancelled", "refused", "refused_late"}
    engine = reader_engine(story.centre.data / "ledger.db")
    report = verify(engine, whole=True)
    engine.dispose()
    assert report.faults == []
    code, out, errors = run_cli("audit", "verify", "--config", str(story.centre.config))
    assert code == 0, out + errors


def test_the_backup_was_whole_verified_and_of_the_moment_it_says(story):
    assert story.backup["audited"] is True
    assert "no key is in it" in story.said["backup"]
    assert story.backup["head_seq"] > 0
    assert sorted(story.backup["files"]) == ["ledger.db", "vault.db"]
    keys = [(story.lost / name).read_bytes() for name in (MASTER_KEY_NAME, SITE_KEY_NAME, KEYRING_NAME)]
    for file in story.path.iterdir():
        content = file.read_bytes()
        assert not any(line in content for key in keys for line in key.splitlines()[-1:])


def test_without_being_told_so_the_service_does_not_start_on_a_restored_ledger(story):
    assert "backup.not_accepted" in story.said["refused"]
    assert "--accept-restored" in story.said["refused"]
    assert "Traceback" not in story.said["refused"]
    assert "Lost: every move after that" in story.said["restore"]


def test_upstream_is_told_that_its_receipts_are_beyond_and_later_gets_the_rest_far_above(story):
    last = story.backup["receipts"]["north"]
    assert story.receipts[-1][0] > last, "no receipt was given in the lost time"
    assert story.said["beyond"].startswith("receipts.beyond")
    assert f"fetch after {last:,}" in story.said["beyond"]
    assert story.said["waits"] == "restored.waits"
    first, *rest = story.later
    assert (first[0] > last + 1_000_000, first[1]) == (True, "restored")
    assert [number for number, _, _ in rest] == list(range(first[0] + 1, first[0] + 1 + len(rest)))
    assert sum(kind == "batch_closed" for _, kind, _ in rest) >= 1
    assert not {number for number, _, _ in story.later} & {number for number, _, _ in story.receipts}


def test_no_station_was_given_a_job_or_a_sheet_by_a_number_of_the_lost_time(story):
    head = story.backup["head_seq"]
    lost, fresh = (given_after(data, head) for data in (story.lost, story.centre.data))
    assert "job" in {noun for noun, _ in lost}
    assert {noun for noun, _ in fresh} == {"job", "sheet"}
    assert not lost & fresh
    assert min(number for _, number in fresh) > 1_000_000


def given_after(data: Path, seq: int) -> set[tuple[str, int]]:
    """Give the numbers of jobs and sheets that a ledger gave after a move."""
    engine = reader_engine(data / "ledger.db")
    moves = [open_move(row) for row in read_rows(engine, tables.move, seq)]
    engine.dispose()
    jobs = {("job", move.job_id) for move in moves if isinstance(move, JobStarted)}
    return jobs | {("sheet", move.sheet_id) for move in moves if isinstance(move, SheetImposed)}
