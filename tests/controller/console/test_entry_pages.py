"""People come in by a name and a password, see who they are, and go again; in two languages."""

from __future__ import annotations

import re

import pytest

from controller.console.words import LANGUAGES, catalogue, say_in
from tests.controller.accounts.hall import ANN, BOB, IDLE_S, LONGEST_S, SECRET
from tests.controller.console.lobby import open_lobby

FRESH = "another long sentence"


async def test_somebody_logs_in_sees_name_and_roles_and_logs_out(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        asked = await browser.get("/")
        assert (asked.status, asked.header("location")) == (303, "/login")
        came = await browser.log_in()
        assert (came.status, came.header("location")) == (303, "/")
        home = await browser.get("/")
        assert home.status == 200
        assert "logged in as: ann" in home.text
        assert "operator, supervisor" in home.text
        assert (await browser.get("/login")).header("location") == "/"
        token = browser.session
        gone = await browser.post("/logout", {"csrf": home.csrf})
        assert (gone.status, gone.header("location")) == (303, "/login")
        assert browser.session == ""
        browser.cookies["__Host-cardmill-session"] = token
        assert (await browser.get("/")).status == 303, "the number still opens"


async def test_who_has_no_role_is_told_so(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        await browser.log_in("bob", BOB)
        assert "ask an administrator" in (await browser.get("/")).text


@pytest.mark.parametrize(("name", "password"), [("ann", BOB), ("nobody", ANN), ("ann'--", ANN), ("", "")])
async def test_every_wrong_name_and_password_gets_the_same_page(tmp_path, name, password):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        page = await browser.log_in(name, password)
        assert page.status == 401
        assert "Name, password or code is wrong" in page.text
        assert not name or name not in page.text.replace("cardmill", "")
        assert not page.cookie("session")


async def test_after_wrong_passwords_one_waits_and_is_told_how_long(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        for _ in range(3):
            assert (await browser.log_in(password="wrong")).status == 401
        held = await browser.log_in()
        assert (held.status, held.header("retry-after")) == (429, "1")
        assert "wait 1 seconds" in held.text
        lobby.hall.clock.at_s += 1
        assert (await browser.log_in()).status == 303


async def test_a_code_is_asked_for_where_there_is_a_second_factor_and_taken_once(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        lobby.hall.put("ann", lambda one: one.with_totp(SECRET))
        code = lobby.hall.code()
        assert (await lobby.browser().log_in()).status == 401
        assert (await lobby.browser().log_in(code=code)).status == 303
        assert (await lobby.browser().log_in(code=code)).status == 401


@pytest.mark.parametrize("ending", ["idle", "longest", "locked"])
async def test_a_session_that_ended_leads_to_the_log_in_and_its_cookie_goes(tmp_path, ending):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        await browser.log_in()
        csrf = (await browser.get("/")).csrf
        if ending == "locked":
            lobby.hall.put("ann", lambda one: one.with_lock(True))
        else:
            lobby.hall.clock.at_s += IDLE_S if ending == "idle" else LONGEST_S
        page = await browser.post("/act", {"csrf": csrf})
        assert (page.status, page.header("location")) == (303, "/login")
        assert browser.session == ""


async def test_a_password_is_changed_with_the_old_one_and_other_browsers_are_out(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        browser, other = lobby.browser(), lobby.browser()
        await browser.log_in()
        await other.log_in()
        csrf, before = (await browser.get("/")).csrf, browser.session

        async def change(old, new, again):
            return await browser.post("/password", {"csrf": csrf, "old": old, "new": new, "again": again})

        assert "two new passwords differ" in (await change(ANN, FRESH, FRESH + "!")).text
        assert "will not do" in (await change(ANN, "short", "short")).text
        assert (await change(BOB, FRESH, FRESH)).status == 401
        assert (await change(ANN, FRESH, FRESH)).status == 303
        assert browser.session not in ("", before)
        assert (await browser.get("/")).status == 200
        assert (await other.get("/")).status == 303
        assert (await lobby.browser().log_in(password=FRESH)).status == 303
        assert (await browser.get("/password")).header("location") == "/account"


async def test_the_first_account_is_made_on_the_first_run_page_and_the_page_is_gone_then(tmp_path):
    async with open_lobby(tmp_path, empty=True) as lobby:
        browser = lobby.browser()
        assert "/first-run" in (await browser.get("/login")).text
        code = lobby.hall.entrance.first_run.offer(lobby.hall.clock())
        csrf = (await browser.get("/first-run")).csrf

        async def make(code, name, password, again=None):
            fields = {"csrf": csrf, "code": code, "name": name, "password": password, "again": again or password}
            return await browser.post("/first-run", fields)

        assert (await make("wrong", "ann", ANN)).status == 401
        assert "differ" in (await make(code, "ann", ANN, "other")).text
        assert "A name is" in (await make(code, "Ann Lee", ANN)).text
        assert (await make(code, "ann", ANN)).header("location") == "/"
        assert "ann" in (await browser.get("/")).text
        late = lobby.browser()
        assert (await late.get("/first-run")).header("location") == "/login"
        assert "/first-run" not in (await late.get("/login")).text
        assert (await late.post("/first-run", {"code": code})).header("location") == "/login"


# ---- languages ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,zh;q=0.9", "en"),
        ("fr, en;q=0.3, zh;q=0.7", "zh"),
        ("en;q=0, zh;q=0.1", "zh"),
        ("fr", "zh"),
        ("", "zh"),
        (";;q=x,,", "zh"),
        ("en;q=nan", "en"),
    ],
)
async def test_a_page_is_in_the_language_that_the_browser_wants(tmp_path, accepted, language):
    async with open_lobby(tmp_path) as lobby:
        page = await lobby.browser().get("/login", Accept_Language=accepted)
        assert f'<html lang="{language}">' in page.text


async def test_a_chosen_language_is_remembered_and_nothing_else_is_taken_for_one(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        page = await browser.get("/login?lang=zh")
        assert "HttpOnly" in page.cookie("language")
        assert "登录" in (await browser.get("/login")).text
        for odd in ("fr", "../zh", "zh%0d%0aX-Odd:%201", ""):
            page = await browser.get(f"/login?lang={odd}")
            assert page.status == 200
            assert not page.cookie("language")
            assert not page.header("x-odd")


def test_every_word_is_there_in_both_languages_and_asks_for_the_same_values():
    zh, en = map(catalogue, LANGUAGES)
    assert zh.keys() == en.keys()
    for key in zh:
        assert sorted(re.findall(r"{.*?}", zh[key])) == sorted(re.findall(r"{.*?}", en[key])), key
        assert zh[key].strip(), key
        assert en[key].strip(), key
    assert say_in("zh")("wait", 5) != say_in("en")("wait", 5)
