"""The inbox: what upstreams have sent until its verdicts are out, and what the history answers."""

from hashlib import sha256

import pytest

from controller.application import card_id
from controller.core import moves as m
from controller.core.events import TimerFired
from controller.core.moves import Verdict
from controller.ledger.errors import ChunkConflict, UnknownRow
from controller.ledger.inbox import (
    AcknowledgeReceipts,
    AnnounceBatch,
    InboxRow,
    InboxState,
    SetBatchState,
    StoreChunk,
    StoreVerdicts,
)
from controller.ledger.journal import Recorded
from controller.ledger.reader import KnownNumber, Reader
from tests.controller.ledger.desk import Desk

pytestmark = pytest.mark.usefixtures("engine_url")  # each test of this file runs on both engines

UNIT = "110101001"


class Inbox(Desk):
    """A desk that takes batches in."""

    def do(self, change):
        """Apply one change; give its result or raise its refusal."""
        [item] = self.keep([change])
        if item.refusal:
            raise item.refusal
        return item.result

    @property
    def reader(self):
        return Reader(self.engine)

    def announce(self, number, count=4, digest="d"):
        batch = AnnounceBatch(f"{number:025d}", "city", "20260201", count, digest, "second", "20260101", 5.0)
        return self.do(batch)

    def take(self, number, people, verdicts=None):
        """Take a whole batch in and check it; `people` are (identity, person) of its applications."""
        batch = self.announce(number, len(people)).batch_id
        rows = [
            _row(index, f"{batch}{index:021d}", identity, person) for index, (identity, person) in enumerate(people)
        ]
        self.do(StoreChunk(batch, rows))
        verdicts = verdicts or [Verdict.OK] * len(people)
        told = [_verdict(row, verdict) for row, verdict in zip(rows, verdicts, strict=True)]
        self.do(StoreVerdicts(batch, told))
        return batch, told

    def open(self, batch, told, *moves):
        """Let the floor hear of it, and of what came after."""
        opened = m.BatchOpened(batch, f"{batch:025d}", "city", "second", 5.0, 9.0, told)
        self.keep([Recorded(1.0, TimerFired(), [opened, *moves])])


def _row(index, number=None, identity=b"i", person=b"p"):
    number = number or f"{index:022d}"
    return InboxRow(index, number, sha256(number.encode()).digest(), identity, person, UNIT, False, "11")


def _verdict(row, verdict=Verdict.OK):
    return m.RowVerdict(row.index, row.acceptance_number, row.unit, verdict)


def test_a_batch_announced_again_is_given_back_as_it_stands():
    inbox = Inbox()
    first = inbox.announce(1)
    assert first == inbox.announce(1, count=9, digest="another")
    assert (first.count, first.digest, first.state) == (4, "d", "receiving")
    assert inbox.announce(2).batch_id != first.batch_id
    assert inbox.reader.announced(f"{1:025d}") == first
    assert inbox.reader.announced("9" * 25) is None


def test_what_is_missing_of_a_batch_is_named_in_ranges():
    inbox = Inbox()
    batch = inbox.announce(1, 10).batch_id
    assert inbox.reader.missing(batch, 10) == [(0, 10)]
    assert inbox.do(StoreChunk(batch, [_row(3), _row(4), _row(8)])) == 3
    assert inbox.reader.missing(batch, 10) == [(0, 3), (5, 3), (9, 1)]
    assert inbox.do(StoreChunk(batch, [_row(index) for index in range(10)])) == 10
    assert inbox.reader.missing(batch, 10) == []


def test_a_chunk_sent_again_changes_nothing_and_one_that_differs_is_a_conflict():
    inbox = Inbox()
    batch = inbox.announce(1).batch_id
    inbox.do(StoreChunk(batch, [_row(0), _row(1)]))
    before = inbox.rows("inbox_application")
    inbox.do(StoreChunk(batch, [_row(0), _row(1)]))
    with pytest.raises(ChunkConflict) as conflict:
        inbox.do(StoreChunk(batch, [_row(2), _row(1, "another")]))
    assert (conflict.value.batch_id, conflict.value.index) == (batch, 1)
    assert inbox.rows("inbox_application") == before


def test_what_was_stored_of_a_batch_comes_back_as_it_went_in():
    inbox = Inbox()
    batch = inbox.announce(1).batch_id
    faulty = InboxRow(1, "1" * 22, b"r" * 32, b"i" * 32, b"p" * 32, UNIT, True, "41", ["name.dots"], ["name"])
    inbox.do(StoreChunk(batch, [faulty, _row(0)]))
    first, second = inbox.reader.rows(batch)
    assert (first.index, first.row_digest, list(first.codes)) == (0, _row(0).row_digest, [])
    assert second == faulty
    assert inbox.reader.stored_digests(batch, [1, 2]) == {1: b"r" * 32}


