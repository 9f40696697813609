"""The counties people live in, the region codes their numbers begin with, and addresses."""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

import controller.checks
from sims.names import words

TABLES = Path(controller.checks.__file__).parent / "tables"
MAX_ADDRESS_UNITS = 35

_LATE_CODE_YEARS = 35  # a code made much later than somebody's birth is worth a note (40 years): stay clear of it
_OLDEST_TABLE_YEAR = 1980  # the table begins here: an earlier start is unknown, and fits everybody
_MOVED_PERCENT = 25  # people whose number begins with another county's code
_NEAR_PERCENT = 60  # of them, those whose county was in the same province
_COUNTRYSIDE_PERCENT = 40

_STREETS = words("人民路 建设街 中山路 解放大道 文化路 和平街 光明路 新华街 长江路 迎宾大道 朝阳街 学府路")
_TOWNS = words("城关镇 双河镇 石桥镇 大柳乡 青山镇 白水乡 龙泉镇 新集镇 河口乡 高坡乡 三官镇 马家镇")
_VILLAGES = words("东张村 西李村 前王村 后杨村 大槐树村 小庄村 柳林村 南岗村 北寨村 上湾村 桃园村 石井村")


@dataclass(frozen=True, slots=True)
class Region:
    """A region code and the birth years it goes with."""

    code: str
    first_year: int
    last_year: int


@dataclass(frozen=True, slots=True)
class County:
    """A county of the province.

    `address_starts`: province, city and county; and the county alone, for addresses that would grow too long.
    `regions`: the code of its own people first, then those of people who moved here; no other county has them.
    """

    code: str
    authority: str
    address_starts: tuple[str, str]
    stations: int
    regions: tuple[Region, ...]

    def unit(self, place: int) -> str:
        """Give the delivery unit (9 digits) of the person at `place`: people are dealt to the stations in turn."""
        return f"{self.code}{place % self.stations + 1:03d}"

    def draw_region(self, birth_year: int, rng: Random) -> str:
        """Give the region code for somebody's number, mostly the county's own."""
        own = self.regions[0]
        fitting = [region for region in self.regions if region.first_year <= birth_year <= region.last_year]
        if own in fitting and rng.randrange(100) >= _MOVED_PERCENT:
            return own.code
        near = [region for region in fitting if region.code[:2] == self.code[:2]]
        return rng.choice(near if near and rng.randrange(100) < _NEAR_PERCENT else fitting).code


@cache
def load_counties(tables: Path = TABLES) -> tuple[County, ...]:
    """Give the counties of the centre's authority table, in its order.  Cost: 30 ms once."""
    rows = {row["code"]: row for row in _rows(tables / "regions.csv")}
    authorities = _rows(tables / "authorities.csv")
    own = {row["code"] for row in authorities}
    elsewhere: dict[int, list[Region]] = defaultdict(list)
    strangers = (row for code, row in rows.items() if row["level"] == "county" and code not in own)
    for turn, row in enumerate(strangers):
        elsewhere[turn % len(authorities)].append(_region(row))
    return tuple(
        County(
            code=row["code"],
            authority=row["name"],
            address_starts=_address_starts(row["code"], rows),
            stations=6 + int(row["code"]) % 15,
            regions=(_region(rows[row["code"]]), *elsewhere[turn]),
        )
        for turn, row in enumerate(authorities)
    )


def draw_address(county: County, rng: Random) -> str:
    """Give an address of at most 35 units: a flat in a street, or a house in a village."""
    if rng.randrange(100) < _COUNTRYSIDE_PERCENT:
        end = f"{rng.choice(_TOWNS)}{rng.choice(_VILLAGES)}{rng.randint(1, 12)}组{rng.randint(1, 180)}号"
    else:
        flat = f"{rng.randint(1, 6)}单元{rng.randint(1, 18)}{rng.randint(1, 4):02d}室"
        end = f"{rng.choice(_STREETS)}{rng.randint(1, 399)}号{rng.randint(1, 30)}号楼{flat}"
    long, short = county.address_starts
    return long + end if len(long + end) <= MAX_ADDRESS_UNITS else short + end


def _region(row: dict[str, str]) -> Region:
    """Give the birth years that go with a code without a note (DOMAIN: notes for codes made late, or gone before)."""
    start = max(_year(row["start_year"], 0), _year(row["first_rev"][:4], 0))
    first_year = start - _LATE_CODE_YEARS if start > _OLDEST_TABLE_YEAR else 0
    if row["status"] == "current":
        return Region(row["code"], first_year, 9999)
    end = max(_year(row["end_year"], 0), _year(row["last_rev"][:4], 0))
    return Region(row["code"], first_year, (end or 9999) - 1)


def _address_starts(code: str, rows: dict[str, dict[str, str]]) -> tuple[str, str]:
    """Give province, city and county as an address begins with them, and the county alone."""
    parts = (rows.get(part) for part in (code[:2] + "0000", code[:4] + "00", code))
    names = [row["name"] for row in parts if row is not None and row["level"] != "placeholder"]
    return "".join(names), names[-1]


def _year(text: str, unknown: int) -> int:
    """Give the year in a field of the table that may be empty."""
    return int(text) if text else unknown


def _rows(path: Path) -> list[dict[str, str]]:
    """Give the rows of a table."""
    with path.open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))
