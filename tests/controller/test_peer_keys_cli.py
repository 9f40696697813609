"""The commands for the doors' keys: made, listed by fingerprint, allowed, rotated and revoked."""

from __future__ import annotations

import json
import stat

import pytest
from typer.testing import CliRunner

from controller import cli
from controller.commandline.options import arguments
from controller.config import ConfigError
from devices.key_files import read_pair, read_public
from devices.key_ring import KeyRing, Peer
from devices.keys import KeyFileError
from devices.peers import OPERATOR, STATION, UPSTREAM, fingerprint


@pytest.fixture
def keys(tmp_path):
    def run(*args):
        done = CliRunner().invoke(cli.app, ["keys", *map(str, args), "--data", str(tmp_path)])
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        assert done.exit_code == 0, done.output
        return done.output

    return run


def listed(keys):
    return json.loads(keys("list", "--json", "-"))


def test_a_person_is_made_with_roles_and_listed_by_fingerprint(keys, tmp_path):
    said = keys("new", "wang", "--role", "operator", "--roles", "supervisor,quality")
    public = read_public(tmp_path / "peers" / "wang.public")
    assert fingerprint(public) in said
    [row] = listed(keys)
    assert row.pop("since").endswith("Z")
    assert row.pop("last_seen") == "", "no service ever ran"
    assert row == {
        "role": OPERATOR,
        "name": "wang",
        "fingerprint": fingerprint(public),
        "next": "",
        "roles": "supervisor quality",
    }
    secret = tmp_path / "peers" / "wang.secret"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    for shown in (said, keys("list")):
        assert read_pair(secret.parent, "wang").secret not in shown
        assert public not in shown
    KeyRing(tmp_path / "keys").ensure_server_keys()
    assert fingerprint(read_public(tmp_path / "keys" / "server.public")) in keys("list")


def test_an_operator_without_roles_is_told_that_he_may_do_nothing(keys, tmp_path):
    assert "may do nothing yet" in keys("new", "li", "--role", "operator")
    assert "may do nothing" not in keys("new", "north", "--role", "upstream")
    keys("allow", "operator", "li", "--roles", "auditor")
    assert KeyRing(tmp_path / "keys").roles_of(OPERATOR, "li") == {"auditor"}
    keys("allow", "operator", "li", tmp_path / "peers" / "li.public", "--roles", "quality, operator")
    assert KeyRing(tmp_path / "keys").roles_of(OPERATOR, "li") == {"operator", "quality"}


@pytest.mark.parametrize(
    "args",
    [
        ("new", "wang", "--role", "boss"),
        ("new", "wang", "--role", "operator", "--roles", "boss"),
        ("new", "wang", "--role", "station", "--roles", "quality"),
        ("new", "wang", "--roles", "quality"),
        ("allow", "operator", "nobody", "--roles", "quality"),
        ("allow", "operator", "nobody"),
        ("allow", "operator", "nobody", "nobody.secret"),
        ("rotate", "nobody"),
        ("rotate", "nobody", "nobody.public", "--finish"),
        ("rotate", "nobody", "nobody.secret"),
    ],
)
def test_wrong_use_is_a_sentence_and_writes_nothing(keys, tmp_path, args):
    with pytest.raises(ConfigError):
        keys(*args)
    assert not (tmp_path / "peers").exists()


def test_a_key_is_rotated_in_two_steps_and_revoked_in_one(keys, tmp_path):
    keys("new", "press-1", "--role", "station")
    keys("new", "press-1", "--folder", tmp_path / "next")
    first, following = (read_public(tmp_path / folder / "press-1.public") for folder in ("peers", "next"))
    keys("rotate", "press-1", tmp_path / "next" / "press-1.public", "--role", "station")
    assert (listed(keys)[0]["fingerprint"], listed(keys)[0]["next"]) == (fingerprint(first), fingerprint(following))
    keys("rotate", "press-1", "--role", "station", "--finish")
    assert KeyRing(tmp_path / "keys").peers() == [Peer(STATION, "press-1", following)]
    with pytest.raises(KeyFileError, match=r"keys\.not_rotating"):
        keys("rotate", "press-1", "--role", "station", "--finish")
    keys("revoke", "station", "press-1")
    assert listed(keys) == []
    for missing in (("revoke", "station", "press-1"), ("rotate", "press-1", tmp_path / "next" / "press-1.public")):
        with pytest.raises(KeyFileError, match=r"keys\.missing"):
            keys(*missing)


def test_a_secret_that_others_may_read_is_not_taken(keys, tmp_path):
    keys("new", "north", "--role", UPSTREAM)
    secret = tmp_path / "peers" / "north.secret"
    secret.chmod(0o640)
    with pytest.raises(KeyFileError, match=r"keys\.mode"):
        read_pair(secret.parent, "north")


def test_the_help_says_that_beside_a_running_centre_it_is_break_glass():
    for command in ("allow", "revoke", "rotate"):
        shown = CliRunner().invoke(cli.app, ["keys", command, "--help"]).output
        assert "break-glass" in shown
        assert f"{command}_key" in shown


def test_an_act_takes_a_key_from_its_file_and_never_takes_a_name_for_a_number(keys, tmp_path):
    keys("new", "7", "--role", "station")
    path = tmp_path / "peers" / "7.public"
    said = arguments(["role=station", "name=7", f"public={path}"])
    assert said == {"role": "station", "name": "7", "public": read_public(path)}
    assert arguments([f"public={read_public(path)}"]) == {"public": read_public(path)}
    with pytest.raises(KeyFileError, match=r"keys\.missing"):
        arguments(["public=nowhere.public"])
