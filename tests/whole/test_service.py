"""The real service: starts, answers, stops cleanly, is there once, and says in a sentence what is wrong."""

from __future__ import annotations

import json
import os
import re
import socket
import urllib.request
from pathlib import Path

import pytest

from controller.asking.conversation import ClientError, Patience, Refused
from controller.asking.submission import batch_digest, encode_application
from controller.client import OperatorClient
from controller.metrics_page import families
from sims.faces import FaceSource
from sims.people import Population
from tests.whole.centre import Centre, run_cli

TRACE = re.compile(r"Traceback|File \".*\", line")


def people(count, today):
    population = Population(7, faces=FaceSource(7))
    return [encode_application(population.application(index, today)) for index in range(count)]


def test_the_service_stops_on_sigterm_with_exit_0_and_starts_again_where_it_was(centre):
    centre.start()
    with centre.operator() as ann:
        assert ann.command("status")["run"] == 1
    assert centre.stop() == 0
    centre.start()
    with centre.operator() as ann:
        assert ann.command("status")["run"] == 2
    assert centre.stop() == 0


def test_the_service_s_loop_and_its_writers_let_others_end_their_turn(shared):
    tasks = [int(task.name) for task in Path(f"/proc/{shared.process.pid}/task").iterdir()]
    policies = [os.sched_getscheduler(task) for task in tasks]
    assert len(tasks) >= 4, "the loop, two writers, ZeroMQ"
    assert policies.count(os.SCHED_BATCH) >= 4, policies
    assert os.sched_getscheduler(shared.process.pid) == os.SCHED_BATCH, "the loop itself"


def test_a_second_instance_on_the_same_folder_is_refused_with_a_sentence(shared):
    code, _, errors = run_cli("serve", "--config", str(shared.config))
    assert code == 2
    assert "ledger.in_use" in errors
    assert not TRACE.search(errors)


def test_a_simulated_floors_folder_is_not_served_as_a_real_one(centre):
    centre.start()
    assert centre.stop() == 0
    real = centre.folder / "real.toml"
    lines = centre.config.read_text("utf-8").splitlines()
    real.write_text("\n".join(line for line in lines if not line.startswith(("simulated", "scale", "epoch"))), "utf-8")
    code, _, errors = run_cli("serve", "--config", str(real))
    assert code == 2
    assert "ledger.other" in errors
    assert not TRACE.search(errors)


def test_a_batch_gets_verdicts_and_the_same_batch_again_the_same_answer(running):
    with running.upstream() as north:
        today = north.hello().floor_date
        sent = people(12, today)
        number = "520000000000" + today + "00001"
        state = north.submit_batch(number, today, sent)
        assert state.state in ("checking", "open")
        again = north.submit_batch(number, today, sent)
        assert again.batch_number == number
        first = [(one.kind, one.index) for page in _pages(north, 12) for one in page]
        assert sorted(first) == [("accepted", index) for index in range(12)]
        with pytest.raises(Refused) as conflict:
            north.open_batch(number, today, 12, batch_digest(sent[:-1]))
        assert conflict.value.code == "batch.conflict"


def _pages(north, count):
    got = 0
    for page in north.follow_receipts():
        yield page
        got += len(page)
        if got >= count:
            return


def test_a_digest_that_does_not_agree_refuses_the_whole_batch(running):
    with running.upstream() as north:
        today = north.hello().floor_date
        sent = people(3, today)
        number = "520000000000" + today + "00002"
        north.open_batch(number, today, 3, batch_digest(sent[::-1]))
        north.send_chunk(number, 0, sent)
        [page] = _pages(north, 1)
        assert [(one.kind, one.index, one.codes) for one in page] == [("refused", -1, ["batch.digest"])]
        assert north.status(number).state == "refused"


def test_nobody_gets_in_without_a_listed_key_and_no_role_opens_another_door(shared):
    secret = shared.secret("upstream", "north")
    patience = Patience(answer_within_s=1.0, give_up_s=60.0)
    door = shared.doors["operators"]
    intruder = OperatorClient.connect(door, shared.server_public, secret, patience=patience)
    with intruder, pytest.raises(ClientError) as refused:
        intruder.command("status")
    assert refused.value.code == "link.key_refused"


def test_an_act_that_takes_two_needs_two_names(shared):
    with shared.operator("ann") as ann, shared.operator("bob") as bob:
        act = ann.command("act", verb="receive", args={"first_body": 100, "sheets": 10, "lot": "A"})["act_id"]
        with pytest.raises(Refused) as alone:
            ann.command("second", act_id=act)
        assert alone.value.code == "act.same_person"
        assert ann.command("stock")["accounts"]["vault"] == 0
        bob.command("second", act_id=act)
        assert ann.command("stock")["accounts"]["vault"] == 80


def test_prometheus_reads_counts_and_states_with_few_labels_and_none_that_names_a_person(shared):
    page = urllib.request.urlopen(f"http://{shared.metrics}/metrics", timeout=60).read().decode()
    labels = set(re.findall(r"[{,](\w+)=", page))
    assert labels <= {"station", "step", "state", "outcome", "door", "severity", "code", "le"}
    assert 'cardmill_cards_total{outcome="received"} 0.0' in page
    assert urllib.request.urlopen(f"http://{shared.metrics}/healthz", timeout=60).read() == b"ok\n"


