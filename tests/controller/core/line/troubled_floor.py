"""A rough floor stopped in the middle, with suspects, held and stopped cards, lost stations and open acts."""

from controller.core.line.estimates import Estimator
from tests.controller.core.rough_floor import RoughFloor


def troubled(seed: int, until_floor_s: float = 2_000.0) -> RoughFloor:
    """Give a floor after a while of every kind of trouble."""
    rough = RoughFloor(seed, trouble=0.08)
    rough.fill_singles()
    for batch_id in (1, 2, 3):
        rough.submit(batch_id * 200.0, batch_id, 60, holds=3, refused=1)
    rough.host.run(until_floor_s)
    return rough


def estimates_of(rough: RoughFloor):
    """Give what a rough floor's moves say."""
    estimator = Estimator()
    for at, move in rough.log:
        estimator.fold(at, move)
    return estimator.estimates()
