"""A session ends by itself, by its person, and by its account; what is kept does not open it."""

from __future__ import annotations

import pytest

from controller.accounts import sessions
from controller.accounts.entrance import Entered
from tests.controller.accounts.hall import ANN, BOB, HERE, IDLE_S, LONGEST_S, open_hall


async def begun(hall, name="ann", password=ANN):
    answer = await hall.log_in(name, password)
    assert isinstance(answer, Entered)
    return answer.token


async def test_a_session_ends_when_nothing_was_asked_for_so_long(tmp_path):
    hall = open_hall(tmp_path)
    token = await begun(hall)
    for _ in range(5):
        hall.clock.at_s += IDLE_S - 1
        assert hall.entrance.session_of(token).name == "ann"
    hall.clock.at_s += IDLE_S
    assert hall.entrance.session_of(token) is None
    hall.clock.at_s -= IDLE_S
    assert hall.entrance.session_of(token) is None, "it came back"


async def test_a_session_ends_after_the_longest_time_however_busy_it_is(tmp_path):
    hall = open_hall(tmp_path)
    token, end_s = await begun(hall), hall.clock.at_s + LONGEST_S
    while hall.clock.at_s + 60 < end_s:
        hall.clock.at_s += 60
        assert hall.entrance.session_of(token)
    hall.clock.at_s = end_s
    assert hall.entrance.session_of(token) is None


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one.with_lock(True),
        lambda one: one.with_password("x"),
        lambda one: one.with_totp("JBSWY3DPEHPK3PXP"),
    ],
    ids=["lock", "password", "totp"],
)
async def test_a_change_of_the_account_by_another_process_ends_its_sessions_and_no_other_s(tmp_path, change):
    hall, beside = open_hall(tmp_path), open_hall(tmp_path)
    ann, bob = await begun(hall), await begun(hall, "bob", BOB)
    beside.put("ann", change)
    assert hall.entrance.session_of(ann) is None
    assert hall.entrance.session_of(bob).name == "bob"


async def test_a_lock_that_is_taken_off_brings_no_session_back(tmp_path):
    hall = open_hall(tmp_path)
    token = await begun(hall)
    before = (tmp_path / "accounts.json").read_bytes()
    hall.put("ann", lambda one: one.with_lock(True))
    hall.put("ann", lambda one: one.with_lock(False))
    assert hall.entrance.session_of(token) is None
    assert (tmp_path / "accounts.json").read_bytes() != before


async def test_a_changed_password_ends_all_sessions_but_the_new_one(tmp_path):
    hall = open_hall(tmp_path)
    tokens = [await begun(hall) for _ in range(3)]
    answer = await hall.entrance.change_password("ann", ANN, "another long sentence", HERE)
    assert [hall.entrance.session_of(token) for token in tokens] == [None] * 3
    assert hall.entrance.session_of(answer.token).name == "ann"
    assert isinstance(await hall.log_in(password="another long sentence"), Entered)
    assert not isinstance(await hall.log_in(), Entered)


async def test_a_restart_keeps_the_accounts_and_ends_the_sessions(tmp_path):
    token = await begun(open_hall(tmp_path))
    again = open_hall(tmp_path)
    assert again.entrance.session_of(token) is None
    assert await begun(again)


async def test_a_session_s_number_is_kept_nowhere(tmp_path):
    hall = open_hall(tmp_path)
    token = await begun(hall)
    session = hall.entrance.session_of(token)
    kept = repr(hall.entrance) + repr(vars(hall.entrance.sessions)) + repr(session) + repr(Entered(token))
    assert token not in kept
    assert session.csrf not in kept
    assert len(token) == 43
    assert hall.entrance.session_of(token[:-1]) is None
    assert hall.entrance.session_of("\udcff") is None


async def test_a_person_s_ninth_browser_ends_the_first_and_nobody_else_s(tmp_path):
    hall = open_hall(tmp_path)
    bob = await begun(hall, "bob", BOB)
    tokens = [await begun(hall) for _ in range(9)]
    assert [hall.entrance.session_of(token) is None for token in tokens] == [True] + [False] * 8
    assert hall.entrance.session_of(bob)


def test_all_sessions_together_are_bounded(monkeypatch):
    monkeypatch.setattr(sessions, "AT_ONCE", 10)
    kept = sessions.Sessions(IDLE_S, LONGEST_S)
    tokens = [kept.begin(f"person-{number}", "e", 0.0) for number in range(30)]
    assert [kept.find(token, 0.0) is not None for token in tokens] == [False] * 20 + [True] * 10
