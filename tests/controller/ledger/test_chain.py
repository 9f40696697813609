"""The audit chain."""

import struct
from hashlib import blake2b

from hypothesis import given, settings
from hypothesis import strategies as st

from controller.core import moves as m
from controller.ledger.chain import GENESIS, Head, head_of, link
from tests.controller.ledger.desk import Desk, in_groups
from tests.controller.ledger.floor import SmallFloor


def test_a_link_is_blake2b_over_the_last_hash_the_time_and_the_body():
    body = b"\x92\xa3run\x01"
    expected = blake2b(bytes(32) + struct.pack(">d", 12.5) + body, digest_size=32).hexdigest()
    assert link(bytes(32), 12.5, body).hex() == expected
    assert head_of([(12.5, m.ServiceStarted(1))]) == Head(1, bytes.fromhex(expected))


def test_an_empty_ledger_has_the_head_of_32_zero_bytes():
    assert head_of([]) == GENESIS == Head(0, bytes(32))


def test_a_negative_zero_time_has_the_hash_it_still_has_when_read_back():
    assert link(bytes(32), -0.0, b"x") == link(bytes(32), 0.0, b"x")


def test_each_of_time_body_and_order_is_in_the_head():
    one, two = (1.0, m.ServiceStarted(1)), (2.0, m.ServiceStarted(2))
    heads = {head_of(moves) for moves in ([one, two], [two, one], [one], [(1.5, one[1]), two], [one, (2.0, one[1])])}
    assert len(heads) == 5


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), sizes=st.lists(st.integers(1, 40), min_size=1, max_size=5))
def test_groups_leave_no_trace_in_the_head(seed, sizes):
    records = list(SmallFloor(seed).run(60))
    desk = Desk()
    for group in in_groups(records, sizes):
        desk.keep(group)
    moves = [(recorded.at_floor_s, move) for recorded in records for move in recorded.moves]
    assert desk.journal.durable_head == head_of(moves)
