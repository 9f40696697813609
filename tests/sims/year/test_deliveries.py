"""Body sheets that come in many deliveries: magazines are filled across two of them, and no press starves."""

from __future__ import annotations

from collections import Counter

from controller.config import Config
from controller.core.moves import SheetBound
from controller.core.stock_moves import StockReceived
from devices.defects import Step
from sims.year import staff
from sims.year.floor import YearFloor

CARDS = 12_000


def test_no_press_is_left_without_body_sheets_where_one_delivery_ends_and_the_next_begins(monkeypatch):
    monkeypatch.setattr(staff, "ORDER_SHEETS", 700)
    monkeypatch.setattr(staff, "REORDER_SHEETS", 1_400)
    monkeypatch.setattr(staff, "ORDER_SINGLES", 60)
    monkeypatch.setattr(staff, "DELIVERY_S", 600.0)
    seen, refused = Counter(), Counter()
    floor = YearFloor(3, CARDS, lambda at, event, moves: seen.update(map(type, moves)), config=Config())
    handle = floor.foreman.handle

    def noting(event, at_floor_s):
        turn = handle(event, at_floor_s)
        if turn.refused:
            refused[turn.refused.code] += 1
        return turn

    monkeypatch.setattr(floor.foreman, "handle", noting)
    for _ in floor.run_days():
        pass
    assert seen[StockReceived] > 6
    assert seen[SheetBound] * 8 >= CARDS
    assert not refused["stock.not_in_vault"], refused
    presses = [name for name, one in floor.machines.items() if one.spec.step is Step.LAMINATE]
    assert all(floor.machines[name].bodies_left for name in presses)
