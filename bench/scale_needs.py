"""What is asked of a centre: the year and the days of one province, of the largest known, and of all thirty-one."""

from __future__ import annotations

from dataclasses import dataclass

from devices.messages import POSITIONS
from sims.floor import DEFAULT_FLOOR

PROVINCES = 31
SHIFTS_S = 2 * 8 * 3_600.0
PORTRAIT_BYTES = 17_000  # of a JPEG as it arrives: GA 461-2004 calls 14 to 20 KB usual
CHIP_BYTES = 1_024 + 256
MOVES_PER_SHEET = 16  # 9 million sheet moves for the 562,500 sheets of a province's year
PEOPLE, PEOPLE_OF_YARDSTICK = 1_412_000_000, 18_000_000  # the census of 2020, rounded; the yardstick's province
UPSTREAMS = 21  # cities of a large province that send by themselves
OPERATORS = 24  # consoles and command lines at a time


@dataclass(frozen=True, slots=True)
class Need:
    """A year's cards and the days of it, for so many centres."""

    name: str
    centres: int
    cards_a_year: float
    mean_day: float
    peak_day: float

    @property
    def peak_cards_per_s(self) -> float:
        """Give the cards of a second on the peak day, over two shifts."""
        return self.peak_day / SHIFTS_S

    @property
    def moves_a_year(self) -> float:
        """Give the moves of sheets; those of batches, bundles and single cards come on top."""
        return self.cards_a_year / POSITIONS * MOVES_PER_SHEET

    @property
    def portrait_bytes_a_day(self) -> float:
        """Give what arrives of portraits on a mean day."""
        return self.mean_day * PORTRAIT_BYTES

    @property
    def chip_bytes_a_year(self) -> float:
        """Give what is written into chips in a year."""
        return self.cards_a_year * CHIP_BYTES

    @property
    def stations(self) -> int:
        """Give the machines, as many a centre as the default floor has, which makes the yardstick's peak day."""
        return round(len(DEFAULT_FLOOR) * self.peak_day / YARDSTICK.peak_day)

    @property
    def sockets(self) -> int:
        """Give the connections: a machine has one, an upstream one, an operator one."""
        return self.stations + self.centres * (UPSTREAMS + OPERATORS)


YARDSTICK = Need("one province", 1, 4_500_000, 18_000, 37_800)
LARGEST = Need("the largest known", 1, 8_000_000, 32_000, 60_000)  # Zhejiang's year of 2025, Beijing's peak day


def scaled(name: str, factor: float) -> Need:
    """Give the need of so many times the yardstick, in thirty-one centres."""
    one = YARDSTICK
    return Need(name, PROVINCES, one.cards_a_year * factor, one.mean_day * factor, one.peak_day * factor)


NEEDS = (
    YARDSTICK,
    LARGEST,
    scaled("31 yardsticks", PROVINCES),
    scaled("31 provinces by people", PEOPLE / PEOPLE_OF_YARDSTICK),
)
