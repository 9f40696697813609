"""What the site adds to `docs/`: pages that may not exist yet, the decisions, and three pages from the root."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parents[2]
OF_ROOT = {"security.md": "SECURITY.md", "changelog.md": "CHANGELOG.md"}  # page -> file
OPTIONAL = ("tour.md", "metrics.md", "commands.md")  # in the menu once somebody wrote them
SECOND_OF_A_NAME = re.compile(r"(\]\([\w./-]*#[\w-]+?)-(\d\))")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Leave out pages that are not there, and add all decisions."""
    there = Path(config.docs_dir)
    config.nav = _kept(config.nav or [], there)
    decisions = sorted(path.relative_to(there).as_posix() for path in (there / "decisions").glob("*.md"))
    config.nav.append({"Why it is so": decisions})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie in the root, where people look for them without a site."""
    for page, name in OF_ROOT.items():
        text = (ROOT / name).read_text("utf-8").replace("](docs/", "](")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Write links to the second heading of a name as this site names it (`#hello_1`); elsewhere it is `#hello-1`."""
    return SECOND_OF_A_NAME.sub(r"\1_\2", markdown)


def _kept(nav: list[Any], there: Path) -> list[Any]:
    kept: list[Any] = []
    for one in nav:
        if isinstance(one, dict):
            ((title, below),) = one.items()
            below = _kept(below, there) if isinstance(below, list) else below
            if below and not _lacks(below, there):
                kept.append({title: below})
        elif not _lacks(one, there):
            kept.append(one)
    return kept


def _lacks(entry: Any, there: Path) -> bool:
    return entry in OPTIONAL and not (there / entry).exists()
