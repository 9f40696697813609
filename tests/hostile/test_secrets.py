"""No secret key and nothing of a person in anything written: at DEBUG, under attack, after a kill and failed starts."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from zmq.utils import z85

from bench.hostile_attacks import ATTACKS
from bench.hostile_place import Place
from controller.asking.submission import encode_application
from controller.vault import keyring
from controller.vault.key_files import MASTER_KEY_NAME, SITE_KEY_NAME, read_ring
from tests.whole.canaries import canaries, sightings
from tests.whole.centre import Centre, run_cli

WITHIN_S = 300.0
CARDS = 8
DEBUG = """
import logging, sys
from controller import logs
configure = logs.configure_logs
logs.configure_logs = lambda level="debug": (configure("debug"), logging.getLogger().setLevel(logging.DEBUG))
from controller.cli import main
main()
"""
KEY_FILES = {"server.secret", MASTER_KEY_NAME, SITE_KEY_NAME, "receipts.secret", "vault.keys", "people.jsonl"}


def start_at_debug(centre: Centre) -> None:
    """Start the service with every logger at DEBUG."""
    ready = centre.data / "endpoints.json"
    ready.unlink(missing_ok=True)
    with open(centre.log, "ab") as log:
        command = [sys.executable, "-c", DEBUG, "serve", "--config", str(centre.config)]
        centre.process = subprocess.Popen(command, stdout=log, stderr=log)
    until_s = time.monotonic() + WITHIN_S
    while not ready.exists():
        centre.rest(0.05)
        assert centre.process.poll() is None, centre.log.read_text("utf-8")[-2_000:]
        assert time.monotonic() < until_s


def encoded(centre: Centre) -> bool:
    with centre.operator("ann") as ann:
        status = ann.command("status")
    return status["tally"]["received"] == CARDS and not status["unencoded"]


def secrets_of(data: Path, peers: Path, monkeypatch) -> dict[str, bytes]:
    """Give every secret key of a centre, as bytes, by what it is."""
    found = {path.name: z85.decode(path.read_bytes().strip()) for path in peers.rglob("*.secret")}
    found["server"] = z85.decode((data / "keys" / "server.secret").read_bytes().strip())
    found["site"] = bytes.fromhex((data / SITE_KEY_NAME).read_text("ascii"))
    [receipts] = data.rglob("receipts.secret")
    found["receipts"] = base64.b64decode(b"".join(receipts.read_bytes().split(b"\n")[1:-2]))[-32:]
    opened: list[bytes] = []
    real = keyring.AESGCM
    monkeypatch.setattr(keyring, "AESGCM", lambda key: (opened.append(bytes(key)), real(key))[1])
    read_ring(data)
    assert len(opened) >= 2  # the master key and one of a batch
    return found | {f"vault {number}": key for number, key in enumerate(opened)}


def spellings(key: bytes) -> list[bytes]:
    """Give how a key of 32 bytes could be written."""
    texts = [key.hex(), key.hex().upper(), base64.b64encode(key).decode(), base64.urlsafe_b64encode(key).decode()]
    return [key, repr(key)[2:-1].encode(), z85.encode(key), *(text.rstrip("=").encode() for text in texts)]


def written_in(folder: Path, keys: dict[str, bytes]) -> list[str]:
    """Give which secret stands in which file that is not made to hold secrets."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    files = [path for path in files if path.name not in KEY_FILES and path.suffix != ".secret"]
    content = {path: str(path).encode() + path.read_bytes() for path in files}
    return [
        f"{path.name}: {what}"
        for path, body in content.items()
        for what, key in keys.items()
        if any(one in body for one in spellings(key))
    ]


