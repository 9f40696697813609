"""Who gets in: the right password, once the wait is over, with a code that nobody used before."""

from __future__ import annotations

import pytest
import trio
from argon2 import PasswordHasher

from controller.accounts import passwords as passwords_module
from controller.accounts.account import PASSWORD_MAX, new_account, require_password
from controller.accounts.entrance import Entered, HeldOff, NotLetIn
from controller.accounts.errors import AccountError
from controller.accounts.passwords import Passwords, usual_hasher
from tests.controller.accounts.hall import ANN, BOB, CHEAP, HERE, SECRET, THERE, open_hall


async def test_the_right_password_lets_in_and_every_wrong_way_gets_the_same_answer(tmp_path):
    hall = open_hall(tmp_path)
    hall.put("bob", lambda one: one.with_lock(True))
    assert isinstance(await hall.log_in(), Entered)
    for name, password in (("ann", BOB), ("bob", BOB), ("carl", ANN), ("", ""), ("ann\r\nx", ANN), ("../ann", ANN)):
        assert await hall.log_in(name, password) == NotLetIn()
    assert hall.noted[0] == ("logged_in", "ann", "ann")
    assert [account for what, account, _ in hall.noted if what == "login_failed"] == ["ann", "bob", "", "", "", ""]


async def test_a_name_that_is_no_account_costs_a_hash_of_the_same_cost(tmp_path, monkeypatch):
    hall, compared = open_hall(tmp_path), []
    verify = PasswordHasher.verify

    def watched(self, kept, typed):
        compared.append(kept.rpartition("$")[0].rpartition("$")[0])
        return verify(self, kept, typed)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    for name in ("ann", "nobody", "no name at all", "ann"):
        await hall.log_in(name, "wrong wrong wrong")
    assert len(compared) == 4
    assert set(compared) == {"$argon2id$v=19$m=8,t=1,p=1"}


async def test_wrong_passwords_hold_off_unlooked_even_with_the_right_one_and_no_longer_than_told(tmp_path):
    hall = open_hall(tmp_path)
    for _ in range(3):
        assert await hall.log_in(password="wrong") == NotLetIn()
    held = await hall.log_in()
    assert held == HeldOff(1.0)
    hall.clock.at_s += held.wait_s
    assert isinstance(await hall.log_in(), Entered)
    assert hall.whats() == ["login_failed"] * 3 + ["held_off", "logged_in"]


async def test_the_wait_grows_to_15_minutes_and_ends_there_for_a_name_that_is_none_as_well(tmp_path):
    for name in ("ann", "nobody"):
        hall, waits = open_hall(tmp_path), []
        for _ in range(40):
            answer = await hall.log_in(name, "wrong")
            if isinstance(answer, HeldOff):
                waits.append(answer.wait_s)
                hall.clock.at_s += answer.wait_s
        assert waits[:5] == [1, 2, 4, 8, 16]
        assert max(waits) == waits[-1] == 900


async def test_the_administrator_s_unlock_forgets_what_was_typed_wrong(tmp_path):
    hall = open_hall(tmp_path)
    for _ in range(4):
        await hall.log_in(password="wrong")
    hall.put("ann", lambda one: one.with_lock(False))
    assert isinstance(await hall.log_in(), Entered)


async def test_a_session_alone_does_not_let_somebody_guess_the_password(tmp_path):
    hall = open_hall(tmp_path)
    for _ in range(3):
        assert await hall.entrance.change_password("ann", "wrong", "another long sentence", HERE) == NotLetIn()
    answer = await hall.entrance.change_password("ann", ANN, "another long sentence", HERE)
    assert isinstance(answer, HeldOff)
    assert "password_changed" not in hall.whats()


# ---- the second factor ------------------------------------------------------------------------------------------


async def test_with_a_second_factor_nobody_gets_in_without_its_code(tmp_path):
    hall = open_hall(tmp_path)
    hall.put("ann", lambda one: one.with_totp(SECRET))
    for code in ("", "12345", "abcdef", "１２３４５６", hall.code()[:5]):
        hall.clock.at_s += 1_000  # past any wait
        assert await hall.log_in(code=code) == NotLetIn()
    for steps in (-3, -2, 2, 3):
        hall.clock.at_s += 1_000
        assert await hall.log_in(code=hall.code(steps)) == NotLetIn()
    hall.clock.at_s += 1_000
    assert isinstance(await hall.log_in(code=hall.code()), Entered)


