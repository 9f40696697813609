"""Sealed rows at hand: a shorter way to what the files hold, never another answer."""

import hypothesis.strategies as st
import pytest
import trio
from hypothesis import given

from controller.application import card_id
from controller.core import events as e
from controller.floor import floor as floor_file
from controller.floor.floor import QUICK_CARDS, Floor
from controller.ledger.writer import Writer
from controller.vault import store
from controller.vault.at_hand import AtHand
from controller.vault.errors import KeyMissing, RowMissing, Tampered
from controller.vault.store import open_vault
from devices.defects import Step

CARDS = [card_id(1, index) for index in range(3)]
ROWS = [(card, b"card %d" % card) for card in CARDS]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("keep"), st.integers(0, 9), st.binary(max_size=40)),
            st.tuples(st.just("drop"), st.integers(0, 9), st.none()),
            st.tuples(st.just("forget"), st.integers(0, 1), st.none()),
        )
    )
)
def test_the_newest_rows_are_at_hand_up_to_the_bound_and_nothing_else(steps):
    at_hand, newest = AtHand(100), {}
    numbers = [card_id(1 + number % 2, number // 2) for number in range(10)]
    for what, number, blob in steps:
        if what == "keep":
            newest.pop(numbers[number], None)
            newest[numbers[number]] = blob
            at_hand.keep([(numbers[number], blob)])
            while sum(map(len, newest.values())) > 100:
                newest.pop(next(iter(newest)))
        elif what == "drop":
            newest.pop(numbers[number], None)
            at_hand.drop([numbers[number]])
        else:
            newest = {card: blob for card, blob in newest.items() if card not in numbers[number::2]}
            at_hand.forget([number + 1])
        assert len(at_hand) == len(newest)
        assert at_hand.find(list(newest)) == newest
        assert all(at_hand.find([card]) is None for card in numbers if card not in newest)


def test_one_row_that_is_not_at_hand_sends_all_of_them_to_the_disk():
    at_hand = AtHand(100)
    at_hand.keep(ROWS[:2])
    assert at_hand.find(CARDS[:2]) == dict(ROWS[:2])
    assert at_hand.find(CARDS) is None
    assert at_hand.find([]) == {}
    at_hand.keep([(CARDS[2], b"x" * 101)])
    assert len(at_hand) == 0, "a row beyond the bound stays nowhere, and nothing is kept beyond it"


async def test_a_card_is_at_hand_once_stored_and_an_application_once_read(tmp_path, engine_url):
    async with open_vault(tmp_path, url=engine_url) as vault:
        await vault.store_applications(1, [(0, b"zero"), (1, b"one"), (2, b"two")])
        await vault.store_cards(ROWS)
        assert vault.at_hand(CARDS)
        assert not vault.at_hand(CARDS, with_applications=True), "a batch that waits takes no room"
        vault.applications(1, [0, 1])
        assert vault.at_hand(CARDS[:2], with_applications=True)
        assert not vault.at_hand(CARDS, with_applications=True)
    async with open_vault(tmp_path, url=engine_url) as vault:
        assert not vault.at_hand(CARDS), "a started service has read nothing yet"
        assert vault.cards(CARDS) == [plain for _, plain in ROWS]


async def test_what_is_at_hand_is_given_without_a_look_at_the_files(tmp_path, monkeypatch):
    async with open_vault(tmp_path) as vault:
        await vault.store_applications(1, [(0, b"zero")])
        await vault.store_cards(ROWS)
        vault.application(1, 0)

        def never(*_):
            raise AssertionError("it was at hand")

        monkeypatch.setattr(store.Vault, "_read", never)
        assert vault.cards(CARDS) == [plain for _, plain in ROWS]
        assert vault.application(1, 0) == b"zero"
        reader = vault.at_hand(CARDS[:1], with_applications=True)
        for rows in vault._at_hand.values():
            rows.forget([1])  # room for others, before the reader was asked
        assert reader is not None
        assert reader.cards(CARDS[:1]) == [ROWS[0][1]]
        assert reader.applications(1, [0]) == [b"zero"]
        with pytest.raises(RowMissing):
            reader.cards(CARDS[1:2])


async def test_rows_stored_again_are_given_as_they_were_stored_last(tmp_path, engine_url):
    async with open_vault(tmp_path, url=engine_url) as vault:
        await vault.store_applications(1, [(0, b"first")])
        await vault.store_cards([(CARDS[0], b"first")])
        assert vault.application(1, 0) == vault.cards(CARDS[:1])[0] == b"first"
        await vault.store_applications(1, [(0, b"second")])
        await vault.store_cards([(CARDS[0], b"second")])
        assert vault.application(1, 0) == vault.cards(CARDS[:1])[0] == b"second"


async def test_a_destroyed_key_closes_what_was_at_hand(tmp_path, engine_url):
    other = card_id(2, 0)
    async with open_vault(tmp_path, url=engine_url) as vault:
        await vault.store_applications(1, [(0, b"zero")])
        await vault.store_cards([*ROWS, (other, b"of another batch")])
        vault.application(1, 0)
        reader = vault.at_hand(CARDS[:1], with_applications=True)
        assert reader is not None
        await vault.destroy_keys([1])
        for read in (lambda: reader.cards(CARDS[:1]), lambda: reader.applications(1, [0])):
            with pytest.raises(KeyMissing):
                read()
        assert not vault.at_hand(CARDS[:1])
        for read in (lambda: vault.application(1, 0), lambda: vault.cards(CARDS[:1])):
            with pytest.raises(KeyMissing):
                read()
        assert vault.at_hand([other])
        assert vault.cards([other]) == [b"of another batch"]


async def test_a_row_under_way_while_its_key_is_destroyed_is_not_at_hand_afterwards(tmp_path, monkeypatch):
    unsealed, write = store._unsealed, Writer.write
    async with open_vault(tmp_path) as vault:
        await vault.store_applications(1, [(0, b"zero")])

        def destroyed_meanwhile(*given):
            plain = unsealed(*given)
            trio.from_thread.run(vault.destroy_keys, [1])
            return plain

        monkeypatch.setattr(store, "_unsealed", destroyed_meanwhile)
        assert await trio.to_thread.run_sync(vault.application, 1, 0) == b"zero"

        async def written_and_destroyed(writer, change):
            answer = await write(writer, change)
            if isinstance(change, store.StoreSealed):
                await vault.destroy_keys([2])
            return answer

        monkeypatch.setattr(Writer, "write", written_and_destroyed)
        await vault.store_cards([(card_id(2, 0), b"late"), (card_id(3, 0), b"of another batch")])
        assert [len(rows) for rows in vault._at_hand.values()] == [0, 1]
        assert vault.at_hand([card_id(3, 0)])


async def test_only_ciphertext_is_at_hand(tmp_path):
    async with open_vault(tmp_path) as vault:
        await vault.store_cards(ROWS)
        sealed = vault._at_hand[store.Kind.CARD].find(CARDS)
        assert sealed is not None
        assert not any(plain in sealed[card] for card, plain in ROWS)


class Driver:
    """Notes what stations are started with."""

    def __init__(self):
        self.started = []

    def start(self, station, start):
        self.started.append(start.job_id)


@pytest.mark.parametrize(("cards", "at_hand"), [(8, True), (8, False), (QUICK_CARDS, True), (QUICK_CARDS + 1, True)])
async def test_a_small_load_at_hand_starts_without_a_thread_and_any_other_with_one(cards, at_hand, monkeypatch):
    hops, driver = [], Driver()

    class Rows:
        def at_hand(self, cards, *, with_applications=False):
            assert not with_applications, "a chip writer is given nothing of an application"
            return self if at_hand else None

    class State:
        jobs = frozenset({7})

    async def run_in(call, *args, limiter):
        hops.append(call)
        return call(*args)

    monkeypatch.setattr(floor_file, "readable_cards", lambda vault, wanted: {})
    async with trio.open_nursery() as nursery:
        floor = Floor(driver, Rows(), State(), lambda event: None, nursery, run_in=run_in)
        floor.perform(e.StartJob(7, "w1", Step.WRITE, [(3, list(range(1, cards + 1)))]))
        assert (driver.started == [7]) == (at_hand and cards <= QUICK_CARDS)
    assert driver.started == [7]
    assert len(hops) == (0 if at_hand and cards <= QUICK_CARDS else 1)


async def test_a_row_at_hand_opens_under_its_own_number_only(tmp_path):
    async with open_vault(tmp_path) as vault:
        await vault.store_cards(ROWS)
        at_hand = vault._at_hand[store.Kind.CARD]
        sealed = at_hand.find(CARDS)
        assert sealed is not None
        at_hand.keep([(CARDS[0], sealed[CARDS[1]])])
        assert vault.at_hand(CARDS)
        with pytest.raises(Tampered):
            vault.cards(CARDS)
        assert vault.cards(CARDS[1:]) == [plain for _, plain in ROWS[1:]]
