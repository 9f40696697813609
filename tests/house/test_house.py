"""The rules of the house that no tool checks: sizes, names, maps, pure rooms, settings, packages, notices."""

import ast
import dataclasses
import re
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import click
import pytest
import typer
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from controller import cli as controller_cli
from controller.config import Config, load_config
from sims import cli as sims_cli

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = ("bench", "controller", "devices", "encoders", "sims")
PURE = ("controller/core", "controller/checks", "encoders")
FOLDERS = (*PRODUCT, "tests", "docs", ".ci")
LINES_MAX = 400
DEBIAN_PYTHON = "3.11.2"  # of Debian 12, which the README names
NO_NAMES = {"utils", "util", "manager", "managers", "helper", "helpers", "data", "info"}
CLOCKS_AND_CHANCE = {"time", "random", "secrets", "uuid"}
ASKED = {"now", "utcnow", "today"}  # a clock, when they are called on something
CHANCE = {"uuid1", "uuid4", "urandom", "default_rng"}
MACHINE_PATH = re.compile(r"/(work|farm|root|home)/")
FIRST_LINE = re.compile(r'[^\s].*[.?!]["”)]*')
NEXT_SENTENCE = re.compile(r"[.?!]\s+[A-Z`]")
BROUGHT_IN = {".ttf", ".jpg", ".png", ".csv", ".bin", ".npz", ".hex"}


def python_files(*folders: str) -> Iterator[Path]:
    """The Python files of top folders."""
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def house_files() -> Iterator[Path]:
    """Every file somebody wrote or brought in; nothing that tools leave behind."""
    yield from (path for path in sorted(ROOT.iterdir()) if path.is_file() and path.name != ".coverage")
    for folder in FOLDERS:
        yield from (
            path
            for path in sorted((ROOT / folder).rglob("*"))
            if path.is_file() and "__pycache__" not in path.parts and ".new" not in path.suffixes
        )


def texts() -> Iterator[tuple[Path, str]]:
    """The files that are UTF-8 text."""
    for path in house_files():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            yield path, text


def told(paths: list[Path]) -> list[str]:
    return [path.relative_to(ROOT).as_posix() for path in paths]