@pytest.mark.parametrize("steps", [-1, 0, 1])
async def test_a_code_one_step_off_is_taken_and_never_a_second_time(tmp_path, steps):
    hall = open_hall(tmp_path)
    hall.put("ann", lambda one: one.with_totp(SECRET))
    code = hall.code(steps)
    assert isinstance(await hall.log_in(code=f"{code[:3]} {code[3:]}"), Entered)
    assert await hall.log_in(code=code) == NotLetIn()
    again = open_hall(tmp_path, clock=hall.clock)
    assert await again.log_in(code=code, address=THERE) == NotLetIn(), "a restart forgot it"
    hall.clock.at_s += 60
    assert isinstance(await hall.log_in(code=hall.code(1)), Entered)


async def test_of_two_who_bring_one_code_at_once_one_gets_in(tmp_path):
    hall, answers = open_hall(tmp_path), []
    hall.put("ann", lambda one: one.with_totp(SECRET))

    async def come(address):
        answers.append(await hall.log_in(code=hall.code(), address=address))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(come, HERE)
        nursery.start_soon(come, THERE)
    assert sorted(type(answer).__name__ for answer in answers) == ["Entered", "NotLetIn"]


# ---- passwords ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "password",
    [
        "",
        "short",
        "123456789012345",
        "aaaaaaaaaaaaaaaa",
        "my name is ann, really",
        "x" * (PASSWORD_MAX + 1),
        "a\nb" * 6,
    ],
)
def test_a_password_that_will_not_do_is_refused_and_not_shown(password):
    with pytest.raises(AccountError) as error:
        require_password("ann", password)
    assert error.value.code == "accounts.password"
    assert len(password) < 6 or password not in str(error.value)


def test_a_short_name_may_stand_in_a_password_by_chance():
    assert require_password("al", "all the printers stop")


def test_a_chinese_sentence_is_a_password_however_a_keyboard_writes_it():
    assert require_password("ann", "制证中心今天做了两千张卡片") == "制证中心今天做了两千张卡片"
    assert require_password("ann", "cafe\u0301 in the morning") == require_password("ann", "café in the morning")


async def test_hashes_are_made_one_at_a_time_and_only_so_many_people_wait(monkeypatch):
    monkeypatch.setattr(passwords_module, "WAITING_MAX", 3)
    kept, refused, at_once = Passwords(CHEAP), [], []

    def slow(password):
        at_once.append(kept._limiter.borrowed_tokens)
        return CHEAP.hash(password)

    monkeypatch.setattr(kept, "_hasher", type("Slow", (), {"hash": staticmethod(slow)}))

    async def come():
        try:
            await kept.hash("x")
        except AccountError as error:
            refused.append(error.code)

    async with trio.open_nursery() as nursery:
        for _ in range(10):
            nursery.start_soon(come)
    assert refused == ["accounts.busy"] * 7
    assert at_once == [1, 1, 1]


async def test_who_was_refused_for_the_crowd_is_not_held_off_for_it(tmp_path, monkeypatch):
    hall = open_hall(tmp_path)
    with monkeypatch.context() as full:
        full.setattr(passwords_module, "WAITING_MAX", 0)
        for _ in range(10):
            with pytest.raises(AccountError, match=r"accounts\.busy"):
                await hall.log_in()
    assert isinstance(await hall.log_in(), Entered)


async def test_a_hash_of_an_older_cost_is_made_anew_and_the_session_lasts(tmp_path):
    hall = open_hall(tmp_path)
    older = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1).hash(ANN)
    hall.file.change(lambda accounts: accounts.update(ann=new_account(older)))
    answer = await hall.log_in()
    assert hall.file.read()["ann"].password.startswith("$argon2id$v=19$m=8,t=1,p=1")
    assert hall.entrance.session_of(answer.token)
    assert isinstance(await hall.log_in(), Entered)


def test_accounts_are_made_with_argon2id_of_46_mib():
    assert usual_hasher().hash("x").startswith("$argon2id$v=19$m=47104,t=2,p=1$")
