"""How does every other benchmark fare: in its long form, written to RESULTS.md, or in its short one?"""

import argparse
import ast
import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import bench
from bench.__main__ import benchmarks
from bench.result import Options, machine, show, versions, whole_number, write_json
from bench.results_page import page, section, sections, write_results

ARGS_NAMES = {"long": "LONG_ARGS", "short": "SHORT_ARGS"}  # what a benchmark may define; without it, its defaults run
LIMITS_S = {"long": 6 * 3600, "short": 600}
STANDARD_ERROR = 2
NO_PART = ("release", "scale")  # itself, and the page that is made of what it writes


@dataclass(frozen=True, slots=True)
class Run:
    """One benchmark as it was called, with its JSON, or with the fault that cost it."""

    name: str
    question: str
    arguments: Sequence[str]
    result: Mapping[str, Any] | None
    fault: str
    wall_s: float

    @property
    def command(self) -> str:
        """What a person types to see the same."""
        return shlex.join(["python", "-m", "bench", self.name, *self.arguments])


def main(argv: Sequence[str]) -> int:
    """Run the others one after another; exit code 1 when one failed."""
    chosen = _options(argv)
    form = "short" if chosen.short else "long"
    others = {name: question for name, question in benchmarks().items() if name not in NO_PART}
    wanted = chosen.only or list(others)
    limit_s = chosen.limit_s or LIMITS_S[form]
    load = os.getloadavg()[0]
    runs = [
        _run(name, question, form, limit_s, STANDARD_ERROR if chosen.json == "-" else None)
        for name, question in others.items()
        if name in wanted
    ]
    collected = collect(runs, form, load)
    rows = [(run.name, run.fault or "done", f"{run.wall_s:.1f}") for run in runs]
    show(f"Every benchmark, {form} form", ("benchmark", "outcome", "s"), rows, chosen.json)
    code = 0 if chosen.short else _write(chosen.results or _results_home(), others, runs, collected)
    return write_json(collected, chosen.json) or code or int(any(run.fault for run in runs))


def _write(path: Path, others: Mapping[str, str], runs: Sequence[Run], collected: Mapping[str, Any]) -> int:
    """Put the new sections among those of benchmarks that were not run now."""
    before = sections(path.read_text(encoding="utf-8")) if path.is_file() else {}
    fresh = {run.name: section(run.name, run.question, collected) for run in runs}
    parts = {name: (before | fresh)[name] for name in others if name in before or name in fresh}
    return write_results(page(parts, collected), path)


def form_arguments(source: str, form: str) -> list[str]:
    """The options that a benchmark's source gives for a form; none where it gives none.

    The source is read, not run.  Raises: ValueError: they are not a list of texts, written out.
    """
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                continue
        if name == ARGS_NAMES[form]:
            arguments = ast.literal_eval(value)
            if not isinstance(arguments, list) or not all(isinstance(argument, str) for argument in arguments):
                raise ValueError(name)
            return arguments
    return []


def collect(runs: Sequence[Run], form: str, load: float) -> dict[str, Any]:
    """All results as one JSON object: by benchmark its own, its command and seconds, or its fault under `failed`.

    `load` is what else the machine had to do before the first began: tasks ready to run, over a minute.
    """
    return {
        "bench": "release",
        "form": form,
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": machine() | {"processor": _processor(), "memory_bytes": _memory_bytes(), "load": round(load, 2)},
        "versions": versions(),
        "benchmarks": {run.name: run.result for run in runs if run.result is not None},
        "commands": {run.name: run.command for run in runs},
        "wall_s": {run.name: round(run.wall_s, 1) for run in runs},
        "failed": {run.name: run.fault for run in runs if run.fault},
    }


def _options(argv: Sequence[str]) -> argparse.Namespace:
    options = Options("release", "Run every other benchmark in its long form and write RESULTS.md.")
    names = [name for name in benchmarks() if name not in NO_PART]
    options.add_argument(
        "--only", nargs="+", choices=names, metavar="NAME", help="these alone; the page keeps the others"
    )
    options.add_argument("--short", action="store_true", help="short forms; nothing is written but the JSON")
    options.add_argument("--results", type=_results_file, metavar="PATH", help="the page; else RESULTS.md of bench")
    options.add_argument(
        "--limit-s",
        type=whole_number(1, 7 * 86_400),
        help=f"seconds one benchmark may take ({LIMITS_S['long']}; short {LIMITS_S['short']})",
    )
    chosen = options.parse_args(argv)
    if chosen.short and chosen.results:
        options.error("--short writes no page, so --results has no meaning with it")
    return chosen


def _run(name: str, question: str, form: str, limit_s: float, output: int | None) -> Run:
    """Run one benchmark in a process of its own, so that none is warmed, slowed or ended by another."""
    folder = Path(bench.__path__[0])
    arguments: list[str] = []
    result, start_s = None, perf_counter()
    try:
        arguments = form_arguments((folder / f"{name.replace('-', '_')}.py").read_text(encoding="utf-8"), form)
    except ValueError:
        fault = f"its {ARGS_NAMES[form]} is not a list of texts, written out"
    else:
        with TemporaryDirectory() as place:
            file = Path(place) / "result.json"
            command = [sys.executable, "-m", "bench", name, *arguments, "--json", str(file)]
            fault = _wait(command, folder.parent, limit_s, output)
            if not fault:
                result = _read(file)
                fault = "" if result is not None else "it wrote no JSON object"
    return Run(name, question, arguments, result, fault, perf_counter() - start_s)


def _wait(command: Sequence[str], folder: Path, limit_s: float, output: int | None) -> str:
    """Run a command to its end; give what went wrong, or nothing."""
    # a session of its own: what it started is ended with it when it takes too long
    child = subprocess.Popen(command, cwd=folder, stdout=output, start_new_session=True)
    try:
        code = child.wait(limit_s)
    except subprocess.TimeoutExpired:
        return f"stopped after {limit_s:g} s"
    finally:
        if child.poll() is None:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    if code < 0:
        return f"ended by signal {-code}"
    return f"exit code {code}" if code else ""


def _read(file: Path) -> dict[str, Any] | None:
    try:
        result = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return result if isinstance(result, dict) else None


def _processor() -> str:
    with suppress(OSError):
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found[1]
    return "processor of unknown name"


def _memory_bytes() -> int:
    with suppress(OSError, ValueError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return 0


def _results_home() -> Path:
    return Path(bench.__path__[0]) / "RESULTS.md"


def _results_file(text: str) -> Path:
    """Refuse a place that cannot be written before anything is measured."""
    path = Path(text)
    if not text or path.is_dir() or not path.absolute().parent.is_dir():
        raise argparse.ArgumentTypeError(f"{text!r} is not a file in an existing folder")
    return path
