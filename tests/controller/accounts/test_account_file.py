"""The file of accounts is for its owner alone, whole at any moment, and never half believed."""

from __future__ import annotations

import os
import stat
import threading

import pytest

from controller.accounts import account_file
from controller.accounts.account import Account, new_account
from controller.accounts.account_file import AccountFile
from controller.accounts.errors import FAULTS, AccountError


@pytest.fixture
def file(tmp_path):
    made = AccountFile(tmp_path)
    made.change(lambda accounts: accounts.update(ann=new_account("$hash-of-ann")))
    return made


def code_of(call, *args):
    with pytest.raises(AccountError) as error:
        call(*args)
    assert "$hash" not in str(error.value)
    return error.value.code


def test_it_is_made_for_its_owner_alone_and_stays_so_when_it_changes(file):
    for _ in range(2):
        assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
        file.change_one("ann", lambda one: one.with_lock(True))
    assert list(file.path.parent.iterdir()) == [file.path]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o620, 0o644])
def test_one_that_others_may_read_or_write_is_refused_also_after_it_was_read(file, mode):
    assert file.read()
    file.path.chmod(mode)
    assert code_of(file.read) == "accounts.mode"
    assert code_of(file.change, lambda accounts: accounts.clear()) == "accounts.mode"
    file.path.chmod(0o600)
    assert list(file.read()) == ["ann"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no json",
        "[]",
        '{"accounts": {"ann": 5}, "format": 1}',
        '{"accounts": {"ann": {"password": "$hash"}}, "format": 1}',
        '{"accounts": {"../ann": {"password": "$hash", "epoch": "e"}}, "format": 1}',
        '{"accounts": {"ann": {"password": "$hash", "epoch": "e", "locked": "no"}}, "format": 1}',
        '{"accounts": {}, "format": 2}',
        '{"accounts": {}, "format": 1, "more": 1}',
        '{"accounts": {}}' + " " * account_file.LONGEST_BYTES,
    ],
)
def test_one_that_is_damaged_is_refused_whole_and_not_written_over(file, text):
    file.path.write_text(text)
    assert code_of(file.read) == "accounts.damaged"
    assert code_of(file.change, lambda accounts: accounts.clear()) == "accounts.damaged"
    assert file.path.read_text() == text


def test_neither_a_link_nor_a_pipe_nor_a_folder_is_read_in_its_place(tmp_path, file):
    kept = file.path.rename(tmp_path / "kept")
    file.path.symlink_to(kept)
    assert code_of(file.read) == "accounts.io"
    file.path.unlink()
    os.mkfifo(file.path, 0o600)
    assert code_of(file.read) == "accounts.damaged"
    file.path.unlink()
    file.path.mkdir(0o700)
    assert code_of(file.read) in ("accounts.io", "accounts.damaged")


def test_what_another_process_changed_is_seen_at_once(file):
    beside = AccountFile(file.path.parent)
    assert not file.read()["ann"].locked
    beside.change_one("ann", lambda one: one.with_lock(True))
    assert file.read()["ann"].locked
    beside.path.unlink()
    assert file.read() == {}


def test_many_who_change_it_at_once_lose_nothing(tmp_path, file):
    def add(number):
        AccountFile(tmp_path).change(lambda accounts: accounts.update({f"p{number}": new_account("$h")}))

    threads = [threading.Thread(target=add, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(file.read()) == {"ann", *(f"p{number}" for number in range(24))}


def test_a_change_that_is_refused_leaves_the_file_as_it_was(file, monkeypatch):
    before = file.path.read_bytes()
    assert code_of(file.change_one, "bob", lambda one: one.with_lock(True)) == "accounts.unknown"
    monkeypatch.setattr(account_file, "ACCOUNTS_MAX", 3)
    many = {f"p{number}": new_account("$h") for number in range(4)}
    assert code_of(file.change, lambda accounts: accounts.update(many)) == "accounts.too_many"
    assert file.path.read_bytes() == before


def test_no_account_shows_its_secrets_when_it_is_printed():
    shown = repr(Account("$hash-of-ann", "epoch", totp="SECRETSECRET")) + repr({"ann": Account("$hash", "e")})
    assert "$hash" not in shown
    assert "SECRET" not in shown


def test_every_fault_has_a_sentence_that_says_what_to_do():
    assert all(code.startswith("accounts.") and sentence for code, sentence in FAULTS.items())
    assert "chmod 600" in AccountError("accounts.mode", "x").sentence
