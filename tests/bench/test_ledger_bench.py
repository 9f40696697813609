"""`python -m bench ledger`: every figure, what it is taken of, and what it refuses."""

import json

import pytest

from bench import ledger, ledger_contest
from bench.__main__ import main
from bench.ledger_paths import Ours, prepared
from bench.ledger_stream import grouped, moves_in, turns_with
from controller.ledger.engine import writer_engine

SMALL = ["--moves", "2400", "--rounds", "2", "--restart", "1500", "--cards", "1000"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The JSON file of one small run."""
    path = tmp_path_factory.mktemp("bench") / "ledger.json"
    assert main(["ledger", *SMALL, "--json", str(path)]) == 0
    return json.loads(path.read_text(encoding="utf-8"))


def test_a_folder_that_is_not_there_is_a_sentence_and_code_2(tmp_path, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["ledger", *SMALL, "--folder", str(tmp_path / "none")])
    assert ended.value.code == 2
    assert "there is no such folder" in capsys.readouterr().err


def test_each_engine_and_group_has_its_ratio_and_the_chain_a_column_of_its_own(written):
    for kind in ("sqlite", "postgresql"):
        for group in (100, 1000):
            assert written[kind][f"core_over_raw_{group}"] > 0
            assert written["spread"][kind][f"core_over_raw_{group}"] >= 0
            assert isinstance(written[kind][f"chain_us_per_move_{group}"], float)
            for path in ledger_contest.PATHS:
                assert written[kind][f"{path}_moves_per_s_{group}"] > 0


def test_the_start_reads_a_snapshot_and_folds_the_tail_alone(written):
    assert written["restart_s"] > 0
    assert written["replay_moves_per_s"] > 0
    assert 1_400 <= written["restart"]["moves"] <= 1_700
    assert 0 < written["restart"]["tail_moves"] < written["restart"]["moves"] / 5
    assert written["snapshot"]["moves"] + written["restart"]["tail_moves"] == written["restart"]["moves"]
    assert written["restart"]["open_cards"] > 500


def test_the_ledger_has_a_size_and_every_page_a_median_and_a_p99(written):
    assert 300 < written["bytes_per_card"] < 10_000
    assert written["gib_per_year"] == pytest.approx(written["bytes_per_card"] * 4_500_000 / 2**30)
    pages = {name: times for name, times in written["pages"].items() if isinstance(times, dict)}
    assert {"card", "batch", "review_list", "receipts", "trace"} <= set(pages)
    assert all(0 < times["median_ms"] <= times["p99_ms"] for times in pages.values())
    assert written["pages"]["worst_p99_ms"] == max(times["p99_ms"] for times in pages.values())


def test_a_slow_start_or_page_of_a_large_ledger_fails_and_one_of_a_small_ledger_says_nothing():
    result = {"restart_s": 4.0, "restart": {"moves": 10**6}, "pages": {"cards": 10**6, "worst_p99_ms": 60.0}}
    assert ledger.is_good(result)
    assert not ledger.is_good(result | {"restart_s": 5.1})
    assert ledger.is_good(result | {"restart_s": 5.1, "restart": {"moves": 10_000}})
    assert not ledger.is_good(result | {"pages": {"cards": 10**6, "worst_p99_ms": 100.0}})
    assert ledger.is_good(result | {"pages": {"cards": 1_000, "worst_p99_ms": 100.0}})


def test_the_bare_driver_gets_every_row_of_our_path_and_comes_to_the_same_chain(tmp_path):
    groups = list(grouped(turns_with(600), 100))
    raw_groups = prepared(groups, writer_engine(tmp_path / "prepared.db"))
    ours = Ours(writer_engine(tmp_path / "ours.db"))
    heads = []
    for group, raw in zip(groups, raw_groups, strict=True):
        ours.write(group)
        statement, rows = raw.inserts["move"]
        assert statement.startswith("INSERT INTO move ")
        assert len(rows) == moves_in(group)
        heads.append(rows[-1][-1])
        assert any(said.startswith("UPDATE card ") for said, _ in raw.others) or group is groups[0]
    ours.close()
    engine = writer_engine(tmp_path / "ours.db")
    with engine.connect() as connection:
        last = connection.exec_driver_sql("SELECT hash FROM move ORDER BY seq DESC LIMIT 1").scalar_one()
    engine.dispose()
    assert heads[-1] == last


@pytest.mark.parametrize("options", [["--moves", "1"], ["--rounds", "1"], ["--cards", "x"], ["--restart", "-1"]])
def test_a_bad_option_is_one_sentence_and_exit_code_2(options, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["ledger", *options])
    assert ended.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
