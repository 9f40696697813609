"""Whoever sends what no page of the console would send gets nothing, and learns nothing."""

from __future__ import annotations

import logging
import re

import pytest
import trio

from controller.accounts import entrance
from controller.console import app, bounds, serving
from controller.console.bounds import BODY_MAX_BYTES
from controller.console.strict_headers import ALWAYS_TLS, HEADERS, POLICY
from tests.controller.accounts.hall import ANN, watch_logs
from tests.controller.console.lobby import open_lobby

OURS = "__Host-cardmill-"


async def test_cookies_are_for_this_host_over_tls_alone_and_no_script_reads_them(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        form = (await browser.get("/login")).cookie("form")
        session = (await browser.log_in()).cookie("session")
        for line in (form, session):
            parts = {part.strip().lower() for part in line.split(";")[1:]}
            assert {"secure", "httponly", "samesite=strict", "path=/"} <= parts
            assert not any(part.startswith("domain") for part in parts)
        assert not re.search("max-age|expires", session, re.IGNORECASE)
        assert len(browser.session) == 43


async def test_every_answer_has_the_strict_headers_whatever_it_answers(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        asked = [
            ("GET", "/", 303),
            ("GET", "/login", 200),
            ("GET", "/static/console.css", 200),
            ("GET", "/nowhere", 404),
            ("DELETE", "/login", 405),
            ("OPTIONS", "/login", 405),
            ("POST", "/login", 400),
            ("POST", "/act", 303),
            ("GET", "/broken", 500),
            ("GET", "/login?" + "x" * 4_000, 414),
        ]
        for method, path, status in asked:
            page = await browser.ask(method, path)
            assert page.status == status, path
            for name, value in HEADERS.items():
                assert page.header(name) == value, (path, name)
            assert page.header("strict-transport-security") == ALWAYS_TLS
            assert page.header("server") == ""
            assert "Traceback" not in page.text
            assert "secret of somebody" not in page.text
    assert "unsafe" not in POLICY
    assert POLICY.startswith("default-src 'none'")


OWN_SCRIPT = r'(?! src="/static/[a-z-]+(\.min)?\.js" defer></script>)'
FOREIGN = re.compile(rf"<script{OWN_SCRIPT}|<style|\sstyle=|\son\w+=|javascript:|https?://")


async def test_pages_hold_neither_scripts_nor_styles_nor_addresses_of_others(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        pages = [await browser.get("/login"), await browser.get("/nowhere")]
        await browser.log_in()
        pages.append(await browser.get("/"))
        for page in pages:
            assert not FOREIGN.search(page.text)


async def test_each_request_that_is_refused_is_counted_once_and_no_other(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        assert (await browser.get("/")).status == 303  # nobody has logged in yet: no attempt
        assert lobby.refused == []
        await browser.log_in(password="wrong words of ann")
        await browser.get("/../../etc/passwd")
        browser.cookies[f"{OURS}session"] = "x" * 43
        await browser.get("/")
        await browser.post("/act")
        await browser.log_in()
        await browser.post("/act", {"csrf": "x" * 43})
        assert lobby.refused == [
            "console.401",
            "console.404",
            "console.not_signed_in",
            "console.not_signed_in",
            "console.403",
        ]


# ---- forms of others ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", [None, "", "x" * 43, "é"])
async def test_a_form_without_the_session_s_token_does_nothing(tmp_path, token):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        await browser.log_in()
        fields = {} if token is None else {"csrf": token}
        for path in ("/act", "/logout", "/password"):
            assert (await browser.post(path, fields)).status == 403
        assert (await browser.get("/")).status == 200


async def test_another_person_s_token_and_that_of_the_log_in_form_are_worth_nothing(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        browser, other = lobby.browser(), lobby.browser()
        before = (await browser.get("/login")).csrf
        await browser.log_in()
        await other.log_in("bob", "staple of the printer")
        foreign = (await other.get("/")).csrf
        for token in (before, foreign):
            assert (await browser.post("/act", {"csrf": token})).status == 403
        own = (await browser.get("/")).csrf
        assert (await browser.post("/act", {"csrf": own})).text == "ann did it"
        by_header = await browser.ask("DELETE", "/act", X_CSRF_Token=own)
        assert by_header.text == "ann did it"


@pytest.mark.parametrize(
    ("site", "origin", "status"),
    [
        ("same-origin", None, 200),
        ("same-origin", "null", 200),  # so a form goes out under no-referrer
        ("same-origin", "own", 200),
        (None, "own", 200),
        ("same-origin", "https://evil.example", 403),
        ("same-site", "own", 403),
        ("cross-site", None, 403),
        ("none", None, 403),
        (None, None, 403),
        (None, "null", 403),
        (None, "https://evil.example", 403),
        (None, "http-own", 403),
    ],
)
async def test_a_form_is_taken_only_from_a_page_of_this_origin(tmp_path, site, origin, status):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        await browser.log_in()
        csrf = (await browser.get("/")).csrf
        named = {"own": f"https://127.0.0.1:{lobby.port}", "http-own": f"http://127.0.0.1:{lobby.port}"}
        says = {"Sec_Fetch_Site": site, "Origin": named.get(origin, origin)}
        assert (await browser.post("/act", {"csrf": csrf}, **says)).status == status
        fresh = lobby.browser()
        fields = {"csrf": (await fresh.get("/login")).csrf, "name": "ann", "password": ANN}
        assert (await fresh.post("/login", fields, **says)).status == (303 if status == 200 else 403)


async def test_a_log_in_form_needs_the_cookie_that_came_with_it(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        csrf = (await browser.get("/login")).csrf
        fields = {"csrf": csrf, "name": "ann", "password": ANN}
        assert (await lobby.browser().post("/login", fields)).status == 403
        assert (await browser.post("/login", {**fields, "csrf": ""})).status == 403
        assert lobby.hall.noted == []
        assert (await browser.post("/login", fields)).status == 303


async def test_a_number_that_somebody_planted_before_the_log_in_is_not_the_session(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        browser.cookies[f"{OURS}session"] = "planted" * 6
        await browser.log_in()
        assert "planted" not in browser.session
        first = browser.session
        browser.cookies[f"{OURS}session"] = first + "x"
        assert (await browser.get("/")).status == 303


@pytest.mark.parametrize(
    "sent",
    [
        {"Content_Type": "application/json", "body": "{}"},
        {"Content_Type": "text/plain", "body": "csrf=1"},
        {"body": "csrf=1&csrf=2"},
        {"body": "csrf=%ff"},
        {"body": b"csrf=\xff\xfe"},
        {"body": "&".join(f"f{number}=1" for number in range(100))},
        {"body": "no pairs at all"},
    ],
)
async def test_what_is_no_form_is_refused(tmp_path, sent):
    async with open_lobby(tmp_path) as lobby:
        page = await lobby.browser().post("/login", **sent)
        assert page.status == 400
        assert "cannot be understood" in page.text


# ---- paths and headers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        *("/static/../accounts.json", "/static/..%2f..%2faccounts.json", "/static/%2e%2e/app.py", "/static/"),
        *("//evil.example/login", "/static/console.css/", "/login/", "/%00", "/..", "/first-run/../login"),
        *("/static/console.css%00.html", "/templates/login.html", "/%0d%0aLocation:%20/x"),
    ],
)
async def test_a_path_that_is_none_of_ours_is_not_found_and_leads_nowhere(tmp_path, path):
    async with open_lobby(tmp_path) as lobby:
        page = await lobby.browser().get(path)
        assert page.status == 404
        assert page.header("location") == ""


@pytest.mark.parametrize(
    "name", ["ann\r\nSet-Cookie: x=1", "ann\r\n\r\n<script>", "<script>alert(1)</script>", "{{ person }}", "安"]
)
async def test_what_is_typed_comes_back_neither_in_a_header_nor_in_a_page(tmp_path, name):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        page = await browser.log_in(name)
        assert page.status == 401
        assert "x=1" not in str(page.headers)
        assert "<script" not in page.text
        assert not re.search(r"alert\(|person }}|安<", page.text)


async def test_no_answer_leads_to_the_host_that_the_peer_named(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        for path in ("/", "/login/", "/nowhere"):
            page = await lobby.browser().get(path, Host="evil.example", X_Forwarded_Host="evil.example")
            assert "evil" not in page.text + str(page.headers)


async def test_another_address_that_a_header_names_does_not_help_who_has_to_wait(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        for number in range(3):
            browser.says["X-Forwarded-For"] = f"203.0.113.{number}"
            await browser.log_in(password="wrong")
        assert (await browser.log_in()).status == 429


# ---- bounds ---------------------------------------------------------------------------------------------------


def talk(line, *pieces):
    """Send pieces until the other side will not have more, then read to the end of what it says."""
    got = b""
    try:
        for piece in pieces:
            line.sendall(piece)
        while more := line.recv(65_536):
            got += more
    except OSError:
        pass  # it hung up
    finally:
        line.close()
    return got


async def asked_raw(lobby, *pieces):
    line = await trio.to_thread.run_sync(lobby.raw)
    return await trio.to_thread.run_sync(talk, line, *pieces)


FORM_HEAD = (
    b"POST /login HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\n"
)


async def test_a_body_that_says_it_is_too_long_is_refused_unread(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        for length in (b"%d" % (BODY_MAX_BYTES + 1), b"9" * 40):
            got = await asked_raw(lobby, FORM_HEAD + b"Content-Length: " + length + b"\r\n\r\n")
            assert got.startswith(b"HTTP/1.1 4")
        assert (await lobby.browser().log_in()).status == 303


async def test_a_body_that_turns_out_too_long_is_cut_off_and_others_are_served(tmp_path):
    async with open_lobby(tmp_path) as lobby:
        chunk = b"4000\r\n" + b"x" * 0x4000 + b"\r\n"
        got = await asked_raw(lobby, FORM_HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[chunk] * 200)
        assert got == b"" or got.startswith(b"HTTP/1.1 413")
        got = await asked_raw(
            lobby, b"GET /nowhere HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", *[chunk] * 200
        )
        assert got == b"" or got.startswith(b"HTTP/1.1 4")
        assert (await lobby.browser().log_in()).status == 303


async def test_who_sends_headers_or_a_body_drop_by_drop_is_hung_up_on(tmp_path):
    async with open_lobby(tmp_path, request_s=0.5, silent_s=0.5) as lobby:
        assert await asked_raw(lobby) == b""
        assert await asked_raw(lobby, b"GET /login HTTP/1.1\r\nHost: x\r\nX-Slow: ") == b""
        got = await asked_raw(lobby, FORM_HEAD + b"Content-Length: 100\r\n\r\ncsrf=")
        assert got.startswith(b"HTTP/1.1 408")


SOCKET_KEY = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 40_000 + b"\r\n\r\n",
        b"\x16\x03\x01 nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + SOCKET_KEY,
    ],
    ids=["headers", "nonsense", "two lengths", "websocket"],
)
async def test_what_is_no_request_of_ours_ends_its_line_and_no_other(tmp_path, sent):
    async with open_lobby(tmp_path, silent_s=1.0) as lobby:
        got = await asked_raw(lobby, sent)
        assert not re.match(rb"HTTP/1.1 [12]", got)
        assert (await lobby.browser().log_in()).status == 303


async def test_sixty_silent_peers_keep_nobody_out_and_are_gone_then(tmp_path):
    async with open_lobby(tmp_path, silent_s=1.0) as lobby:
        lines = [await trio.to_thread.run_sync(lobby.raw) for _ in range(60)]
        assert (await lobby.browser().log_in()).status == 303
        for line in lines:
            assert await trio.to_thread.run_sync(talk, line) == b""


async def test_neither_secrets_nor_what_was_typed_nor_errors_texts_stand_in_the_log(tmp_path, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    written = watch_logs(monkeypatch, app, bounds, entrance, serving)
    async with open_lobby(tmp_path) as lobby:
        browser = lobby.browser()
        await browser.log_in("my-password-by-mistake", "typed-secret")
        await browser.log_in()
        home = await browser.get("/")
        await browser.post("/act", {"csrf": "wrong-token"})
        await browser.get("/broken")
        with trio.fail_after(60):
            while "page failed" not in written.getvalue():  # the answer goes out before it
                await browser.get("/login")
    said = written.getvalue() + caplog.text
    assert '"kind": "RuntimeError"' in said
    secrets = (ANN, "by-mistake", "typed-secret", browser.session, home.csrf, "wrong-token", "a secret of somebody")
    assert [one for one in secrets if one in said] == []
