"""Rejects set good and returned cards in the ledger: rows say what the foreman knows, receipts end each case."""

from __future__ import annotations

from collections import Counter

import pytest

from controller.core.cards import FINAL
from controller.core.moves import BatchOpened
from controller.core.quality_moves import CardSetGood
from controller.ledger import receipts
from controller.ledger.columns import numbers_in
from controller.ledger.journal import Recorded
from controller.ledger.reader import Reader
from controller.ledger.verify.whole import verify
from tests.controller.core.rough_floor import RoughFloor
from tests.controller.ledger.desk import Desk


class Recording(RoughFloor):
    """A rough floor whose every turn is kept in a ledger at once, and compared after a card was set good."""

    def __init__(self, seed: int) -> None:
        self.desk = Desk()
        self.reader = Reader(self.desk.engine)
        self.compared = 0
        super().__init__(seed, trouble=0.1)

    def keep(self, at, event, moves):
        super().keep(at, event, moves)
        self.desk.keep([Recorded(at, event, moves)])
        for move in moves:
            if isinstance(move, CardSetGood):
                self.compare(move.card)

    def compare(self, number):
        card, row = self.state.cards[number], self.reader.card(number)
        mine = (card.state, card.generation, card.blank, card.sheet_id)
        assert (row.state, row.generation, row.blank, row.sheet_id) == mine
        on_sheet = {sheet[0]: numbers_in(sheet[1]) for sheet in self.desk.rows("sheet")}
        assert on_sheet[row.sheet_id][row.position] == number
        self.compared += 1


@pytest.fixture(scope="module")
def recorded():
    floor = Recording(3)
    for batch_id in range(1, 5):
        floor.submit(batch_id * 40.0, batch_id, cards=48, holds=2, refused=2)
    floor.run()
    assert floor.compared > 3
    assert floor.seen["came back"] > 3
    return floor


def test_the_ledger_with_sets_good_and_returns_is_what_its_moves_make(recorded):
    assert verify(recorded.desk.engine).faults == []


def test_each_accepted_case_has_one_final_receipt_and_is_told_by_its_case_number(recorded):
    cases = Counter()
    for _, move in recorded.log:
        if isinstance(move, BatchOpened):
            cases.update(row.case_no for row in move.rows)
    assert cases[1] > 3
    finals, accepted = Counter(), set()
    found, after = [], 0
    while page := recorded.reader.receipts("north", after):
        found += page
        after = page[-1].number
    for one in found:
        if one.kind in receipts.FINAL_KINDS:
            finals[one.batch_number, one.index, one.case] += 1
        elif one.kind == receipts.ACCEPTED:
            accepted.add((one.batch_number, one.index, one.case))
    assert set(finals) == accepted
    assert set(finals.values()) == {1}
    assert sum(case > 0 for _, _, case in finals) == sum(count for case, count in cases.items() if case)


def test_every_card_of_the_ledger_is_at_its_end(recorded):
    states = {row[8] for row in recorded.desk.rows("card")}
    assert states <= set(FINAL)
