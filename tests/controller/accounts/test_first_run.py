"""The first account is made with a code that only who sits at the service's console can know, and once."""

from __future__ import annotations

import io
import json
import logging
import stat

import pytest
import trio

from controller.accounts import entrance, first_run
from controller.accounts.entrance import Entered, HeldOff, NotLetIn
from controller.accounts.errors import AccountError
from controller.accounts.first_run import FILE_NAME, VALID_S, FirstRun, forget_file, show_code
from tests.controller.accounts.hall import ANN, HERE, THERE, open_hall, watch_logs


class Terminal(io.StringIO):
    """A console somebody sits at."""

    def isatty(self):
        return True


def offered(hall):
    return hall.entrance.first_run.offer(hall.clock())


async def test_with_the_code_the_first_account_is_made_once(tmp_path):
    hall = open_hall(tmp_path, empty=True)
    code = offered(hall)
    answer = await hall.entrance.begin_first(code.upper().replace("-", " "), "ann", ANN, HERE)
    assert hall.entrance.session_of(answer.token).name == "ann"
    assert await hall.entrance.begin_first(code, "bob", ANN, HERE) == NotLetIn()
    assert list(hall.file.read()) == ["ann"]
    assert hall.noted == [("made", "ann", ""), ("logged_in", "ann", "ann"), ("login_failed", "", "")]


async def test_of_two_who_bring_the_code_at_once_one_gets_the_account(tmp_path):
    hall, answers = open_hall(tmp_path, empty=True), []
    code = offered(hall)

    async def come(name, address):
        answers.append(await hall.entrance.begin_first(code, name, ANN, address))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(come, "ann", HERE)
        nursery.start_soon(come, "bob", THERE)
    assert sorted(type(answer).__name__ for answer in answers) == ["Entered", "NotLetIn"]
    assert len(hall.file.read()) == 1


async def test_the_code_ends_after_half_an_hour_and_another_is_worth_nothing(tmp_path):
    hall = open_hall(tmp_path, empty=True)
    assert await hall.entrance.begin_first("", "ann", ANN, HERE) == NotLetIn(), "before any code is offered"
    first, second = offered(hall), offered(hall)
    hall.clock.at_s += VALID_S - 1
    assert await hall.entrance.begin_first(first, "ann", ANN, HERE) == NotLetIn()
    hall.clock.at_s += 1
    assert await hall.entrance.begin_first(second, "ann", ANN, THERE) == NotLetIn()
    assert hall.file.read() == {}


async def test_who_guesses_codes_has_to_wait(tmp_path):
    hall = open_hall(tmp_path, empty=True)
    code = offered(hall)
    for _ in range(3):
        await hall.entrance.begin_first("wrong", "ann", ANN, HERE)
    assert isinstance(await hall.entrance.begin_first(code, "ann", ANN, HERE), HeldOff)
    assert isinstance(await hall.entrance.begin_first(code, "ann", ANN, THERE), Entered)


@pytest.mark.parametrize(("name", "password"), [("Ann", ANN), ("ann\r\n", ANN), ("ann", "short")])
async def test_a_slip_of_the_pen_does_not_use_the_code_up(tmp_path, name, password):
    hall = open_hall(tmp_path, empty=True)
    code = offered(hall)
    with pytest.raises(AccountError):
        await hall.entrance.begin_first(code, name, password, HERE)
    assert isinstance(await hall.entrance.begin_first(code, "ann", ANN, HERE), Entered)


async def test_where_an_administrator_was_faster_the_code_makes_no_second_first_account(tmp_path):
    hall = open_hall(tmp_path, empty=True)
    code = offered(hall)
    open_hall(tmp_path)  # which makes ann and bob
    with pytest.raises(AccountError, match="not_first"):
        await hall.entrance.begin_first(code, "eve", ANN, HERE)
    assert set(hall.file.read()) == {"ann", "bob"}


def test_at_a_terminal_the_code_is_a_line_there_and_in_no_file_and_no_log(tmp_path, caplog, monkeypatch):
    console, code, logged = Terminal(), FirstRun().offer(0.0), watch_logs(monkeypatch, first_run)
    with caplog.at_level(logging.DEBUG):
        show_code(code, tmp_path, console, "https://127.0.0.1:9443/")
    assert code in console.getvalue()
    assert list(tmp_path.iterdir()) == []
    assert logged.getvalue() == ""
    assert caplog.text == ""


def test_where_standard_error_is_no_terminal_it_is_in_a_file_for_the_owner_and_the_log_names_that_file(
    tmp_path, monkeypatch
):
    code, debug_log, console = FirstRun().offer(0.0), watch_logs(monkeypatch, first_run), io.StringIO()
    show_code(code, tmp_path, console, "https://127.0.0.1:9443/")
    assert console.getvalue() == ""
    [path] = tmp_path.iterdir()
    assert path.name == FILE_NAME
    assert path.read_text() == f"{code}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(debug_log.getvalue())["file"] == FILE_NAME
    assert code not in debug_log.getvalue()
    forget_file(tmp_path)
    forget_file(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_code_is_not_shown_by_what_keeps_it():
    kept = FirstRun()
    code = kept.offer(0.0)
    assert code.replace("-", "") not in repr(kept) + repr(vars(kept))
    assert len(code.replace("-", "")) == 25


async def test_what_is_typed_at_the_entrance_never_stands_in_the_log(tmp_path, monkeypatch):
    debug_log = watch_logs(monkeypatch, entrance, first_run)
    hall = open_hall(tmp_path, empty=True)
    code = offered(hall)
    await hall.entrance.begin_first("my-guess-of-it", "ann", ANN, HERE)
    await hall.entrance.begin_first(code, "ann", ANN, HERE)
    for name, password in (("ann", "wrong-password"), ("typed-password", "x"), ("ann", ANN)):
        await hall.log_in(name, password, "123456")
    said = debug_log.getvalue()
    assert said.count("\n") >= 4
    assert [one for one in (code, "my-guess", ANN, "wrong-password", "typed-password", "123456") if one in said] == []
