"""The real service with a console: the first account, a lock from the command line, a restart, and the audit."""

from __future__ import annotations

import json
import ssl
from urllib.parse import urlencode

import pytest

from tests.controller.accounts.hall import ANN
from tests.controller.console.lobby import Browser, make_certificate
from tests.whole.centre import Centre, free_port, run_cli

pytestmark = pytest.mark.whole


@pytest.fixture
def centre(tmp_path):
    certificate, key = make_certificate(tmp_path)
    port = free_port()
    extra = f'[console]\nlisten = "127.0.0.1:{port}"\ncertificate = "{certificate}"\nkey = "{key}"\n'
    made = Centre(tmp_path, extra=extra)
    made.secret("operator", "ann")
    made.browser = Browser(port, ssl.create_default_context(cafile=str(certificate)))
    made.key = key
    yield made
    made.close()


def ask(browser, path, **fields):
    """Load a page and, with fields, send its form."""
    page = browser._ask("GET", path, None, {})
    if not fields:
        return page
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    return browser._ask("POST", path, urlencode({"csrf": page.csrf, **fields}), form)


def moves_of(centre):
    """What the audit says of accounts: what, of whom, by whom, how often."""
    code, said, errors = run_cli("audit", "show", "--config", str(centre.config), "--json", "-")
    assert code == 0, errors
    moves = [(one["move"], one["people"]) for one in json.loads(said) if one["tag"] == "account"]
    assert all(people == ([move["by"]] if move["by"] else []) for move, people in moves)
    return sorted((move["what"], move["account"], move["by"], move["times"]) for move, _ in moves)


def test_the_first_account_is_made_with_the_code_in_the_file_and_ends_by_the_administrator_s_word(centre):
    centre.start()
    path = centre.data / "first-run.code"
    code = path.read_text().strip()
    made = ask(centre.browser, "/first-run", code=code, name="ann", password=ANN, again=ANN)
    assert (made.status, made.header("location")) == (303, "/")
    assert not path.exists()
    assert "operator" in ask(centre.browser, "/account").text
    assert "cardmill" in centre.metrics_page(), "metrics are read without TLS as before"
    assert run_cli("accounts", "lock", "ann", "--as", "carl", "--config", str(centre.config))[0] == 0
    assert ask(centre.browser, "/").status == 303
    assert ask(centre.browser, "/login", name="ann", password=ANN).status == 401
    assert run_cli("accounts", "unlock", "ann", "--as", "carl", "--config", str(centre.config))[0] == 0
    assert ask(centre.browser, "/login", name="ann", password=ANN).status == 303
    session = centre.browser.session
    assert ask(centre.browser, "/account").status == 200
    assert centre.stop() == 0
    centre.start()
    assert ask(centre.browser, "/").status == 303, "a restart ends sessions"
    assert ask(centre.browser, "/login", name="ann", password=ANN).status == 303, "and keeps accounts"
    centre.browser.cookies.clear()
    assert ask(centre.browser, "/login", name="nobody-at-all", password="not-a-password").status == 401
    assert centre.stop() == 0
    assert moves_of(centre) == [
        ("locked", "ann", "carl", 1),
        *[("logged_in", "ann", "ann", 1)] * 2,
        ("login_failed", "", "", 1),
        ("login_failed", "ann", "", 1),
        ("made", "ann", "", 1),
        ("unlocked", "ann", "carl", 1),
    ]
    log = centre.log.read_text("utf-8")
    assert [secret for secret in (code, ANN, session, "nobody-at-all", "not-a-password") if secret in log] == []


def test_a_service_whose_accounts_or_key_others_may_read_does_not_start_and_says_why(centre):
    centre.start()
    ask(centre.browser, "/login")
    assert centre.stop() == 0
    accounts = centre.data / "accounts.json"
    for path in (accounts, centre.key):
        path.touch(0o600)
        path.chmod(0o644)
        code, _, errors = run_cli("serve", "--config", str(centre.config))
        assert code == 2
        assert "chmod 600" in errors
        assert path.name in errors
        assert "Traceback" not in errors
        accounts.unlink(missing_ok=True)
