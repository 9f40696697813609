"""A little year, with more of everything rare than a province has, and its moves."""

from __future__ import annotations

from controller.config import Config
from controller.core.moves import AnyMove
from sims.year.floor import YearFloor
from sims.year.rates import Rates

RATES = Rates(refused=0.02, held=0.02, held_refused=0.4, cancelled=0.06, refused_late=0.06, came_back=0.04)
CARDS = 1_200


def moves_of(cards: int = CARDS, seed: int = 5, rates: Rates = RATES) -> tuple[YearFloor, list[tuple[float, AnyMove]]]:
    """Give the floor of a little year that is over, and its moves with their times."""
    found: list[tuple[float, AnyMove]] = []
    floor = YearFloor(
        seed, cards, lambda at, event, moves: found.extend((at, move) for move in moves), config=Config(), rates=rates
    )
    for _ in floor.run_days():
        pass
    return floor, found
