"""`python -m bench release`: every other benchmark is run, told of and written down; failures are named."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bench
from bench import record, release
from bench.__main__ import benchmarks, main
from bench.release import form_arguments, versions
from bench.results_page import figures, write_results

OWN = ("__init__.py", "__main__.py", "release.py", "result.py", "results_page.py")
COUNTS = '''"""How many options were there?"""

import json

SHORT_ARGS: list[str] = ["--few"]
LONG_ARGS = ["--many", "a b"]


def main(argv):
    *options, place = argv
    print("a table for people")
    result = {"bench": "counts", "options": options, "way": {"us": 1234.5, "n": 7}, "spread": {"way": {"us": 0.25}}}
    with open(place, "w") as file:
        json.dump(result, file)
    return 0
'''
PLAIN = '''"""Does it run without forms?"""


def main(argv):
    with open(argv[-1], "w") as file:
        file.write('{"argument_count": %d}' % len(argv))
    return 0
'''
FAULTY = {
    "refuses": 'def main(argv):\n    open(argv[-1], "w").write("{}")\n    return 3\n',
    "raises": "def main(argv):\n    raise KeyError('secret')\n",
    "dies": "import os\n\n\ndef main(argv):\n    os.abort()\n",
    "silent": "def main(argv):\n    return 0\n",
    "listless": 'def main(argv):\n    open(argv[-1], "w").write("[1]")\n    return 0\n',
    "vague": "LONG_ARGS = [str(1)]\n\n\ndef main(argv):\n    return 0\n",
}
HANGS = '''"""Does it ever end?"""

import os
import subprocess
import sys
import threading


def main(argv):
    child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait()"])
    with open("pids", "w") as file:
        file.write(f"{os.getpid()} {child.pid}")
    threading.Event().wait()
'''


@pytest.fixture
def house(tmp_path):
    """A copy of the package in a folder of its own, with the benchmark `counts` and room for more."""
    (tmp_path / "bench").mkdir()
    for name in OWN:
        shutil.copy(Path(bench.__path__[0]) / name, tmp_path / "bench" / name)
    (tmp_path / "bench" / "counts.py").write_text(COUNTS)
    return tmp_path


def run_release(house: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bench", "release", *options],
        cwd=house,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_long_form_writes_each_benchmark_with_its_command_medians_and_spreads(house):
    (house / "bench" / "of_two.py").write_text(PLAIN)
    done = run_release(house, "--json", "all.json")
    assert done.returncode == 0, done.stderr
    page = (house / "bench" / "RESULTS.md").read_text("utf-8")
    assert "How many options were there?\n\n    python -m bench counts --many 'a b'\n" in page
    assert "| `way.us` | 1,234 | 0.25 |\n| `way.n` | 7 |  |\n" in page
    assert "    python -m bench of-two\n" in page
    assert "| `argument_count` | 2 |  |" in page
    assert "release\n\n" not in page.split("## ", 1)[1]
    assert "Failed" not in page
    for fact in ("- Last written: 2", "- Machine: ", "with Python 3.", "load before the start ", "trio ", "cardmill "):
        assert fact in page
    collected = json.loads((house / "all.json").read_text("utf-8"))
    assert collected["benchmarks"]["counts"]["options"] == ["--many", "a b", "--json"]
    assert list(collected["benchmarks"]) == ["counts", "of-two"]
    assert collected["commands"]["of-two"] == "python -m bench of-two"
    assert (collected["form"], collected["failed"]) == ("long", {})


def test_one_benchmark_run_alone_takes_its_own_place_on_the_page_and_leaves_the_others(house):
    (house / "bench" / "of_two.py").write_text(PLAIN)
    assert run_release(house).returncode == 0
    page = house / "bench" / "RESULTS.md"
    page.write_text(page.read_text("utf-8").replace("| `way.n` | 7 |", "| `way.n` | 8 |").replace("| 2 |", "| 3 |"))
    done = run_release(house, "--only", "counts")
    assert done.returncode == 0, done.stderr
    told = page.read_text("utf-8")
    assert "| `way.n` | 7 |" in told  # measured again
    assert "| `argument_count` | 3 |" in told  # as it stood
    assert told.count("## counts") == told.count("## of-two") == 1
    assert run_release(house, "--only", "of-three").returncode == 2


def test_the_short_form_writes_nothing_but_the_json_that_was_asked_for(house):
    before = sorted(house.rglob("*"))
    done = run_release(house, "--short", "--json", "all.json")
    assert done.returncode == 0, done.stderr
    assert sorted(house.rglob("*")) == sorted([*before, house / "all.json"])
    collected = json.loads((house / "all.json").read_text("utf-8"))
    assert collected["benchmarks"]["counts"]["options"] == ["--few", "--json"]
    assert collected["form"] == "short"


def test_json_to_standard_output_is_nothing_but_json_though_benchmarks_print(house):
    done = run_release(house, "--short", "--json", "-")
    assert json.loads(done.stdout)["bench"] == "release"
    assert "a table for people" in done.stderr


def test_what_fails_is_named_with_its_fault_and_costs_the_others_nothing(house):
    for name, body in FAULTY.items():
        (house / "bench" / f"{name}.py").write_text(f'"""Does {name} work?"""\n\n\n{body}')
    done = run_release(house, "--results", "page.md", "--json", "all.json")
    assert done.returncode == 1
    assert json.loads((house / "all.json").read_text("utf-8"))["failed"] == {
        "dies": "ended by signal 6",
        "listless": "it wrote no JSON object",
        "raises": "exit code 1",
        "refuses": "exit code 3",
        "silent": "it wrote no JSON object",
        "vague": "its LONG_ARGS is not a list of texts, written out",
    }
    page = (house / "page.md").read_text("utf-8")
    assert "**Failed: dies, listless, raises, refuses, silent, vague.**" in page
    refuses = page.split("    python -m bench refuses\n", 1)[1].split("## ", 1)[0]
    assert refuses.strip().endswith("**Failed: exit code 3.**")
    assert "| `way.us` | 1,234 | 0.25 |" in page
    assert "secret" not in page
    assert not (house / "bench" / "RESULTS.md").exists()


def test_one_that_hangs_is_stopped_with_all_it_started_and_named(house):
    (house / "bench" / "hangs.py").write_text(HANGS)
    done = run_release(house, "--limit-s", "5")
    assert done.returncode == 1
    assert "**Failed: stopped after 5 s.**" in (house / "bench" / "RESULTS.md").read_text("utf-8")
    for pid in (house / "pids").read_text().split():
        assert not is_running(int(pid))


def is_running(pid: int) -> bool:
    """Whether a process of ours still works; one that ended and was not waited for by anybody does not."""
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] not in "ZX"


def test_a_page_that_cannot_be_replaced_stays_as_it_was(tmp_path, capsys):
    page = tmp_path / "RESULTS.md"
    page.write_text("before")
    (tmp_path / "RESULTS.md.new").mkdir()
    assert write_results("after", page) == 2
    assert "cannot be written" in capsys.readouterr().err
    assert page.read_text() == "before"
    (tmp_path / "RESULTS.md.new").rmdir()
    assert write_results("after", page) == 0
    assert page.read_text() == "after"
    assert list(tmp_path.iterdir()) == [page]


def test_a_page_that_cannot_be_written_is_exit_code_2_and_the_json_is_kept(house):
    (house / "bench" / "RESULTS.md.new").mkdir()
    assert run_release(house, "--json", "all.json").returncode == 2
    assert json.loads((house / "all.json").read_text("utf-8"))["failed"] == {}


def test_a_figure_stands_beside_the_spread_of_its_own_path():
    result = {
        "bench": "x",
        "machine": {"cpus": 2},
        "a": {"b": 0.123456, "c": 1234567.8},
        "list": [3, True],
        "digest": "12|34",
        "none": None,
        "spread": {"a": {"b": 2}, "list": [1], "b": 9},
    }
    assert figures(result) == [
        ("a.b", "0.1235", "2"),
        ("a.c", "1,234,568", ""),
        ("list.0", "3", "1"),
        ("list.1", "yes", ""),
        ("digest", "12/34", ""),
        ("none", "", ""),
    ]


def test_forms_are_read_from_the_source_which_is_not_run():
    source = 'raise SystemExit\nLONG_ARGS: list[str] = ["--n", "9"]\nOTHER: int\nprint(1)\n'
    assert form_arguments(source, "long") == ["--n", "9"]
    assert form_arguments(source, "short") == []


@pytest.mark.parametrize("value", ["[1]", "('--n',)", "['a'] + OTHER", "'--n'"])
def test_a_form_that_is_no_list_of_texts_is_refused(value):
    with pytest.raises(ValueError):
        form_arguments(f"SHORT_ARGS = {value}\n", "short")


def test_versions_are_those_of_what_runs_and_not_of_what_tests():
    found = versions(["trio<1,>=0.30", "psycopg[binary]; extra == 'postgresql'", 'pytest; extra == "test"', "nosuch1"])
    assert list(found) == ["cardmill", "psycopg", "trio"]


@pytest.mark.parametrize("form", ["long", "short"])
def test_every_benchmark_of_the_package_has_forms_that_can_be_read(form):
    for name in benchmarks():
        form_arguments((Path(bench.__path__[0]) / f"{name.replace('-', '_')}.py").read_text("utf-8"), form)


def test_the_short_form_of_record_runs():
    assert main(["record", *record.SHORT_ARGS]) == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--short", "--results", "x.md"], "no meaning"),
        (["--results", ""], "not a file"),
        (["--results", "no/such/page.md"], "existing folder"),
        (["--limit-s", "0"], "from 1"),
        (["--json", "no/such/x.json"], "existing folder"),
        (["stray"], "stray"),
    ],
)
def test_a_bad_option_is_one_sentence_and_nothing_is_run(options, said, capsys, monkeypatch):
    monkeypatch.setattr(release, "_run", lambda *_: pytest.fail("a benchmark was run"))
    with pytest.raises(SystemExit) as ended:
        main(["release", *options])
    error = capsys.readouterr().err
    assert ended.value.code == 2
    assert said in error
    assert error.count("\n") == 1
