"""The history of one file: what it costs to look earlier applications up."""

from __future__ import annotations

from controller.checks.duplicates import Person
from controller.offline.history import History


class Turn(int):
    """A batch's turn that counts how often it is compared."""

    times = 0

    def __lt__(self, other):
        Turn.times += 1
        return int(self) < other


def test_a_number_that_a_thousand_people_send_is_gone_through_once_a_batch():
    history = History()
    rows = [Person(index, f"a{index}", b"i", index.to_bytes(2)) for index in range(1_000)]
    history.enter(rows, [True] * 1_000, Turn(0))
    later = [Person(index, f"b{index}", b"i", index.to_bytes(2)) for index in range(1_000)]
    assert len(history.known(later, 1)) == 1_000
    assert Turn.times < 10_000
