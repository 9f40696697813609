"""`docs/protocol.md` cut into what can be compared: sections, tables, hex examples, the client."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "protocol.md"
TEXT = PAGE.read_text("utf-8")

Table = list[list[str]]


def sections(text: str = TEXT) -> dict[str, str]:
    """Give the text under each `##` heading."""
    return dict(re.findall(r"^## (.+)\n((?:(?!^## ).*\n)*)", text, re.MULTILINE))


def parts(section: str) -> dict[str, str]:
    """Give the text under each `###` heading of a section, by its title without backticks."""
    found = re.findall(r"^### (.+)\n((?:(?!^###? ).*\n)*)", section, re.MULTILINE)
    return {title.strip("`"): text for title, text in found}


def first_table(text: str) -> Table:
    """Give the cells of the first table, its head left out."""
    lines = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)
    assert lines, "there is no table here"
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in lines[0].splitlines()]
    return rows[2:]


def hex_blocks() -> dict[str, str]:
    """Give the hex text of each example by its name."""
    return dict(re.findall(r"^```hex (\w+)\n(.*?)\n```$", TEXT, re.MULTILINE | re.DOTALL))


def client_source() -> str:
    """Give the Python client, the only Python on the page."""
    (source,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    return str(source)


def anchors() -> set[str]:
    """Give the anchors of all headings, as a Markdown page on the web makes them."""
    seen: dict[str, int] = {}
    found = set()
    for title in re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE):
        anchor = re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if anchor in seen else anchor)
        seen[anchor] = seen.get(anchor, 0) + 1
    return found