def test_a_real_page_has_every_metric_that_the_docs_list_in_both_formats_and_the_service_is_ready(shared):
    listed = {family.name for _, family, _ in families()}
    for accept in ("text/plain", "application/openmetrics-text"):
        asked = urllib.request.Request(f"http://{shared.metrics}/metrics", headers={"Accept": accept})
        with urllib.request.urlopen(asked, timeout=60) as answer:
            assert answer.headers["Content-Type"].startswith(accept)
            shown = set(re.findall(r"^# HELP (\w+)", answer.read().decode(), re.MULTILINE))
        assert listed == {name.removesuffix("_total") for name in shown if not name.endswith("_created")}
    ready = urllib.request.urlopen(f"http://{shared.metrics}/readyz", timeout=60)
    assert (ready.status, json.loads(ready.read())) == (200, {"ready": True, "reasons": []})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[clock]\nscale = 5.0\n", "clock.scale"),
        ("[clock]\nscale = nan\nsimulated = true\n", "clock.scale"),
        ("[plan]\npress_wait = 3\n", "press_wait"),
        ("[plan]\npress_wait_s = 'x'\n", "plan.press_wait_s"),
        ("[nonsense]\n", "nonsense"),
        ("not toml", "TOML"),
        ("[sockets]\nupstreams = 'tcp://'\n", "link.bad_endpoint"),
        ("[sockets]\nupstreams = 'udp://x'\n", "sockets.upstreams"),
        ("[metrics]\nlisten = 'nowhere'\n", "metrics.listen"),
        ("[checks]\nauthorities = '/nonexistent.csv'\n", "checks.authorities"),
        ("[checks]\nauthorities = '/dev/null'\n", "checks.authorities"),
        ("[service]\nfolder = '/dev/null/x'\n", "/dev/null"),
    ],
)
def test_settings_that_cannot_be_used_end_with_exit_2_and_a_sentence(tmp_path, text, says):
    config = tmp_path / "config.toml"
    folder = "" if "[service]" in text else f"[service]\nfolder = '{tmp_path / 'data'}'\n"
    config.write_text(folder + text)
    code, _, errors = run_cli("serve", "--config", str(config))
    assert code == 2, errors
    assert says in errors
    assert not TRACE.search(errors)


@pytest.mark.parametrize(
    "args",
    [
        ["status"],
        ["status", "--as", "nobody"],
        ["decide", "release", "x", "--reason", "y"],
        ["act", "issue", "nonsense", "--as", "ann"],
        ["keys", "new", "Bad Name!"],
        ["keys", "allow", "king", "ann", "/nonexistent"],
        ["serve", "--config", "/nonexistent.toml"],
        ["report", "--json", "/nonexistent/x.json", "--as", "ann"],
        ["unknown-verb"],
    ],
)
def test_wrong_use_of_the_command_line_is_exit_2_and_never_a_traceback(tmp_path, args):
    data = ["--data", str(tmp_path)] if args[0] not in ("serve", "unknown-verb") else []
    code, _, errors = run_cli(*args, *data)
    assert code == 2
    assert errors.strip()
    assert not TRACE.search(errors)


def test_a_port_that_is_taken_is_named(shared, tmp_path_factory):
    other = Centre(tmp_path_factory.mktemp("other"))
    settings = other.config.read_text().replace(other.doors["stations"], shared.doors["stations"])
    other.config.write_text(settings)
    code, _, errors = run_cli("serve", "--config", str(other.config))
    assert code == 2
    assert "link.address_in_use" in errors


@pytest.mark.parametrize("setting", ["metrics", "console"])
def test_so_is_a_port_of_pages_with_its_setting_and_what_to_do(shared, tmp_path_factory, setting):
    other = Centre(tmp_path_factory.mktemp("other"))
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        taken = f"127.0.0.1:{holder.getsockname()[1]}"
        settings = other.config.read_text() + '\n[console]\nlisten = "127.0.0.1:0"\ninsecure = true\n'
        lines = {"metrics": other.metrics, "console": "127.0.0.1:0"}
        other.config.write_text(settings.replace(lines[setting], taken))
        code, _, errors = run_cli("serve", "--config", str(other.config))
    assert code == 2
    said = f"{setting}.listen: {taken} cannot be used: Address already in use: end what holds it, or set another"
    assert said in errors


LOOKS = ["status", "stations", "stock", "review", "stopped", "suspects", "acts", "piles", "consignments", "report"]


def test_an_operator_s_command_line_shows_everything_as_table_and_as_json(shared):
    secret = shared.secret("operator", "ann")
    peers = shared.data / "peers"
    peers.mkdir()
    for file in secret.parent.iterdir():
        (peers / file.name).write_bytes(file.read_bytes())
        (peers / file.name).chmod(0o600)
    own = ("--as", "ann", "--config", str(shared.config))
    for verb in LOOKS:
        code, shown, errors = run_cli(verb, *own)
        assert (code, errors) == (0, ""), verb
        assert verb in shown
        code, shown, _ = run_cli(verb, *own, "--json", "-")
        assert code == 0
        json.loads(shown)
    for span in ("shift", "day", "month", "campaign"):
        code, shown, errors = run_cli("report", span, "--lang", "en", *own)
        assert (code, errors) == (0, ""), span
        assert shown
    code, _, errors = run_cli("why", "p1", *own)
    assert code == 1
    assert "why.unknown" in errors


def test_a_secret_is_not_taken_for_a_public_key(tmp_path):
    assert run_cli("keys", "new", "carl", "--data", str(tmp_path))[0] == 0
    secret = str(tmp_path / "peers" / "carl.secret")
    code, _, errors = run_cli("keys", "allow", "operator", "carl", secret, "--data", str(tmp_path))
    assert code == 2
    assert ".public" in errors
