"""Keys beside a real service: two administrators let people in and out, others raise an alarm, plain sockets show."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from controller.asking.conversation import ClientError, Refused
from controller.client import OperatorClient
from controller.commandline import show
from controller.upkeep.last_seen import read_last_seen
from devices.key_files import new_pair, read_pair, read_public
from devices.key_ring import KeyRing
from devices.keys import LinkError
from devices.peers import OPERATOR, STATION, UPSTREAM, fingerprint
from devices.sync_dealer import SyncDealer
from devices.zlink import PlainName
from encoders.envelope import pack
from tests.whole.centre import PATIENCE, Centre, run_cli

SURELY_S = 60.0


@pytest.fixture
def running(tmp_path):
    centre = Centre(tmp_path)
    for name in ("ann", "bob"):
        centre.secret(OPERATOR, name)
    yield centre
    centre.close()


def until(running, look, what):
    deadline = time.monotonic() + SURELY_S
    while not (found := look()):
        assert time.monotonic() < deadline, what
        running.rest(0.02)
    return found


def by_two(running, verb, **args):
    with running.operator("ann") as ann, running.operator("bob") as bob:
        act_id = ann.command("act", verb=verb, args=args)["act_id"]
        [act] = bob.command("acts")
        assert act["args"].get("fingerprint", "") == fingerprint(args.get("public", "")), "what he compares"
        with pytest.raises(Refused) as alone:
            ann.command("second", act_id=act_id)
        assert alone.value.code == "act.same_person"
        bob.command("second", act_id=act_id)


def line(running, role, secret):
    pair, server = read_pair(secret.parent, secret.stem), read_public(running.server_public)
    return SyncDealer(running.doors[f"{role}s"], my_keys=pair, server_public_key=server)


def counter(running, start):
    return sum(float(row.rsplit(" ", 1)[1]) for row in running.metrics_page().splitlines() if row.startswith(start))


def test_two_administrators_let_a_person_in_change_the_key_and_take_it_away_while_she_is_connected(running, tmp_path):
    running.start()
    pairs = [new_pair(tmp_path / folder, "eve").public for folder in ("first", "next")]
    by_two(running, "allow_key", role=OPERATOR, name="eve", public=pairs[0], roles="operator auditor")
    folder = running.data / "keys"
    until(running, lambda: KeyRing(folder).peers()[-1].name == "eve", "the file follows the approval")
    with line(running, OPERATOR, tmp_path / "first" / "eve.secret") as first:
        first.send(pack({"type": "hello", "version": 1, "request": 1}), SURELY_S)
        assert b"eve" in bytes(first.recv(SURELY_S))
        by_two(running, "rotate_key", role=OPERATOR, name="eve", public=pairs[1])
        until(running, lambda: KeyRing(folder).user_for(OPERATOR, pairs[1]), "both keys are in the folder")
        with line(running, OPERATOR, tmp_path / "next" / "eve.secret") as second:
            for one in (first, second):
                one.send(pack({"type": "hello", "version": 1, "request": 2}), SURELY_S)
                assert b"eve" in bytes(one.recv(SURELY_S))
            by_two(running, "rotate_key", role=OPERATOR, name="eve")
            with pytest.raises(LinkError, match=r"link\.key_refused"):
                first.recv(SURELY_S)
            second.send(pack({"type": "hello", "version": 1, "request": 3}), SURELY_S)
            assert b"eve" in bytes(second.recv(SURELY_S))
            by_two(running, "revoke_key", role=OPERATOR, name="eve")
            with pytest.raises(LinkError, match=r"link\.key_refused"):
                second.recv(SURELY_S)
    assert [one.name for one in KeyRing(folder).peers()] == ["ann", "bob"]
    assert counter(running, "cardmill_keys_changed_outside_total") == 0
    with running.operator("ann") as ann:
        assert ann.command("status")["keys"] == {"outside": 0, "outside_floor_s": 0.0, "pending": 0}
    assert running.stop() == 0
    code, out, errors = run_cli("audit", "show", "--by", "ann", "--json", "-", "--config", str(running.config))
    assert code == 0, errors
    kinds = [row["tag"] for row in json.loads(out) if row["tag"].startswith("key_")]
    assert kinds == ["key_allowed", "key_rotated", "key_rotated", "key_revoked"]


def test_a_key_that_is_changed_past_the_service_holds_within_seconds_and_is_an_alarm(running):
    running.secret(STATION, "press-1")
    north = running.secret(UPSTREAM, "north")
    running.start()
    assert counter(running, "cardmill_keys_changed_outside_total") == 0
    with line(running, UPSTREAM, north) as dealer:
        dealer.send(pack({"type": "hello", "version": 1, "request": 1}), SURELY_S)
        assert b"north" in bytes(dealer.recv(SURELY_S))
        assert run_cli("keys", "revoke", UPSTREAM, "north", "--config", str(running.config))[0] == 0
        with pytest.raises(LinkError, match=r"link\.key_refused"):
            dealer.recv(SURELY_S)
    until(running, lambda: "upstream north" in read_last_seen(running.data / "keys"), "when it was last heard is kept")
    until(running, lambda: counter(running, "cardmill_keys_changed_outside_total") == 1, "the alarm is counted")
    assert counter(running, 'cardmill_refusals_total{code="link.key_refused",door="upstream"}') >= 1
    with running.operator("ann") as ann:
        assert ann.command("status")["keys"]["outside"] == 1
    assert "keys changed past the service" in running.log.read_text("utf-8")
    assert running.stop() == 0
    running.start()
    with running.operator("ann") as ann:
        assert ann.command("status")["keys"]["outside"] == 1, "a start alone is no alarm"


def test_plain_sockets_show_everywhere_and_believe_listed_names_only(tmp_path):
    centre = Centre(tmp_path)
    centre.config.write_text(
        centre.config.read_text("utf-8").replace("[sockets]", "[sockets]\ninsecure = true"), "utf-8"
    )
    centre.secret(OPERATOR, "ann")  # its own key is asked for by nobody
    try:
        centre.start()
        code, out, errors = run_cli("status", "--as", "ann", "--config", str(centre.config))
        assert (code, "INSECURE" in out, "INSECURE" in errors) == (0, True, True)
        assert "INSECURE" in centre.log.read_text("utf-8")
        assert counter(centre, "cardmill_insecure") == 1
        assert show.is_insecure(centre.data)
        plain = OperatorClient.connect(centre.doors["operators"], "", PlainName("mallory"), patience=PATIENCE)
        with plain, pytest.raises(ClientError, match=r"link\.key_refused"):
            plain.command("status")
    finally:
        centre.close()


def test_plain_sockets_are_refused_where_others_could_reach_them(tmp_path):
    config = tmp_path / "config.toml"
    config.write_text('[sockets]\ninsecure = true\noperators = "tcp://0.0.0.0:5703"\n', "utf-8")
    code, _, errors = run_cli("serve", "--config", str(config), "--data", str(tmp_path / "data"))
    assert (code, "sockets.operators" in errors, "loopback" in errors) == (2, True, True)
    assert not Path(tmp_path / "data").exists()
