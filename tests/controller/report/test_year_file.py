"""A year's report of a finished ledger: written without a service, ended with the ledger's last day."""

from __future__ import annotations

import msgspec
import pytest

from controller.config import ClockConfig, Config, EncodingConfig
from controller.report import year_page
from controller.report.year_file import write_year_report
from tests.controller.report.worked_ledger import ENDS_FLOOR_S, ledger_of, worked_floor
from tests.controller.report.year_ledger import NORMAL, WORKED


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("finished")
    with ledger_of(worked_floor(8), folder):
        return folder


def test_the_files_hold_the_report_that_is_given_back(folder, tmp_path):
    clock, encoding = ClockConfig(simulated=True), EncodingConfig(card_s=0.015)
    config = Config(calendar=WORKED, clock=clock, encoding=encoding)
    page, sheet = tmp_path / "year.html", tmp_path / "year.csv"
    report = write_year_report(
        folder, 1970, page, config, normal=NORMAL, constants={"seed": "7"}, language="en", csv=sheet
    )
    assert page.read_text("utf-8") == year_page.html(report, "en")
    assert sheet.read_bytes() == year_page.csv(report, "en")
    assert report.whole.cards["made"] > 0
    assert report.whole.until_floor_s == 86_400.0 > ENDS_FLOOR_S, "the last day that has a move is taken whole"
    assert report.shifts == NORMAL.shifts
    assert report.simulated
    assert report.constants == {"encoding.card_s": "0.015 s a card in one worker", "seed": "7"}
    assert "0.015 s a card in one worker" in page.read_text("utf-8")
    assert report.whole.broken == []


def test_a_real_floor_rests_on_no_constant_and_the_settings_calendar_is_the_normal_one(folder, tmp_path):
    config = Config(calendar=WORKED)
    report = write_year_report(folder, 1970, tmp_path / "y.html", config, constants={"seed": "7"})
    assert (report.simulated, report.constants, report.shifts) == (False, {}, WORKED.shifts)
    assert '<html lang="zh-CN">' in (tmp_path / "y.html").read_text("utf-8")


def test_twice_the_same_ledger_gives_the_same_page(folder, tmp_path):
    config = Config(calendar=NORMAL)
    reports = [write_year_report(folder, 1970, tmp_path / f"{place}.html", config) for place in range(2)]
    assert msgspec.json.encode(reports[0]) == msgspec.json.encode(reports[1])
    assert (tmp_path / "0.html").read_bytes() == (tmp_path / "1.html").read_bytes()


def test_work_ends_when_it_is_told_to(folder, tmp_path):
    class Enough(Exception):
        pass

    def stop():
        raise Enough

    with pytest.raises(Enough):
        write_year_report(folder, 1970, tmp_path / "y.html", Config(), look=stop)
    assert not (tmp_path / "y.html").exists()