def test_rows_come_in_order_of_index():
    inbox = Inbox()
    batch = inbox.announce(1).batch_id
    for index in (2, 0, 1):
        inbox.do(StoreChunk(batch, [_row(index)]))
    assert [row.index for row in inbox.reader.rows(batch)] == [0, 1, 2]


def test_verdicts_are_kept_with_their_codes():
    inbox = Inbox()
    batch = inbox.announce(1, 2).batch_id
    inbox.do(StoreChunk(batch, [_row(0), _row(1)]))
    assert [row.verdict for row in inbox.reader.verdicts(batch)] == [-1, -1]
    inbox.do(
        StoreVerdicts(
            batch,
            [
                m.RowVerdict(0, "x", UNIT, Verdict.OK),
                m.RowVerdict(1, "x", "110101009", Verdict.HOLD, ["number.shared"], ["identity_number"], True),
            ],
        )
    )
    one, two = inbox.reader.verdicts(batch)
    assert (one.index, one.acceptance_number, one.verdict, one.codes) == (0, f"{0:022d}", 0, [])
    assert (two.unit, two.express, two.verdict, two.codes, two.fields) == (
        "110101009",
        True,
        2,
        ["number.shared"],
        ["identity_number"],
    )
    assert inbox.reader.announced(f"{1:025d}").state == InboxState.CHECKED


def test_a_state_of_a_batch_that_is_not_there_is_refused():
    with pytest.raises(UnknownRow):
        Inbox().do(SetBatchState(77, InboxState.WHOLE))


def test_batches_the_floor_has_not_heard_of_are_found_at_a_start():
    inbox = Inbox()
    whole, refused = inbox.announce(1), inbox.announce(2)
    inbox.do(SetBatchState(whole.batch_id, InboxState.WHOLE))
    inbox.do(SetBatchState(refused.batch_id, InboxState.REFUSED, ["batch.count"]))
    opened, told = inbox.take(3, [(b"i", b"p")])
    inbox.open(opened, told)
    checked, _ = inbox.take(4, [(b"j", b"q")])
    inbox.keep([Recorded(1.0, TimerFired(), [m.BatchRefused(refused.batch_id, f"{2:025d}", "city", ["batch.count"])])])
    states = {batch.batch_id: batch.state for batch in inbox.reader.unfinished()}
    assert states == {whole.batch_id: "whole", checked: "checked"}


def test_acceptance_numbers_are_known_once_their_batch_is_checked_and_not_if_it_was_refused():
    inbox = Inbox()
    batch, told = inbox.take(1, [(b"a", b"a"), (b"b", b"b")], [Verdict.OK, Verdict.REFUSE])
    receiving = inbox.announce(2).batch_id
    inbox.do(StoreChunk(receiving, [_row(0, "of a batch under way")]))
    refused, others = inbox.take(3, [(b"c", b"c")])
    inbox.do(SetBatchState(refused, InboxState.REFUSED, ["batch.digest"]))
    numbers = [row.acceptance_number for row in (*told, *others)]
    known = inbox.reader.known_numbers([*numbers, "of a batch under way", "of nobody"])
    assert known == [KnownNumber(numbers[0], batch, 0), KnownNumber(numbers[1], batch, 1)]
    assert inbox.reader.known_numbers(numbers, but_batch=batch) == []


def test_people_are_known_as_open_until_bundled_as_made_after_and_not_at_all_once_refused_or_cancelled():
    inbox = Inbox()
    people = [(bytes([index]), b"p%d" % index) for index in range(8)]
    verdicts = [Verdict.OK, Verdict.REFUSE, *[Verdict.OK] * 4, Verdict.HOLD, Verdict.HOLD]
    batch, told = inbox.take(1, people, verdicts)
    identities = [identity for identity, _ in people]
    assert {known.standing for known in inbox.reader.known_people(identities)} == {"open"}
    assert [known.index for known in inbox.reader.known_people(identities)] == [0, 2, 3, 4, 5, 6, 7]
    cards = [card_id(batch, index) for index in range(8)]
    inbox.open(
        batch,
        told,
        *(m.StationJoined(f"{step}1", step, "s", 1) for step in ("laminate", "pack")),
        m.CardDecided(cards[2], "cancel", "anna", ""),
        m.CardDecided(cards[3], "refuse_late", "anna", ""),
        m.CardDecided(cards[7], "refuse", "anna", ""),
        m.EncodeStarted(1, cards[4:6]),
        m.EncodeEnded(1),
        m.SheetImposed(1, [*cards[4:6], *[0] * 6]),
        m.SheetBound(1, 100, "laminate1"),
        m.PositionsMarked(1, 0b11, m.Mark.PASSED, "00", "inspect1", "inspect", "inspect"),
        m.BundleMade(1, batch, UNIT, [cards[4]], "pack1"),
        m.BundleMade(2, batch, UNIT, [cards[5]], "pack1"),
        m.ConsignmentSent(1, batch, [2], "anna"),
    )
    known = inbox.reader.known_people([*identities, b"nobody"])
    assert [(one.index, one.standing) for one in known] == [(0, "open"), (4, "made"), (5, "made"), (6, "open")]
    assert [(one.identity, one.person) for one in known] == [people[one.index] for one in known]
    assert inbox.reader.known_people(identities, but_batch=batch) == []