@pytest.fixture(scope="module")
def lived(tmp_path_factory):
    """A centre at DEBUG with canaries in it: fed, attacked, killed, started with a spoiled key; and its people."""
    centre = Centre(tmp_path_factory.mktemp("secrets"))
    seen = {}
    try:
        start_at_debug(centre)
        with centre.upstream() as north:
            today = north.hello().floor_date
            people = canaries(0, CARDS, today)
            north.submit_batch(f"520000000000{today}00001", today, [encode_application(one) for one in people])
        until_s = time.monotonic() + WITHIN_S
        while not encoded(centre):
            assert time.monotonic() < until_s
        roles = (("upstream", "owner"), ("upstream", "mallory"), ("station", "liar"), ("operator", "oscar"))
        secrets = [str(centre.secret(role, name)) for role, name in roles]
        place = Place({**centre.doors, "metrics": centre.metrics}, str(centre.server_public), *secrets)
        for name in ("unlisted key", "msgpack bombs", "replayed chunks", "lying station"):
            ATTACKS[name].round(place)
        (centre.folder / "metrics").write_text(centre.metrics_page(), "utf-8")
        seen["limits"] = Path(f"/proc/{centre.process.pid}/limits").read_text("ascii")
        seen["running"] = sightings(centre.folder, people)
        centre.kill()
        seen["killed"] = sightings(centre.folder, people)
        _fail_to_start(centre)
        _check_offline(centre.folder, people)
        yield centre, people, seen
    finally:
        centre.close()


def _fail_to_start(centre: Centre) -> None:
    """Start with key files that cannot be used; keep what is said."""
    said = []
    for name in ("server.secret", MASTER_KEY_NAME):
        [path] = centre.data.rglob(name)
        path.chmod(0o644)
        said.append(run_cli("serve", "--config", str(centre.config)))
        path.chmod(0o600)
        whole = path.read_bytes()
        path.write_bytes(whole[:-9])
        said.append(run_cli("serve", "--config", str(centre.config)))
        path.write_bytes(whole)
    assert [code for code, _, _ in said] == [2] * 4, said
    (centre.folder / "failed starts").write_text(json.dumps(said), "utf-8")


def _check_offline(folder: Path, people) -> None:
    """Check a file of the canaries with a spoiled field each, without a service; keep the answers."""
    rows = []
    for one in people:
        fields = {name: getattr(one, name) for name in one.__struct_fields__ if name != "portrait"}
        rows.append(
            json.dumps({"application": fields | {"birth": "19000101", "portrait": "none.jpg"}}, ensure_ascii=False)
        )
    (folder / "people.jsonl").write_text("\n".join(rows), "utf-8")
    answers = folder / "answers.json"
    code, said, told = run_cli("check", str(folder / "people.jsonl"), "--json", str(answers))
    assert code in (0, 1), told
    assert answers.stat().st_size > 100
    (folder / "check.log").write_text(said + told, "utf-8")


@pytest.mark.parametrize("stage", ["running", "killed"])
def test_nothing_of_a_person_stands_in_a_file_while_the_service_runs_at_debug_or_after_a_kill(lived, stage):
    centre, _, seen = lived
    assert seen[stage] == []
    assert '"level": "warning"' in centre.log.read_text("utf-8")


def test_nor_in_what_failed_starts_and_the_check_without_a_service_say(lived):
    centre, people, _ = lived
    outside = [one for one in sightings(centre.folder, people) if not one.startswith("people.jsonl: ")]
    assert outside == []


def test_no_secret_key_stands_outside_the_files_that_are_made_for_it(lived, monkeypatch):
    centre, _, _ = lived
    keys = secrets_of(centre.data, centre.folder / "peers", monkeypatch)
    assert len(keys) >= 8
    assert all(len(key) == 32 for key in keys.values())
    assert written_in(centre.folder, keys) == []


def test_the_search_finds_a_key_however_it_is_written(tmp_path):
    key = os.urandom(32)
    for number, spelling in enumerate(spellings(key)):
        (tmp_path / f"{number}.log").write_bytes(b"before" + spelling + b"after")
    assert len(written_in(tmp_path, {"it": key})) == len(spellings(key))


def test_the_running_service_may_leave_no_core_dump(lived):
    _, _, seen = lived
    [row] = [line for line in seen["limits"].splitlines() if line.startswith("Max core file size")]
    assert row.split()[4:6] == ["0", "0"]


def test_a_process_that_forbids_core_dumps_is_not_dumpable_and_cannot_allow_them_again():
    program = (
        "import ctypes, resource\n"
        "from controller.upkeep.core_dumps import forbid_core_dumps, may_dump\n"
        "import os\n"
        "forbid_core_dumps()\n"
        "is_dumpable = ctypes.CDLL(None).prctl(3, 0, 0, 0, 0)\n"
        "print(is_dumpable, resource.getrlimit(resource.RLIMIT_CORE), may_dump(os.getpid()))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "0 (0, 0) False", done
