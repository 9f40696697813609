"""The doctor: names what is wrong and what to do, for each thing it looks at, and never writes a byte."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
import trio
from typer.testing import CliRunner

from controller.backup.restore import restore_backup
from controller.backup.take import Source, take_backup
from controller.cli import app
from controller.config import ClockConfig, Config, MetricsConfig, ServiceConfig, SocketConfig, StorageConfig
from controller.doctor import databases
from controller.doctor.doctor import examine, is_well
from controller.doctor.finding import Verdict
from controller.doctor.folder import running_pid
from controller.evidence.signing import SECRET_NAME, open_signer
from controller.ledger.lock import lock_folder
from controller.ledger.store import open_ledger
from controller.upkeep.disk import RESERVE_NAME
from controller.vault.key_files import rotate_master
from devices.key_files import new_pair
from devices.key_ring import KeyRing
from devices.peers import ADMINISTRATOR, OPERATOR
from tests.controller.copied import NATURE, fill
from tests.whole.centre import free_port

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def config():
    doors = {name: f"tcp://127.0.0.1:{free_port()}" for name in ("upstreams", "stations", "operators")}
    return Config(
        service=ServiceConfig(centre="test"),
        sockets=SocketConfig(**doors),
        metrics=MetricsConfig(listen=f"127.0.0.1:{free_port()}"),
        storage=StorageConfig(free_min_mib=1, reserve_mib=0),
        clock=ClockConfig(simulated=True, scale=2.0),
    )


@pytest.fixture
def folder(tmp_path):
    """A data folder as a service leaves it."""
    made = tmp_path / "data"
    made.mkdir(mode=0o700)
    trio.run(partial(fill, made, events=40, rows=3))
    (made / "clock.json").write_text(json.dumps({"epoch_floor_s": 1e9, "anchor_wall_s": time.time(), "scale": 2.0}))
    ring = KeyRing(made / "keys")
    ring.ensure_server_keys()
    for name in ("ann", "bob"):
        ring.allow(OPERATOR, name, new_pair(tmp_path / "peers", name).public, [ADMINISTRATOR])
    return made


def found(config, folder, backups=None):
    """Give what is not right, as `about: text`."""
    return [f"{one.about}: {one.text}" for one in examine(config, folder, backups) if one.verdict is not Verdict.OK]


def digests(folder):
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_sound_folder_has_nothing_wrong_and_is_left_as_it_was(config, folder):
    take_backup(Source(folder), folder.parent / "kept")
    before = digests(folder)
    findings = examine(config, folder, folder.parent / "kept")
    assert [one for one in findings if one.verdict is Verdict.WRONG] == []
    assert is_well(findings)
    assert {"ledger", "vault", "disk", "vault keys", "door keys", "clock", "backups", "fonts"} <= {
        one.about for one in findings
    }
    assert digests(folder) == before


def test_a_folder_that_is_not_there_is_said_to_be_so(config, tmp_path):
    assert any("is not there" in line for line in found(config, tmp_path / "none"))
    assert not (tmp_path / "none").exists()


async def test_beside_a_running_writer_it_says_who_runs_and_changes_nothing(config, folder):
    async with open_ledger(folder, nature=NATURE):
        before = digests(folder)
        texts = [one.text for one in examine(config, folder)]
        assert any(f"process {os.getpid()} works in it" in text for text in texts)
        assert digests(folder) == before
        ports = [one for one in examine(config, folder) if one.about.startswith("port of")]
        assert {one.verdict for one in ports} == {Verdict.WRONG}, "it runs, and no door answers"
    assert running_pid(folder) is None


def test_after_a_kill_the_log_is_read_and_left_as_it_is(config, folder):
    command = [sys.executable, "-m", "tests.controller.ledger.appender", str(folder), "7", "singly"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        line = [process.stdout.readline() for _ in range(1)]
        process.send_signal(signal.SIGKILL)
    assert line
    assert (folder / "ledger.db-wal").stat().st_size
    before = digests(folder)
    assert [one for one in examine(config, folder) if one.about == "ledger" and one.verdict is not Verdict.OK] == []
    assert digests(folder) == before


def test_the_lock_is_looked_at_without_being_taken(folder, tmp_path):
    with lock_folder(folder):
        assert running_pid(folder) == os.getpid()
    assert running_pid(folder) is None
    assert running_pid(tmp_path / "none") is None
    assert running_pid(folder, tmp_path / "no-such-file") is None


def break_master_mode(folder):
    (folder / "master.key").chmod(0o644)


def lose_site_key(folder):
    (folder / "site.key").unlink()


def other_master(folder):
    (folder / "master.key").write_text("5" * 64 + "\n")


def lose_batch_key(folder):
    lines = (folder / "vault.keys").read_bytes().splitlines(keepends=True)
    (folder / "vault.keys").write_bytes(lines[0])


def break_chain(folder):
    with closing(sqlite3.connect(folder / "ledger.db")) as ledger, ledger:
        ledger.execute("DROP TRIGGER move_no_update")
        ledger.execute("UPDATE move SET body = x'90' WHERE seq = (SELECT max(seq) FROM move)")


def miscount_receipts(folder):
    with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as ledger:
        ledger.execute("UPDATE receipt_count SET count = count + 1")


def newer_schema(folder):
    with closing(sqlite3.connect(folder / "vault.db")) as vault, vault:
        vault.execute("UPDATE meta SET value = '99' WHERE key = 'schema'")


def no_database(folder):
    (folder / "ledger.db").write_bytes(b"not a database at all" * 100)


def lose_clock(folder):
    (folder / "clock.json").unlink()


def cut_clock(folder):
    (folder / "clock.json").write_text("{")


def clock_back(folder):
    (folder / "clock.json").write_text(json.dumps({"epoch_floor_s": 1.0, "anchor_wall_s": time.time(), "scale": 2.0}))


def open_folder(folder):
    folder.chmod(0o755)
    (folder / "ledger.db").chmod(0o644)


def leave_one_administrator(folder):
    KeyRing(folder / "keys").give_roles(OPERATOR, "bob", ["auditor"])


def leave_no_administrator(folder):
    leave_one_administrator(folder)
    KeyRing(folder / "keys").revoke(OPERATOR, "ann")


def lose_server_key(folder):
    (folder / "keys" / "server.secret").unlink()


def lose_server_pair(folder):
    lose_server_key(folder)
    (folder / "keys" / "server.public").unlink()


def lose_master_key(folder):
    (folder / "master.key").unlink()


def lose_two_keys(folder):
    lose_master_key(folder)
    lose_site_key(folder)


def lose_database(name):
    def lose(folder):
        for path in folder.glob(f"{name}*"):
            path.unlink()

    return lose


def lose_vault_and_its_keys(folder):
    lose_database("vault.db")(folder)
    (folder / "vault.keys").unlink()


def begin_ledger_anew(folder):
    async def begin():
        async with open_ledger(folder, nature=NATURE):
            pass

    lose_database("ledger.db")(folder)
    trio.run(begin)


def share_server_key(folder):
    (folder / "keys" / "server.secret").chmod(0o644)


def share_receipt_key(folder):
    open_signer(folder / "keys", "cardmill")
    (folder / "keys" / SECRET_NAME).chmod(0o640)


def lose_receipt_key(folder):
    open_signer(folder / "keys", "cardmill")
    (folder / "keys" / SECRET_NAME).unlink()


def lose_receipt_pair(folder):
    assert not (folder / "keys" / SECRET_NAME).exists()


def spend_reserve(folder):
    (folder / RESERVE_NAME).write_bytes(b"")


@pytest.mark.parametrize(
    ("break_it", "about", "says"),
    [
        (break_master_mode, "vault keys", "chmod 600"),
        (
            lose_site_key,
            "vault keys",
            "nobody can read the vault: bring site.key back with `cardmill keys restore FILE`",
        ),
        (lose_master_key, "vault keys", "put the master key back with `cardmill keys master restore SHARE SHARE`"),
        (lose_two_keys, "vault keys", "master.key and site.key are gone, and without them"),
        (lose_database("ledger.db"), "ledger", "ledger.db is gone, and vault.db beside it is still there: put it back"),
        (lose_database("vault.db"), "vault", "vault.db is gone, and vault.keys beside it is still there: put it back"),
        (lose_vault_and_its_keys, "vault", "vault.db is gone, and a ledger with moves beside it is still there"),
        (begin_ledger_anew, "ledger", "it is a new or an older one; put the right one back"),
        (other_master, "vault keys", "another master key"),
        (lose_batch_key, "vault keys", "lacks the keys of 1 batch,"),
        (break_chain, "ledger", "chain is broken"),
        (miscount_receipts, "ledger", "its counts of receipts do not add up"),
        (newer_schema, "vault", "start the newer program"),
        (no_database, "ledger", "restore a backup"),
        (lose_clock, "clock", "clock.json is gone"),
        (cut_clock, "clock", "cannot be used"),
        (clock_back, "clock", "behind the ledger's last move: it is an older one"),
        (open_folder, "data folder", "may be read by others"),
        (lose_server_pair, "door keys", "no key pair"),
        (leave_no_administrator, "door keys", "nobody is administrator"),
        (leave_one_administrator, "door keys", "one person only is administrator"),
        (lose_server_key, "door keys", "restore it from the backup; or remove the public half too"),
        (share_server_key, "door keys", "chmod 600"),
        (share_receipt_key, "receipt keys", "chmod 600"),
        (lose_receipt_key, "receipt keys", "or make another key with `cardmill receipts rotate`"),
        (lose_receipt_pair, "receipt keys", "no key signs receipts: the first start makes one"),
        (spend_reserve, "disk", "free space now"),
    ],
)
def test_each_fault_is_named_with_what_to_do(config, folder, break_it, about, says):
    storage = StorageConfig(free_min_mib=1, reserve_mib=1)
    break_it(folder)
    lines = found(dataclasses.replace(config, storage=storage), folder)
    assert any(line.startswith(f"{about}: ") and says in line for line in lines), lines


def test_a_master_key_that_was_rotated_still_opens_everything(config, folder):
    rotate_master(folder)
    assert not any(line.startswith("vault keys") for line in found(config, folder))


def test_settings_that_do_not_fit_the_ledger_are_named(config, folder):
    real = dataclasses.replace(config, clock=ClockConfig())
    assert any("simulated = true, the settings say false" in line for line in found(real, folder))
    full = dataclasses.replace(config, storage=StorageConfig(free_min_mib=1_048_576, reserve_mib=0))
    assert any(line.startswith("disk: ") and "no batch is taken in below" in line for line in found(full, folder))


def test_plain_sockets_are_named(config, folder):
    assert not any("INSECURE" in line for line in found(config, folder))
    plain = dataclasses.replace(config, sockets=dataclasses.replace(config.sockets, insecure=True))
    assert any("INSECURE" in line for line in found(plain, folder))


def test_a_port_that_somebody_else_holds_is_named(config, folder):
    with socket.socket() as other:
        other.bind(("127.0.0.1", int(config.sockets.stations.rpartition(":")[2])))
        other.listen()
        lines = found(config, folder)
    assert any(line.startswith("port of stations: ") and "end what holds it" in line for line in lines)
    assert sum(line.startswith("port of") for line in lines) == 1


def test_a_log_that_a_reader_keeps_from_being_begun_anew_is_named(config, folder, monkeypatch):
    monkeypatch.setattr(databases, "WAL_WARN_BYTES", 10_000)
    with closing(sqlite3.connect(folder / "ledger.db", isolation_level=None)) as writer:
        writer.execute("PRAGMA wal_autocheckpoint = 0")
        writer.execute("CREATE TABLE more (x)")
        writer.execute("INSERT INTO more VALUES (randomblob(50000))")
        assert any("write-ahead log has" in line for line in found(config, folder))


def test_backups_are_missing_old_or_fresh(config, folder, tmp_path):
    assert any("no folder of backups" in line for line in found(config, folder))
    assert any("holds no whole backup of test" in line for line in found(config, folder, tmp_path / "kept"))
    path, _ = take_backup(Source(folder), tmp_path / "kept")
    assert not any(line.startswith("backups") for line in found(config, folder, tmp_path / "kept"))
    manifest = json.loads((path / "backup.json").read_text())
    (path / "backup.json").write_text(json.dumps(manifest | {"taken_at": "2026-01-02T03:04:05+00:00"}))
    assert any("every day" in line for line in found(config, folder, tmp_path / "kept"))


def test_a_restored_folder_is_told_apart_from_one_that_was_never_restored(config, folder, tmp_path):
    path, _ = take_backup(Source(folder), tmp_path / "kept")
    restore_backup(path, tmp_path / "new")
    lines = found(config, tmp_path / "new")
    said = [one for one in examine(config, tmp_path / "new") if "restored from a backup" in one.text]
    assert [one.verdict for one in said] == [Verdict.WRONG]
    assert "start it with `cardmill serve --accept-restored`" in said[0].text
    assert any(line.startswith("vault keys: master.key, site.key and vault.keys are gone") for line in lines)
    assert any("copy in a backup" in line for line in found(config, path))


async def test_a_postgresql_server_is_looked_at_too(config, tmp_path, postgres_url):
    await fill(tmp_path / "data", postgres_url, events=40, rows=3)
    (tmp_path / "data" / "clock.json").unlink()
    lines = found(
        dataclasses.replace(config, storage=StorageConfig(url=postgres_url, free_min_mib=1)), tmp_path / "data"
    )
    assert not any(line.startswith(("postgresql", "ledger", "vault:")) for line in lines), lines
    gone = StorageConfig(url="postgresql://nobody@127.0.0.1:1/none", free_min_mib=1)
    lines = found(dataclasses.replace(config, storage=gone), tmp_path / "data")
    assert [line.partition(":")[0] for line in lines if "reached" in line or "cannot be read" in line] == ["postgresql"]
    assert any("correct storage.url, or start the server" in line for line in lines)


def test_a_database_that_was_never_used_is_made_by_the_first_start(config, tmp_path, postgres_url):
    new = dataclasses.replace(config, storage=StorageConfig(url=postgres_url, free_min_mib=1))
    lines = found(new, tmp_path)
    assert [line.partition(":")[0] for line in lines if "the first start makes it" in line][:2] == ["ledger", "vault"]


def test_the_command_ends_with_1_when_something_is_wrong_and_with_0_when_not(folder, tmp_path):
    settings = tmp_path / "config.toml"
    doors = "\n".join(f'{name} = "tcp://127.0.0.1:{free_port()}"' for name in ("upstreams", "stations", "operators"))
    settings.write_text(
        f'[service]\ncentre = "test"\nfolder = "{folder}"\n[sockets]\n{doors}\n[metrics]\nlisten = ""\n'
        "[storage]\nfree_min_mib = 1\nreserve_mib = 0\n[clock]\nsimulated = true\nscale = 2.0\n"
    )
    run = CliRunner().invoke
    sound = run(app, ["doctor", "--config", str(settings)])
    assert (sound.exit_code, "nothing is wrong" in sound.output) == (0, True), sound.output
    lose_site_key(folder)
    unwell = run(app, ["doctor", "--config", str(settings), "--json", "-"])
    assert unwell.exit_code == 1
    told = json.loads(unwell.output)
    assert told["well"] is False
    assert {one["verdict"] for one in told["findings"]} <= {"ok", "warning", "wrong"}
