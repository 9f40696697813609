"""Whoever types wrong passwords waits twice as long each time, and a stranger shuts nobody out for ever."""

from __future__ import annotations

import pytest

from controller.accounts import back_off
from controller.accounts.back_off import LONGEST_S, BackOff, place

HERE, THERE = "192.0.2.7", "198.51.100.9"


def fail(guard, times, now_s=0.0, account="ann", address=HERE):
    """Fail as often, each time when the wait is over; give the waits and the time."""
    waits = []
    for _ in range(times):
        wait_s = guard.begin(account, address, now_s)
        waits.append(wait_s)
        now_s += wait_s
        if wait_s:
            assert guard.begin(account, address, now_s) == 0.0
    return waits, now_s


def test_the_first_three_wrong_ones_are_free_and_then_each_wait_is_twice_the_last():
    waits, _ = fail(BackOff(), 8)
    assert waits == [0, 0, 0, 1, 2, 4, 8, 16]


def test_no_wait_is_longer_than_15_minutes():
    waits, _ = fail(BackOff(), 60)
    assert max(waits) == LONGEST_S == 900
    assert waits[-1] == LONGEST_S


def test_an_attempt_while_one_waits_is_not_counted_and_does_not_lengthen_the_wait():
    guard = BackOff()
    _, now_s = fail(guard, 6)
    left = guard.begin("ann", HERE, now_s)
    for _ in range(1_000):
        assert guard.begin("ann", HERE, now_s) == left
    assert guard.begin("ann", HERE, now_s + left) == 0.0


def test_many_attempts_at_once_are_no_way_around_it():
    guard = BackOff()
    assert [guard.begin("ann", HERE, 0.0) for _ in range(50)].count(0.0) == 3


def test_one_who_got_in_from_here_before_is_not_held_off_by_strangers_elsewhere():
    guard = BackOff()
    assert guard.begin("ann", HERE, 0.0) == 0.0
    guard.succeeded("ann", HERE, 0.0)
    for number in range(5_000):
        guard.begin("ann", f"203.0.{number // 250}.{number % 250}", 1.0)
    assert guard.begin("ann", HERE, 1.5) == 0.0
    assert 0 < guard.begin("ann", THERE, 1.5) <= 60


def test_at_a_new_place_strangers_hold_one_off_for_a_minute_at_most():
    guard, now_s = BackOff(), 0.0
    for number in range(400):
        now_s += guard.begin("ann", f"203.0.113.{number % 250}", now_s)
    assert guard.begin("ann", THERE, now_s) <= 60


def test_one_address_that_tries_many_names_waits_too():
    guard = BackOff()
    waits = [guard.begin(f"name-{number}", HERE, 0.0) for number in range(40)]
    assert waits[:20] == [0.0] * 20
    assert waits[20] > 0
    assert guard.begin("ann", THERE, 0.0) == 0.0


def test_who_gets_in_begins_anew_and_an_attempt_that_never_was_does_not_count():
    guard = BackOff()
    _, now_s = fail(guard, 5)
    now_s += guard.begin("ann", HERE, now_s)
    assert guard.begin("ann", HERE, now_s) == 0.0
    guard.succeeded("ann", HERE, now_s)
    assert fail(guard, 4, now_s)[0] == [0, 0, 0, 1]
    for _ in range(50):
        assert guard.begin("bob", THERE, now_s) == 0.0
        guard.never_was("bob", THERE, now_s)


def test_after_an_hour_without_failures_all_is_forgotten():
    guard = BackOff()
    _, now_s = fail(guard, 10)
    assert fail(guard, 4, now_s + 4_600)[0] == [0, 0, 0, 1]


def test_what_is_kept_of_strangers_is_bounded(monkeypatch):
    monkeypatch.setattr(back_off, "KEPT_MAX", 100)
    guard = BackOff()
    for number in range(1_000):
        guard.begin(f"name-{number}", f"203.0.{number // 250}.{number % 250}", 0.0)
        guard.succeeded(f"name-{number}", HERE, 0.0)
    assert len(guard._failures) <= 100
    assert len(guard._known) <= 100


@pytest.mark.parametrize(
    ("address", "stands_for"),
    [
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7", "192.0.2.7"),
        ("", ""),
    ],
)
def test_a_person_s_whole_network_counts_as_one_address(address, stands_for):
    assert place(address) == stands_for
