"""`python -m bench`: the list of benchmarks, results and their files."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import bench
from bench.__main__ import benchmarks, main
from bench.release import NO_PART, form_arguments
from bench.result import median_and_spread, seconds_in_turn, write_json


def test_every_module_with_a_main_is_listed_with_its_first_line_and_no_other():
    listed = benchmarks()
    assert listed["record"].startswith("How long does a chip text record take")
    assert not {"result", "__main__", "--main--", "__init__"} & set(listed)
    assert all(question and "\n" not in question for question in listed.values())


def test_every_benchmark_writes_its_name_and_machine_and_has_both_forms():
    folder = Path(bench.__path__[0])
    for name in benchmarks():
        stem = name.replace("-", "_")
        text = "".join(path.read_text("utf-8") for path in sorted(folder.glob(f"{stem}*.py")))
        assert f'"bench": "{name}"' in text, name
        assert "machine()" in text, name
        assert "write_json(" in text, name
        if name not in NO_PART:
            own = (folder / f"{stem}.py").read_text("utf-8")
            assert form_arguments(own, "short"), name
            assert form_arguments(own, "long"), name


def test_a_result_is_written_with_versions_and_a_spread_of_its_own_or_an_empty_one(tmp_path):
    for result, spread in (({"n": 1}, {}), ({"n": 1, "spread": {"n": 2}}, {"n": 2})):
        assert write_json(result, str(tmp_path / "x.json")) == 0
        written = json.loads((tmp_path / "x.json").read_text("utf-8"))
        assert (written["n"], written["spread"]) == (1, spread)
        assert {"cardmill", "trio", "pyzmq", "sqlalchemy", "numba"} <= set(written["versions"])


def test_the_bare_command_lists_them_without_loading_any():
    program = "import sys\nfrom bench.__main__ import main\nassert main([]) == 0\nassert 'numba' not in sys.modules\n"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, timeout=60, check=False, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == list(benchmarks())


def test_python_m_bench_is_the_command():
    done = subprocess.run(
        [sys.executable, "-m", "bench", "nosuch"], capture_output=True, timeout=60, check=False, text=True
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("There is no benchmark 'nosuch'. Known: ")


def test_a_dash_in_a_name_stands_for_the_underscore_of_its_file(tmp_path, monkeypatch):
    (tmp_path / "of_two.py").write_text('"""Is it found?\n\nMore."""\n\ndef main(argv):\n    return 7 + len(argv)\n')
    monkeypatch.setattr(bench, "__path__", [str(tmp_path), *bench.__path__])
    assert benchmarks() == {"of-two": "Is it found?"}
    assert main(["of-two", "x"]) == 8


def test_jobs_take_turns_and_each_is_called_before_it_is_timed():
    calls = []
    taken = seconds_in_turn({"a": lambda: calls.append("a"), "b": lambda: calls.append("b")}, rounds=5)
    assert {name: len(times) for name, times in taken.items()} == {"a": 5, "b": 5}
    turns = "".join(calls[4:])
    assert [turn for turn, before in zip(turns, " " + turns, strict=False) if turn != before] == list("ab" * 5)


def test_median_and_spread_are_the_middle_and_the_distance_of_the_quartiles():
    assert median_and_spread([5.0, 1.0, 2.0, 3.0, 4.0]) == (3.0, 2.0)


def test_a_file_that_cannot_be_written_is_a_sentence_and_exit_code_2(tmp_path: Path, capsys):
    assert write_json({}, str(tmp_path / "gone" / "result.json")) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_is_the_list(option, capsys):
    assert main([option]) == 0
    assert "record" in capsys.readouterr().out