def test_two_people_with_one_number_are_both_given():
    inbox = Inbox()
    inbox.take(1, [(b"same", b"one")])
    inbox.take(2, [(b"same", b"two")])
    assert [one.person for one in inbox.reader.known_people([b"same"])] == [b"one", b"two"]


def test_an_upstream_acknowledges_no_further_than_its_receipts_and_never_back():
    inbox = Inbox()
    batch, told = inbox.take(1, [(bytes([index]), b"p") for index in range(5)])
    inbox.open(batch, told)
    assert inbox.reader.receipt_numbers("city") == (5, 0)
    assert inbox.do(AcknowledgeReceipts("city", 3)) == 3
    assert inbox.do(AcknowledgeReceipts("city", 2)) == 3
    assert inbox.do(AcknowledgeReceipts("city", 99)) == 5
    assert inbox.reader.receipt_numbers("city") == (5, 5)
    assert inbox.reader.receipt_numbers("nobody") == (0, 0)


def test_counts_of_a_batch_always_add_up():
    inbox = Inbox()
    batch, told = inbox.take(
        1, [(bytes([index]), b"p") for index in range(5)], [*[Verdict.OK] * 2, *[Verdict.HOLD] * 2, Verdict.REFUSE]
    )
    assert inbox.reader.counts(batch) == {}
    inbox.open(
        batch,
        told,
        m.CardDecided(card_id(batch, 0), "cancel", "a", ""),
        m.CardDecided(card_id(batch, 2), "refuse", "a", ""),
    )
    counts = inbox.reader.counts(batch)
    ended = {"refused": 2, "cancelled": 1, "refused_late": 0, "dispatched": 0}
    assert counts == {"received": 5, **ended, "open": 2, "held": 1, "made": 0}


def test_the_review_queue_is_read_by_pages():
    inbox = Inbox()
    batch, told = inbox.take(1, [(bytes([index]), b"p") for index in range(7)], [Verdict.HOLD] * 7)
    inbox.open(batch, told, m.CardDecided(card_id(batch, 2), "release", "anna", ""))
    first = inbox.reader.waiting(limit=4)
    rest = inbox.reader.waiting(after=first[-1].card_id, limit=4)
    assert [card.card_id - card_id(batch, 0) for card in (*first, *rest)] == [0, 1, 3, 4, 5, 6]
    assert {card.state for card in first} == {"held"}


def test_a_stopped_card_waits_with_the_code_it_stopped_for():
    inbox = Inbox()
    batch, told = inbox.take(1, [(b"i", b"p")])
    inbox.open(batch, told, m.CardStopped(card_id(batch, 0), "portrait.size"))
    [card] = inbox.reader.waiting("stopped")
    assert (card.codes, card.acceptance_number) == (["portrait.size"], told[0].acceptance_number)


def test_cards_and_batches_are_found_by_their_numbers():
    inbox = Inbox()
    batch, told = inbox.take(1, [(bytes([index]), b"p") for index in range(2)])
    card = card_id(batch, 1)
    inbox.open(
        batch, told, m.EncodeStarted(1, [card]), m.EncodeEnded(1), m.SheetImposed(4, [0, card, 0, 0, 0, 0, 0, 0])
    )
    reader = inbox.reader
    assert reader.card(card).state == "imposed"
    assert (reader.card(card).sheet_id, reader.card(card).position) == (4, 1)
    assert [row.card_id for row in reader.cards_of(told[1].acceptance_number)] == [card]
    assert reader.batch(batch).upstream == "city"
    assert [row.batch_id for row in reader.batches()] == [batch]
    assert reader.batches(before=batch) == []
    assert (reader.card(1), reader.cards_of("x"), reader.batch(99)) == (None, [], None)
