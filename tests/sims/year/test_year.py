"""A little year end to end: a sound ledger, figures that separate questions give too, and one digest everywhere."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from controller.audit.verification import verify_folder
from controller.config import load_config
from controller.core.events import TimerFired
from controller.core.remakes import Remakes
from controller.core.tally import Tally
from controller.ledger.store import ledger_place
from controller.upkeep.books import Books
from devices.messages import POSITIONS
from sims.cli import app
from sims.demo.staff import FIRST_SINGLE
from sims.year.broken import Broken
from sims.year.command import CONFIG_NAME, config_text, result_of
from sims.year.errors import YearError
from sims.year.refold import Refold
from sims.year.run import Year, core_pass, run_year
from sims.year.stream import DayOver, Heard, Teller, told_in
from tests.sims.year.small_year import CARDS, RATES, moves_of

YEAR = Year(cards=CARDS, seed=5, rates=RATES)
MINUTE_DAYS = 1 / 1_440
KEYS = [
    *("cards", "sheets", "moves", "wall_s", "rss_peak_mib", "digest", "violations", "made", "remade", "spoiled"),
    *("lead_p95_days", "core_sheets_per_s"),
]


@pytest.fixture(scope="module")
def core():
    return core_pass(YEAR)


@pytest.fixture(scope="module")
def kept(tmp_path_factory, core):
    folder = tmp_path_factory.mktemp("year")
    ran = run_year(YEAR, folder)
    (folder / CONFIG_NAME).write_text(config_text(ran.config), "utf-8")
    return folder, ran, result_of(ran, core)


def asked(folder: Path, question: str) -> list[tuple]:
    with closing(sqlite3.connect(folder / "ledger.db")) as ledger:
        return ledger.execute(question).fetchall()


def one(folder: Path, question: str) -> int:
    [(answer,)] = asked(folder, question)
    return answer


def test_no_law_is_broken_and_every_day_of_the_sampled_week_folds_to_the_state(kept):
    _, ran, result = kept
    assert ran.sentences == []
    assert result["violations"] == 0
    assert ran.refolded_days == 7
    assert list(result) == KEYS
    assert result["cards"] >= CARDS


def test_the_floor_alone_reaches_the_digest_of_the_ledger(kept, core):
    _, ran, result = kept
    assert core.digest == result["digest"] == ran.found.head
    assert core.moves == result["moves"]


def test_another_process_with_another_seed_of_hashes_reaches_the_same_digest(core):
    program = (
        "from sims.year.run import Year, core_pass; from tests.sims.year.small_year import CARDS, RATES;"
        "print(core_pass(Year(cards=CARDS, seed=5, rates=RATES)).digest)"
    )
    surroundings = {**os.environ, "PYTHONHASHSEED": "77", "PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run([sys.executable, "-c", program], env=surroundings, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == core.digest


def test_another_seed_is_another_year(core):
    assert core_pass(Year(cards=CARDS, seed=6, rates=RATES)).digest != core.digest


def test_the_counts_are_what_the_tables_give(kept):
    folder, _, result = kept
    assert result["moves"] == one(folder, "SELECT count(*) FROM move") == one(folder, "SELECT max(seq) FROM move")
    assert result["digest"] == one(folder, "SELECT hash FROM move ORDER BY seq DESC LIMIT 1").hex()
    assert result["sheets"] == one(folder, "SELECT count(*) FROM sheet")
    assert result["cards"] == one(folder, "SELECT count(*) FROM card WHERE state NOT IN ('held', 'refused')")
    assert result["made"] == one(folder, "SELECT count(*) FROM card WHERE bundle_id > 0 AND state = 'dispatched'")
    assert result["remade"] == one(folder, "SELECT sum(generation - 1) FROM card")


def test_the_spoiled_are_all_bound_blanks_less_those_in_finished_cards(kept):
    folder, _, result = kept
    places = f"CASE WHEN body >= {FIRST_SINGLE} THEN 1 ELSE {POSITIONS} END"
    bound = one(folder, f"SELECT sum({places}) FROM sheet WHERE body > 0")
    assert result["spoiled"] == bound - one(folder, "SELECT count(*) FROM card WHERE blank > 0")


def test_the_lead_time_is_that_of_each_card_from_receipt_to_dispatch(kept):
    folder, _, result = kept
    lead = asked(
        folder,
        "SELECT (consignment.sent_floor_s - batch.received_floor_s) / 86400.0 FROM card"
        " JOIN bundle ON bundle.bundle_id = card.bundle_id"
        " JOIN consignment ON consignment.consignment_id = bundle.consignment_id"
        " JOIN batch ON batch.batch_id = card.batch_id ORDER BY 1",
    )
    days = lead[-(-len(lead) * 95 // 100) - 1][0]
    assert result["lead_p95_days"] == pytest.approx(days, abs=1.5 * MINUTE_DAYS)


def test_what_came_in_is_refused_cancelled_refused_late_or_dispatched(kept):
    folder, ran, _ = kept
    figures = ran.found.figures
    sums = "sum(received), sum(refused), sum(cancelled), sum(refused_late), sum(dispatched)"
    [(received, *ends)] = asked(folder, f"SELECT {sums} FROM batch WHERE state = 'closed'")
    assert received == sum(ends)
    assert [received, *ends] == [
        figures[name] for name in ("received", "refused", "cancelled", "refused_late", "dispatched")
    ]
    assert one(folder, "SELECT count(*) FROM batch WHERE state = 'open'") == figures["open"] == 0


def test_the_audit_finds_the_ledger_sound_with_its_snapshots_and_its_inbox(kept):
    folder, _, result = kept
    report = verify_folder(folder, config=load_config(folder / CONFIG_NAME))
    assert report.faults == []
    assert report.moves == result["moves"]
    assert report.counts["snapshots compared"]
    assert report.counts["inbox_application"] == one(folder, "SELECT count(*) FROM inbox_application")
    assert ledger_place(folder).path.stat().st_mode & 0o077 == 0


def test_a_folder_with_a_ledger_is_not_written_over(kept):
    with pytest.raises(YearError):
        run_year(YEAR, kept[0])


def test_a_state_that_is_not_the_fold_of_the_moves_is_noticed():
    floor, stream = moves_of(200)
    books, broken = Books(floor.foreman, Tally(remakes=Remakes(floor.config.calendar)), 0.0), Broken()
    refold = Refold(books, floor.config, floor.days.first, broken)
    refold.begin(floor.days.first)
    refold.end(floor.days.first)
    assert broken.count == 0
    floor.foreman.state.last_id["sheet"] += 1
    refold.end(floor.days.first)
    assert broken.sentences == ["law 7: 2026-01-01: folding the moves gives another FloorState.last_id"]
    floor.foreman.state.last_id["sheet"] -= 1
    books.tally.made += len(stream)
    refold.end(floor.days.first)
    assert broken.sentences[-1].endswith("Tally.made")


def test_a_year_of_which_no_day_was_folded_again_breaks_the_law_that_nothing_showed():
    floor, _ = moves_of(1)
    books, broken = Books(floor.foreman, Tally(remakes=Remakes(floor.config.calendar)), 0.0), Broken()
    refold = Refold(books, floor.config, floor.days.first, broken)
    refold.over()
    assert broken.sentences == ["law 7: no day was folded again, so nothing was compared"]
    refold.begin(floor.days.first)
    refold.end(floor.days.first)
    refold.over()
    assert broken.count == 1


def test_the_command_writes_its_figures_and_says_no_to_a_folder_in_use(tmp_path):
    json_file, out = tmp_path / "year.json", tmp_path / "out"
    args = ["year", "--cards", "60", "--out", str(out), "--json", str(json_file)]
    said = CliRunner().invoke(app, args)
    assert said.exit_code == 0, said.output
    result = json.loads(json_file.read_text("utf-8"))
    assert list(result) == KEYS
    assert all(isinstance(value, int | float) for name, value in result.items() if name != "digest")
    assert (out / CONFIG_NAME).exists()
    assert "2026" in (out / "year.html").read_text("utf-8")
    assert (out / "year.csv").stat().st_size > 1_000
    assert isinstance(CliRunner().invoke(app, args).exception, YearError)


def test_a_piece_of_the_stream_comes_back_as_it_was():
    pieces: list[bytes] = []
    teller = Teller(pieces.append)
    floor, stream = moves_of(60)
    told = [Heard(at, TimerFired(), [move]) for at, move in stream[:50]] + [
        DayOver("2026-01-01", {"vault": 1}, 0, 0, 5)
    ]
    for each in told:
        teller.tell(each)
    teller.end()
    assert [found for piece in pieces[:-1] for found in told_in(piece)] == told
    assert pieces[-1] == b""
    assert floor.demand.is_over
    with pytest.raises(msgspec.MsgspecError):
        told_in(b"\x91\x91\xa5heard")
