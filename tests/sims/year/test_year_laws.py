"""The laws of a year: a true stream of moves breaks none, and each lie that is put into it is noticed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from controller.core import moves as m
from controller.core import stock_moves as s
from controller.core.quality_moves import CardReturned
from sims.year.laws import Laws
from tests.sims.year.small_year import moves_of

Stream = list[tuple[float, Any]]


@pytest.fixture(scope="module")
def year():
    return moves_of()


def judged(stream: Stream) -> Laws:
    laws = Laws()
    for at, move in stream:
        laws.see(at, [move])
    return laws


def place_of(stream: Stream, kind: type, where: Callable[[Any], bool] = lambda move: True) -> int:
    return next(place for place, (_, move) in enumerate(stream) if type(move) is kind and where(move))


def twice(kind: type) -> Callable[[Stream], Stream]:
    def lie(stream: Stream) -> Stream:
        place = place_of(stream, kind)
        return [*stream[: place + 1], stream[place], *stream[place + 1 :]]

    return lie


def without(kind: type, where: Callable[[Any], bool] = lambda move: True) -> Callable[[Stream], Stream]:
    def lie(stream: Stream) -> Stream:
        place = place_of(stream, kind, where)
        return [*stream[:place], *stream[place + 1 :]]

    return lie


def changed(kind: type, change: Callable[[Any], Any], where: Callable[[Any], bool] = lambda move: True) -> Any:
    def lie(stream: Stream) -> Stream:
        place = place_of(stream, kind, where)
        at, move = stream[place]
        return [*stream[:place], (at, change(move)), *stream[place + 1 :]]

    return lie


LIES = {
    "a batch comes twice": ("law 5", twice(m.BatchOpened)),
    "a job ends twice": ("law 5", twice(m.JobEnded)),
    "a job number is given twice": ("law 5", twice(m.JobStarted)),
    "a sheet is imposed twice": ("law 1", twice(m.SheetImposed)),
    "a body is bound twice": ("law 2", twice(m.SheetBound)),
    "body sheets come twice": ("law 2", twice(s.StockReceived)),
    "an issue is forgotten": ("law 2", without(s.MagazineIssued)),
    "a bundle is forgotten": ("law 6", without(m.BundleMade)),
    "inspection is forgotten": ("law 6", without(m.PositionsMarked, lambda move: move.mark is m.Mark.PASSED)),
    "a bundle is sent twice": (
        "law 6",
        changed(m.ConsignmentSent, lambda x: replace(x, bundles=[*x.bundles, x.bundles[0]])),
    ),
    "a closed batch counts one more": (
        "law 4",
        changed(m.BatchClosed, lambda x: replace(x, dispatched=x.dispatched + 1)),
    ),
    "a cancelled card is forgotten": ("law 4", without(m.CardDecided, lambda move: move.decision == "cancel")),
    "a card is refused that was accepted": (
        "law 4",
        changed(m.CardDecided, lambda x: replace(x, decision="refuse"), lambda x: x.decision == "cancel"),
    ),
    "a card comes back twice": ("law 1", twice(CardReturned)),
    "one person destroys alone": ("law 2", changed(s.BlanksDestroyed, lambda x: replace(x, second=x.by))),
    "a blank is destroyed that is not void": ("law 2", changed(s.BlanksDestroyed, lambda x: replace(x, blanks=[11]))),
    "a shift closes on other sums": (
        "law 2",
        changed(s.ShiftClosed, lambda x: replace(x, accounts={**x.accounts, "good": 1 + x.accounts["good"]})),
    ),
    "a spoiled position passes too": (
        "law 1",
        lambda stream: twice_at(stream, place_of(stream, m.PositionsMarked, lambda x: x.mark is m.Mark.FILM_SPOILED)),
    ),
}


def twice_at(stream: Stream, place: int) -> Stream:
    return [*stream[: place + 1], stream[place], *stream[place + 1 :]]


def test_a_true_year_breaks_no_law_and_its_sums_are_the_foremans(year):
    floor, stream = year
    laws = judged(stream)
    broken, blanks, cards = laws.broken, laws.blanks, laws.cards
    assert broken.sentences == []
    assert broken.count == 0
    state = floor.foreman.state
    blanks.compare({account.value: count for account, count in state.stock.blanks.items()}, "the end")
    assert broken.count == 0
    assert cards.open() == 0
    assert cards.received == sum(cards.ends.values())
    assert cards.sheets == state.last_id["sheet"]


def test_a_little_year_has_everything_rare_in_it(year):
    _, stream = year
    kinds = {type(move) for _, move in stream}
    assert {CardReturned, s.BlanksDestroyed, s.ShiftClosed, s.StockCounted, m.ArrivalCounted, m.CardDecided} <= kinds
    decisions = {move.decision for _, move in stream if isinstance(move, m.CardDecided)}
    assert {"release", "refuse", "cancel", "refuse_late"} <= decisions
    cards = judged(stream).cards
    assert cards.remade
    assert all(cards.ends[how] for how in ("refused", "cancelled", "refused_late", "dispatched"))


@pytest.mark.parametrize("name", LIES)
def test_a_lie_in_the_stream_is_noticed(year, name):
    law, lie = LIES[name]
    broken = judged(lie(year[1])).broken
    assert broken.count
    assert any(sentence.startswith(law) for sentence in broken.sentences), broken.sentences
