"""What happens to accounts stands in the audit: all of it, in few rows, and no word that may be a password."""

from __future__ import annotations

import json

import pytest
import trio
from typer.testing import CliRunner

from controller import cli
from controller.accounts.account_file import AccountFile
from controller.accounts.errors import AccountError
from controller.accounts.noted_acts import AccountAct, note_act, noted_acts
from controller.accounts.recording import Recorder
from controller.core.events import AccountTouched
from controller.core.record_moves import AccountChanged
from controller.minutes import Minutes
from devices.keys import KeyFileError
from tests.controller.returning import centre

FAILED = AccountAct("login_failed", "ann", "")
TYPED = "correct horse battery"


class Posted(list):
    """A host that keeps what is posted; all of it is durable at once."""

    def post(self, event):
        self.append(event)
        return self

    async def wait(self):
        await trio.lowlevel.checkpoint()


def test_the_first_of_a_kind_is_told_at_once_and_the_others_once_a_minute():
    minutes = Minutes()
    assert [minutes.add(FAILED, second) for second in range(60)] == [1] + [0] * 59
    assert list(minutes.due(59.0)) == []
    assert minutes.add(FAILED, 60.0) == 60
    assert [minutes.add(FAILED, 61.0) for _ in range(7)] == [0] * 7
    assert list(minutes.due(120.0)) == [(FAILED, 7)]
    assert list(minutes.due(180.0)) == []
    assert minutes._rows == {}
    assert minutes.add(FAILED, 181.0) == 1


@pytest.mark.parametrize("seconds", [600])
def test_a_flood_is_at_most_one_row_a_minute_and_none_is_lost(seconds):
    minutes, told = Minutes(), []
    for tenth in range(seconds * 10):
        now_s = tenth / 10
        told += [times] if (times := minutes.add(FAILED, now_s)) else []
        if tenth % 100 == 0:
            told += [times for _, times in minutes.due(now_s)]
    told += [times for _, times in minutes.due(seconds + 60.0)]
    assert sum(told) == seconds * 10
    assert len(told) <= seconds / 60 + 1


async def test_the_service_posts_what_waited_when_its_minute_is_over(tmp_path, mock_clock):
    posted = Posted()
    recorder = Recorder(tmp_path, posted.post)
    for _ in range(5):
        recorder.note("login_failed", "ann", "")
    recorder.note("logged_in", "ann", "ann")
    assert posted == [AccountTouched("login_failed", "ann", "", 1), AccountTouched("logged_in", "ann", "ann", 1)]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(recorder.run)
        for _ in range(10_000):
            if posted[2:]:
                break
            mock_clock.jump(1.0)
            await trio.to_thread.run_sync(int)  # threads of the recorder get their turn too
        nursery.cancel_scope.cancel()
    assert posted[2:] == [AccountTouched("login_failed", "ann", "", 4)]


async def test_what_the_administrator_did_beside_the_service_comes_into_the_ledger(tmp_path):
    folder = tmp_path / "noted"
    folder.mkdir()
    for what in ("made", "locked", "locked", "unlocked"):
        note_act(folder, AccountAct(what, "ann", "carl"))
    for name, text in (("torn", "{"), ("odd", '{"what": "made", "account": "../x", "by": ""}'), ("list", "[]")):
        (folder / "account_acts" / f"{name}.json").write_text(text)
    async with centre(tmp_path / "data") as made:
        await Recorder(folder, made.host.post).record_noted()
        rows = [move for _, move in made.ledger.replay() if isinstance(move, AccountChanged)]
    assert sorted((row.what, row.account, row.by, row.times) for row in rows) == [
        ("locked", "ann", "carl", 2),
        ("made", "ann", "carl", 1),
        ("unlocked", "ann", "carl", 1),
    ]
    assert sorted(path.name for path in (folder / "account_acts").iterdir()) == ["list.json", "odd.json", "torn.json"]


# ---- the commands ---------------------------------------------------------------------------------------------


def ask(*args, folder, typed="", by="carl"):
    """Run a command on a folder and give what it prints; what it raises is raised."""
    who = ("--as", by) if by else ()
    done = CliRunner().invoke(cli.app, ["accounts", *args, *who, "--data", str(folder)], input=typed)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output


def acts(folder):
    return sorted(act for _, act in noted_acts(folder))


def test_the_administrator_makes_locks_and_changes_accounts_and_each_is_noted(tmp_path):
    twice = f"{TYPED}\n{TYPED}\n"
    assert "made: ann" in ask("add", "ann", folder=tmp_path, typed=twice)
    first = AccountFile(tmp_path).read()["ann"]
    assert first.password.startswith("$argon2id$")
    for args, typed in ((("lock", "ann"), ""), (("unlock", "ann"), ""), (("passwd", "ann"), twice)):
        ask(*args, folder=tmp_path, typed=typed)
    shown = ask("totp", "ann", folder=tmp_path)
    account = AccountFile(tmp_path).read()["ann"]
    assert shown.count(account.totp) == 2
    assert account.epoch != first.epoch
    assert account.password != first.password
    done = CliRunner().invoke(cli.app, ["accounts", "list", "--data", str(tmp_path), "--json", "-"])
    assert json.loads(done.stdout) == [{"name": "ann", "locked": "no", "second_factor": "yes"}]
    ask("totp", "ann", "--off", folder=tmp_path)
    assert [what for what, _, _ in acts(tmp_path)] == [
        *("locked", "made", "password_changed", "totp_off", "totp_on", "unlocked")
    ]
    kept = "".join(path.read_text() for path in (tmp_path / "account_acts").iterdir())
    assert account.totp not in kept
    assert TYPED not in kept
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "account_acts").iterdir())


@pytest.mark.parametrize("args", [("lock", "eve"), ("unlock", "eve"), ("passwd", "eve"), ("totp", "eve")])
def test_an_account_that_is_none_is_told_and_nothing_noted(tmp_path, args):
    with pytest.raises(AccountError, match=r"accounts\.unknown"):
        ask(*args, folder=tmp_path)
    assert acts(tmp_path) == []


def test_one_person_has_one_account_and_names_and_passwords_are_looked_at_first(tmp_path):
    twice = f"{TYPED}\n{TYPED}\n"
    ask("add", "ann", folder=tmp_path, typed=twice)
    for name, typed, code in (
        ("ann", twice, "accounts.exists"),
        ("../ann", twice, "accounts.bad_name"),
        ("bob", "short\nshort\n", "accounts.password"),
    ):
        with pytest.raises(AccountError) as error:
            ask("add", name, folder=tmp_path, typed=typed)
        assert error.value.code == code
    with pytest.raises(KeyFileError):
        ask("lock", "ann", folder=tmp_path, by="Carl the Great")
    assert list(AccountFile(tmp_path).read()) == ["ann"]
    assert len(acts(tmp_path)) == 1


def test_who_does_not_say_who_they_are_is_warned(tmp_path):
    ask("add", "ann", folder=tmp_path, typed=f"{TYPED}\n{TYPED}\n")
    assert "--as NAME" in ask("lock", "ann", folder=tmp_path, by="")
    assert ("locked", "ann", "") in acts(tmp_path)