def imported(tree: ast.AST) -> Iterator[str]:
    """Every module a source imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{name.name}" for name in node.names)


def impurities(source: str) -> list[str]:
    """What in a source asks a clock or chance: imports, and the usual ways without one."""
    tree = ast.parse(source)
    found = [name for name in imported(tree) if CLOCKS_AND_CHANCE & set(name.split("."))]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ASKED:
            found.append(node.func.attr)
        elif isinstance(node, ast.Attribute) and node.attr in CHANCE | CLOCKS_AND_CHANCE:
            found.append(node.attr)
        elif isinstance(node, ast.Name) and node.id in CHANCE:
            found.append(node.id)
    return found


def is_one_sentence(docstring: str | None) -> bool:
    """Whether the first line is a whole sentence, and no second one begins there."""
    first, *rest = (docstring or "").split("\n")
    return bool(FIRST_LINE.fullmatch(first)) and not NEXT_SENTENCE.search(first) and not any(rest[:1])


def commands(app: typer.Typer) -> Iterator[tuple[str, click.Command]]:
    """The commands of a Typer application, those of groups too, by what a person types."""
    waiting = [("", typer.main.get_command(app))]
    while waiting:
        name, command = waiting.pop()
        yield name, command
        inner = getattr(command, "commands", {})
        waiting += [(f"{name} {word}".strip(), one) for word, one in inner.items()]


# ---- sizes, names, maps ---------------------------------------------------------------------------------------


def test_no_python_file_is_over_400_lines():
    long = [path for path in python_files(*PRODUCT, "tests") if len(path.read_text("utf-8").splitlines()) > LINES_MAX]
    assert told(long) == []


def test_the_file_that_opens_a_package_is_a_map_with_a_docstring_and_nothing_else():
    full = []
    for path in python_files(*PRODUCT):
        if path.name == "__init__.py":
            body = ast.parse(path.read_text("utf-8")).body
            if len(body) != 1 or not (isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant)):
                full.append(path)
    assert told(full) == []


def test_every_folder_with_modules_is_a_package():
    assert told([path for path in python_files(*PRODUCT) if not (path.parent / "__init__.py").exists()]) == []


def test_no_file_or_folder_is_named_after_nothing():
    vague = [
        path
        for path in python_files(*PRODUCT)
        if any(NO_NAMES & set(re.split(r"[_.]", part)) for part in path.relative_to(ROOT).with_suffix("").parts)
    ]
    assert told(vague) == []


def test_every_module_opens_with_one_sentence_on_one_line():
    without = [
        path
        for path in python_files(*PRODUCT, "tests")
        if not is_one_sentence(ast.get_docstring(ast.parse(path.read_text("utf-8"))))
    ]
    assert told(without) == []


@pytest.mark.parametrize("docstring", [None, "", "no stop", "Two.  Sentences.", "Cut\noff.", "\nLate."])
def test_what_is_not_one_sentence_on_one_line_is_seen(docstring):
    assert not is_one_sentence(docstring)


# ---- pure rooms -----------------------------------------------------------------------------------------------


def test_core_checks_and_encoders_ask_neither_clock_nor_chance():
    found = {path: impurities(path.read_text("utf-8")) for path in python_files(*PURE)}
    assert {path.relative_to(ROOT).as_posix(): names for path, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "source",
    [
        "import time",
        "def late():\n    from random import Random",
        "from time import monotonic as m",
        "import numpy as np\nnp.random.rand()",
        "from numpy import random as r",
        "from datetime import datetime as d\nd.now()",
        "date.today()",
        "import os\nos.urandom(8)",
        "from os import urandom\nurandom(8)",
        "uuid4()",
        "np.default_rng",
    ],
)
def test_each_way_to_ask_clock_or_chance_is_seen(source):
    assert impurities(source) != []


def test_words_that_only_sound_like_a_clock_are_no_clock():
    assert (
        impurities("now = today = 1\ncontext.today < event.at_floor_s\nlifetime = timeout = 3\nrandomly(seed=1)") == []
    )


def test_one_file_alone_imports_zmq():
    users = [
        path
        for path in python_files(*set(PRODUCT) - {"bench"})
        if any(name.split(".")[0] == "zmq" for name in imported(ast.parse(path.read_text("utf-8"))))
    ]
    assert told(users) == ["devices/zlink.py"]


# ---- what a clone brings along --------------------------------------------------------------------------------


def test_no_text_names_a_path_of_somebodys_machine():
    named = {path: found[0] for path, text in texts() if (found := MACHINE_PATH.search(text))}
    assert {path.relative_to(ROOT).as_posix(): path_named for path, path_named in named.items()} == {}


def test_the_search_for_paths_reads_the_whole_house():
    names = {path.relative_to(ROOT).as_posix() for path, _ in texts()}
    assert {"README.md", "Makefile", ".ci/run", "config.toml", "controller/cli.py", "sims/portraits/README.md"} <= names
    assert not any("__pycache__" in name or ".venv" in name for name in names)
    assert MACHINE_PATH.search("see /" + "home/somebody")


def pinned() -> dict[str, str]:
    """The versions of constraints.txt by canonical name."""
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    rows = [line for line in lines if line and not line.startswith("#")]
    assert [row for row in rows if not re.fullmatch(r"[A-Za-z0-9][\w.-]*==[\w.+!]+", row)] == []
    return {canonicalize_name(row.partition("==")[0]): row.partition("==")[2] for row in rows}


def test_constraints_are_names_and_versions_and_hold_whatever_the_project_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = [one for extra in project["optional-dependencies"].values() for one in extra]
    versions = pinned()
    asked = [one for one in map(Requirement, project["dependencies"] + extras) if one.name != project["name"]]
    assert len(asked) >= len(project["dependencies"])
    assert [str(one) for one in asked if canonicalize_name(one.name) not in versions] == []
    assert [str(one) for one in asked if not one.specifier.contains(versions[canonicalize_name(one.name)])] == []


def test_every_pinned_version_runs_with_the_python_of_debian_12():
    bounds = {one.name: one.metadata.get("Requires-Python") or "" for one in distributions()}
    ours = {name: bound for name, bound in bounds.items() if canonicalize_name(name) in pinned()}
    assert len(ours) > 0.9 * len(pinned())
    assert {name: bound for name, bound in ours.items() if not SpecifierSet(bound).contains(DEBIAN_PYTHON)} == {}


def test_the_shipped_settings_are_the_defaults_and_all_of_them():
    shipped = ROOT / "config.toml"
    assert load_config(shipped) == Config()
    tables = tomllib.loads(shipped.read_text("utf-8"))
    default = Config()
    assert {section: set(table) for section, table in tables.items()} == {
        section.name: {setting.name for setting in dataclasses.fields(getattr(default, section.name))}
        for section in dataclasses.fields(default)
    }


@pytest.mark.parametrize(("program", "app"), [("cardmill", controller_cli.app), ("cardmill-sim", sims_cli.app)])
def test_every_command_and_option_says_what_it_is_for(program, app):
    silent = []
    for name, command in commands(app):
        silent += [] if command.help else [f"{program} {name}"]
        for option in command.params:
            silent += [] if getattr(option, "help", None) else [f"{program} {name} {option.name}"]
    assert silent == []


def test_everything_brought_in_stands_in_the_notice_which_names_nothing_else():
    notice = (ROOT / "NOTICE").read_text("utf-8")
    named = {name.rstrip("/") for name in re.findall(r"`([\w./-]+)`", notice) if "/" in name}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
    brought = [path.relative_to(ROOT) for path in house_files() if path.suffix in BROUGHT_IN]
    assert len(brought) > 60
    unnamed = [path for path in brought if not named & {path.as_posix(), path.parent.as_posix()}]
    assert [path.as_posix() for path in unnamed] == []


def test_licence_texts_lie_beside_what_they_cover():
    fonts, regions = ROOT / "encoders/fonts", (ROOT / "controller/checks/tables/README.md").read_text("utf-8")
    assert "Apache License" in (fonts / "LICENSE-Apache-2.0.txt").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE" in (fonts / "LICENSE-OFL-1.1.txt").read_text("utf-8")
    assert "CC0 1.0" in (ROOT / "sims/portraits/README.md").read_text("utf-8")
    notice = (ROOT / "NOTICE").read_text("utf-8")
    for text in (regions, notice):
        flat = " ".join(text.split())
        assert "Copyright (c) 2014, Hsiaoming Yang" in flat
        assert "Redistributions in binary form must reproduce the above copyright notice" in flat
        assert "The above copyright notice and this permission notice shall be included" in flat


def test_the_manifest_names_every_portrait_and_a_free_licence():
    folder = ROOT / "sims/portraits"
    rows = [line.split(",") for line in (folder / "manifest.csv").read_text("utf-8").splitlines()[1:]]
    assert sorted(row[0] for row in rows) == sorted(path.name for path in folder.glob("*.jpg"))
    assert {row[-1] for row in rows} == {"CC0 1.0"}


def test_decisions_are_numbered_without_a_gap_and_have_the_same_four_parts():
    pages = sorted((ROOT / "docs/decisions").glob("*.md"))
    assert [int(page.name[:4]) for page in pages] == list(range(1, max(len(pages), 11) + 1))
    for page in pages:
        text = page.read_text("utf-8")
        assert text.startswith(f"# {page.name[:4]} "), page.name
        heads = re.findall(r"^\*\*(.+?)\.\*\*", text, re.MULTILINE)
        assert heads == ["Context", "Decision", "Not the alternatives", "What would change it"], page.name
