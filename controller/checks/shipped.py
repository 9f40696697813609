"""The tables as they are shipped, read once; the only file of the checks, beside the codes, that reads files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from controller.checks.named_codes import read_authorities, read_ethnic
from controller.checks.regions import Regions


@dataclass(frozen=True, slots=True)
class Tables:
    """Regions of GB/T 2260, ethnic groups (code -> printed name), and a pretend province's authorities by county."""

    regions: Regions
    ethnic: Mapping[str, str]
    authorities: Mapping[str, str]


@cache
def load_tables() -> Tables:
    """Read the shipped tables, about 20 ms; later calls give the same object."""
    folder = files("controller.checks.tables")
    return Tables(
        Regions.from_csv(folder.joinpath("regions.csv").read_text("utf-8")),
        read_ethnic(folder.joinpath("ethnic.csv").read_text("utf-8")),
        read_authorities(folder.joinpath("authorities.csv").read_text("utf-8")),
    )
