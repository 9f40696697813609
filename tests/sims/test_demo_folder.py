"""The demo's own folder: a set-up that the service's own readers accept."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from controller import rights
from controller.asking.conversation import ClientError
from controller.config import load_config
from controller.posts import OFFICE, Posts
from devices.key_files import read_pair
from devices.key_ring import KeyRing
from devices.peers import OPERATOR, STATION, UPSTREAM
from sims.demo.folder import (
    CONSOLE_EPOCH,
    EPOCH,
    KEEPERS,
    OBSERVER,
    PEOPLE,
    SUPERVISORS,
    VISITORS,
    DemoFolder,
    free_ports,
)
from sims.demo.options import DemoOptions
from sims.demo.staff import StockKeepers, Supervisors


@pytest.fixture
def folder(tmp_path):
    made = DemoFolder(tmp_path)
    made.prepare(["p1", "l1"], 150.0)
    return made


def test_the_settings_are_those_of_a_simulated_floor_on_ports_of_its_own(folder):
    config = load_config(folder.config)
    assert config.service.path() == folder.data
    assert (config.clock.simulated, config.clock.scale, config.clock.epoch) == (True, 150.0, EPOCH)
    sockets = config.sockets
    ports = {sockets.upstreams, sockets.stations, sockets.operators, f"tcp://{config.metrics.listen}"}
    assert len(ports) == 4
    assert "*" not in "".join(ports)


def test_with_a_console_it_listens_on_loopback_and_visitors_may_do_everything(tmp_path):
    folder = DemoFolder(tmp_path, has_console=True)
    folder.prepare(["p1"], 150.0)
    config, ring = load_config(folder.config), KeyRing(folder.data / "keys")
    assert config.clock.epoch == CONSOLE_EPOCH
    assert config.console.listen.startswith("127.0.0.1:")
    assert config.console.listen != config.metrics.listen
    for name in VISITORS:
        roles = ring.roles_of(OPERATOR, name)
        assert [verb for verb in rights.VERB_RIGHTS if not rights.may(roles, verb)] == []
        acts = [(way, act) for act in rights.ACT_RIGHTS for way in rights.ACT_VERBS]
        assert [(way, act) for way, act in acts if not rights.may(roles, way, act)] == []
        assert rights.OPERATOR not in roles, "whoever works at stations may not destroy what was spoiled there"
    assert "--first-due-today" in folder.upstream_command(DemoOptions(console=True))


def test_the_staff_has_certificates_and_the_observer_who_only_looks_has_none(folder):
    posts, today = Posts(Path(load_config(folder.config).posts.table)), EPOCH[:10].replace("-", "")
    for name in (*KEEPERS, *SUPERVISORS):
        assert posts.refusal(name, OFFICE, today) is None
    for name in SUPERVISORS:
        assert posts.refusal(name, "inspect", today) is None
    assert posts.refusal(KEEPERS[0], "inspect", today).code == "post.none"
    assert posts.refusal(OBSERVER, OFFICE, today).code == "post.none"


def test_everybody_has_a_key_and_the_service_knows_each_under_its_role(folder):
    ring = KeyRing(folder.data / "keys")
    names = {(one.role, one.name) for one in ring.listing()}
    operators = {(OPERATOR, name) for name in ("keeper-1", "keeper-2", "supervisor-1", "supervisor-2", "observer")}
    assert names == {(UPSTREAM, "north"), (STATION, "p1"), (STATION, "l1")} | operators
    for role, name in names:
        assert ring.user_for(role, read_pair(folder.peers / role, name).public) == name
    assert folder.server_public.exists()


def test_each_of_the_staff_has_the_roles_of_ones_work_and_no_others(folder):
    ring = KeyRing(folder.data / "keys")
    roles = {name: ring.roles_of(OPERATOR, name) for name in PEOPLE}
    assert roles == {name: frozenset(words) for name, words in PEOPLE.items()}
    assert not any({rights.ADMINISTRATOR, rights.QUALITY} & words for words in roles.values())
    keepers = [roles[name] for name in KEEPERS]
    for verb in StockKeepers.verbs:
        assert rights.may(keepers[0], "act", verb)
        assert rights.may(keepers[1], "second", verb)
    for verb in Supervisors.verbs:
        assert rights.may(roles[SUPERVISORS[0]], "act", verb)
        assert rights.may(roles[SUPERVISORS[1]], "second", verb)
    assert all(rights.may(keepers[0], verb) for verb in ("acts", "stock", "stations", "shift", "count"))
    looked = ("acts", "review", "suspects", "stopped", "holds", "stations")
    assert all(rights.may(roles[SUPERVISORS[0]], verb) for verb in (*looked, "decide", "release", "sign_on"))


def test_a_folder_s_name_with_quotes_and_backslashes_reaches_the_service_whole(tmp_path):
    odd = tmp_path / 'a "b" \\ c é 市'
    odd.mkdir()
    folder = DemoFolder(odd)
    folder.prepare([], 1.0)
    assert load_config(folder.config).service.path() == folder.data


def test_the_commands_name_the_files_and_endpoints_of_this_folder(folder):
    upstream = folder.upstream_command(DemoOptions(cards=77, seed=5))
    stations = folder.stations_command(5)
    assert upstream[upstream.index("--endpoint") + 1] == load_config(folder.config).sockets.upstreams
    assert stations[stations.index("--endpoint") + 1] == load_config(folder.config).sockets.stations
    assert upstream[upstream.index("--cards") + 1] == "77"
    assert (folder.peers / UPSTREAM / "north.secret").as_posix() in upstream
    assert str(folder.config) in folder.service_command()


def test_free_ports_are_different_and_can_be_bound():
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket() as one:
            one.bind(("127.0.0.1", port))


def test_a_person_who_has_no_key_here_cannot_call(folder):
    with pytest.raises(ClientError, match="keys"):
        folder.person("stranger")
