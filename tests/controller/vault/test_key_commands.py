"""`cardmill keys master`, `backup`, `restore`, `purge`: what they say and refuse, and that the ledger hears of it."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from controller import cli
from controller.commandline import vault_keys
from controller.config import ConfigError
from controller.core.record_moves import VaultKeysChanged
from controller.ledger.errors import LedgerInUse
from controller.ledger.lock import lock_folder
from controller.upkeep.purging import record_key_acts
from controller.vault.errors import BackupExpired, BackupUnusable, CannotWrite, KeyMissing, NotAtHand, ShareUnusable
from controller.vault.key_files import open_key_files
from controller.vault.store import open_vault
from devices.keys import KeyFileError
from tests.controller.purge_centre import DAYS, make_all, purged
from tests.controller.returning import centre
from tests.whole.centre import run_cli


def ask(*args, folder, by="ann"):
    """Run a command on a folder and give what it prints; what it raises is raised."""
    who = ("--as", by) if by else ()
    done = CliRunner().invoke(cli.app, ["keys", *map(str, args), *who, "--data", str(folder)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout


def acts(folder):
    return sorted(json.loads(path.read_text())["what"] for path in (folder / "key_acts").glob("*.json"))


@pytest.fixture
async def vault(tmp_path):
    """A data folder with a vault of one batch, beside which no service runs."""
    folder = tmp_path / "data"
    async with open_vault(folder) as opened:
        await opened.store_applications(1, [(0, b"one")])
    return folder


async def readable(folder):
    async with open_vault(folder) as opened:
        return opened.application(1, 0) == b"one"


async def test_a_rotation_says_what_must_be_made_anew_and_the_vault_reads_on(vault):
    said = ask("master", "rotate", folder=vault)
    assert "keys master export" in said
    assert "keys backup" in said
    assert await readable(vault)
    assert acts(vault) == ["rotated"]


async def test_shares_bring_a_lost_master_key_back(vault, tmp_path):
    said = ask("master", "export", "--shares", "2of3", "--out", tmp_path / "shares", folder=vault)
    files = sorted((tmp_path / "shares").iterdir())
    assert len(files) == 3
    assert all(str(path) in said.replace("\n", "") for path in files)
    key = open_key_files(vault, may_create=False).master
    (vault / "master.key").unlink()
    with pytest.raises(KeyMissing):
        await readable(vault)
    with pytest.raises(ShareUnusable, match="2 different shares are needed"):
        ask("master", "restore", files[0], folder=vault)
    assert ask("master", "restore", files[2], files[0], folder=vault).startswith("restored: the master key ")
    assert open_key_files(vault, may_create=False).master == key
    assert "it is there already" in ask("master", "restore", *files, folder=vault)
    assert await readable(vault)
    assert acts(vault) == ["exported", "restored"]


@pytest.mark.parametrize("shares", ["1of3", "3of2", "2of10", "two"])
async def test_shares_that_cannot_be_are_refused_before_anything_is_written(vault, tmp_path, shares):
    with pytest.raises(ShareUnusable):
        ask("master", "export", "--shares", shares, "--out", tmp_path / "shares", folder=vault)
    assert not (tmp_path / "shares").exists()
    assert not (vault / "key_acts").exists()


@pytest.mark.parametrize(
    "args",
    [("master", "rotate"), ("master", "export", "--out", "nowhere"), ("restore", __file__)],
    ids=["rotate", "export", "restore"],
)
async def test_beside_a_running_service_they_are_refused_with_a_sentence(vault, args):
    names = ("master.key", "site.key", "vault.keys")
    before = [(vault / name).read_bytes() for name in names]
    with lock_folder(vault), pytest.raises(LedgerInUse, match=r"already works in the folder .* stop it first, then"):
        ask(*args, folder=vault)
    assert [(vault / name).read_bytes() for name in names] == before
    assert not (vault / "key_acts").exists()


async def test_a_backup_is_taken_while_a_service_runs_and_never_over_another_file(vault, tmp_path):
    async with open_vault(vault):
        said = ask("backup", tmp_path / "keys.backup", folder=vault)
    assert "with 1 key, to be used until " in said.replace("\n", " ")
    noted = acts(vault)
    with pytest.raises(CannotWrite, match=r"keys\.backup is there already.*name a new one"):
        ask("backup", tmp_path / "keys.backup", folder=vault)
    for file in (vault / "vault.keys", vault / "keys.backup"):
        with pytest.raises(CannotWrite, match="would be lost with it"):
            ask("backup", file, folder=vault)
    with pytest.raises(CannotWrite, match="cannot be written"):
        ask("backup", tmp_path / "nowhere" / "keys.backup", folder=vault)
    assert acts(vault)[: len(noted)] == noted
    assert await readable(vault)


async def test_without_a_vault_no_backup_is_taken_and_nothing_is_said_to_be_gone(tmp_path):
    with pytest.raises(NotAtHand, match="there is no vault in"):
        ask("backup", tmp_path / "keys.backup", folder=tmp_path / "data")
    assert list(tmp_path.iterdir()) == []


async def test_no_share_is_written_into_the_folder_whose_keys_it_opens(vault, tmp_path):
    before = sorted(path.name for path in vault.rglob("*"))
    (tmp_path / "link").symlink_to(vault)
    for out in (vault, vault / "shares", vault / "deep" / "er", tmp_path / "link" / "shares"):
        for words in (("master", "export"), ("export",)):
            with pytest.raises(CannotWrite, match="lies in the data folder"):
                ask(*words, "--out", out, folder=vault)
    assert sorted(path.name for path in vault.rglob("*")) == before


async def test_keys_export_is_the_plain_name_of_keys_master_export(vault, tmp_path):
    ask("export", "--shares", "2of3", "--out", tmp_path / "shares", folder=vault)
    assert len(list((tmp_path / "shares").glob("master-*.share"))) == 3
    assert acts(vault) == ["exported"]


async def test_shares_of_two_exports_do_not_mingle_in_one_folder(vault, tmp_path):
    ask("master", "export", "--out", tmp_path / "shares", folder=vault)
    before = {path: path.read_bytes() for path in (tmp_path / "shares").iterdir()}
    for shares in ("2of3", "3of5"):
        with pytest.raises(CannotWrite, match=r"shares holds shares already .* choose another folder"):
            ask("master", "export", "--shares", shares, "--out", tmp_path / "shares", folder=vault)
    assert {path: path.read_bytes() for path in (tmp_path / "shares").iterdir()} == before
    assert acts(vault) == ["exported"]


async def test_what_is_no_backup_of_keys_is_said_to_be_none_whatever_its_mode(vault, tmp_path):
    (tmp_path / "config.toml").write_text("[service]\n")
    (tmp_path / "config.toml").chmod(0o644)
    with pytest.raises(BackupUnusable, match=r"config\.toml is no backup of keys"):
        ask("restore", tmp_path / "config.toml", folder=vault)


async def test_a_name_that_no_operator_has_is_warned_of_when_it_is_done(vault):
    code, _, errors = run_cli("keys", "master", "rotate", "--as", "nobody", "--data", str(vault))
    assert (code, errors.count("\n")) == (0, 1)
    assert "no key of the role operator is allowed for nobody" in errors
    run_cli("keys", "new", "ann", "--role", "operator", "--data", str(vault))
    assert run_cli("keys", "master", "rotate", "--as", "ann", "--data", str(vault))[2] == ""


async def test_who_acts_must_say_a_name_that_a_key_may_have_and_name_a_folder_with_a_vault(vault, tmp_path):
    with pytest.raises(ConfigError, match="--as NAME"):
        ask("master", "rotate", folder=vault, by="")
    with pytest.raises(KeyFileError):
        ask("master", "rotate", folder=vault, by="../ann")
    with pytest.raises(NotAtHand, match="no vault"):
        ask("master", "rotate", folder=tmp_path / "elsewhere")
    assert not (tmp_path / "elsewhere").exists()


async def test_lost_keys_come_back_out_of_a_backup_but_never_those_of_a_purged_batch(tmp_path, monkeypatch):
    folder, file = tmp_path / "data", tmp_path / "keys.backup"
    async with centre(folder) as made:
        mixed, refused, fresh = await make_all(made)
        clock = made.clock
        monkeypatch.setattr(vault_keys, "read_clock", lambda *_: clock)
        ask("backup", file, folder=folder)
        await purged(made)
    (folder / "vault.keys").unlink()
    (folder / "vault.purged").unlink()
    said = ask("restore", file, folder=folder)
    assert "restored: 1 key; 0 were there; 2 of old batches are not taken" in said
    assert open_key_files(folder, may_create=False).ring.batches() == [fresh]
    assert all(open_key_files(folder, may_create=False).ring.tombs.has_batch(one) for one in (mixed, refused))
    clock.epoch_floor_s += DAYS * 86_400.0
    with pytest.raises(BackupExpired):
        ask("restore", file, folder=folder)
    async with centre(folder) as made:
        await record_key_acts(folder, made.host.post)
        heard = [move for _, move in made.ledger.replay() if isinstance(move, VaultKeysChanged)]
    assert sorted((one.what, one.by) for one in heard) == [("backed_up", "ann"), ("restored", "ann")]


async def test_without_the_ledger_no_keys_are_restored_for_it_alone_says_what_is_over(vault, tmp_path):
    ask("backup", tmp_path / "keys.backup", folder=vault)
    with pytest.raises(NotAtHand, match=r"ledger\.db is not in"):
        ask("restore", tmp_path / "keys.backup", folder=vault)


async def test_an_error_of_the_vault_is_one_sentence_and_exit_code_2(vault, tmp_path):
    (vault / "master.key").unlink()
    code, out, errors = run_cli("keys", "master", "rotate", "--as", "ann", "--data", str(vault))
    assert (code, out) == (2, "")
    assert errors.startswith("cardmill: vault.key_missing: master.key is gone")
    assert errors.count("\n") == 1


# ---- the purge --------------------------------------------------------------------------------------------------


def purge(monkeypatch, *args, batches=3):
    """Run `cardmill purge` against a service of which only the answers are there; give output and what was asked."""
    asked = []
    shown = {"days": 180, "retention_days": 180, "closed_before_floor_s": 1.7e9, "batches": batches}
    shown["applications"] = 600

    def answer(verb, wanted, *rest):
        asked.append((verb, wanted))
        return shown | wanted if verb == "purge_preview" else {"act_id": 7}

    monkeypatch.setattr(vault_keys, "ask", answer)
    done = CliRunner().invoke(cli.app, ["purge", *args, "--as", "ann"])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.output, asked


def test_a_purge_only_looks_until_it_is_told_to_propose(monkeypatch):
    said, asked = purge(monkeypatch, "--days", "200")
    assert asked == [("purge_preview", {"days": 200})]
    assert "600" in said
    assert "nothing is destroyed" in said


def test_a_purge_proposes_just_what_it_showed(monkeypatch):
    said, asked = purge(monkeypatch, "--propose")
    assert asked == [("purge_preview", {}), ("act", {"verb": "purge", "args": {"days": 180}})]
    assert "cardmill second 7" in said


def test_a_purge_as_json_is_all_and_only_the_answer(monkeypatch):
    said, _ = purge(monkeypatch, "--json", "-")
    assert json.loads(said)["batches"] == 3


@pytest.mark.parametrize("days", ["0", "-5", "179", "36501", "100000"])
def test_days_out_of_range_are_refused_with_the_range_before_anything_is_proposed(monkeypatch, days):
    with pytest.raises(ConfigError, match=r"--days is a whole number from .* to 36,500.*vault\.retention_days"):
        purge(monkeypatch, "--propose", f"--days={days}")


def test_a_purge_of_nothing_is_not_proposed(monkeypatch):
    with pytest.raises(ConfigError, match="closed more than 180 days ago: nothing to propose"):
        purge(monkeypatch, "--propose", batches=0)
    assert "nothing is destroyed" in purge(monkeypatch, batches=0)[0]
