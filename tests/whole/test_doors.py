"""What comes to the doors: garbage gets a coded answer and costs nothing, a cancelled card ends once."""

from __future__ import annotations

import random
import re

import msgspec
import pytest

from controller.asking.conversation import Refused
from controller.asking.submission import batch_digest, encode_application
from devices.key_files import read_pair, read_public
from devices.sync_dealer import SyncDealer
from encoders.envelope import pack
from sims.faces import FaceSource
from sims.people import Population

NOISE = 300


def dealer(running, role, name):
    secret = running.secret(role, name)
    pair = read_pair(secret.parent, name)
    door = running.doors[f"{role}s"]
    return SyncDealer(door, my_keys=pair, server_public_key=read_public(running.server_public))


def noise(seed):
    rng = random.Random(seed)
    yield b""
    yield b"\xdd\xff\xff\xff\xff"
    yield b"\x91" * 100_000
    yield pack({"type": "batch"})
    yield pack({"type": "command", "verb": "act", "args": {"verb": "receive", "args": {"a": [1] * 1_000}}})
    yield pack({"type": "chunk", "batch_number": "1", "first": 0, "applications": [1, 2, 3]})
    yield pack({"type": "hello", "version": 99})
    while True:
        yield rng.randbytes(rng.choice([1, 10, 200, 5_000]))


@pytest.mark.parametrize("role", ["upstream", "operator"])
def test_every_garbled_message_gets_a_coded_answer_and_the_service_goes_on(shared, role):
    with dealer(shared, role, f"{role}-stranger") as stranger:
        for _, frame in zip(range(NOISE), noise(1), strict=False):
            stranger.send(frame, 60)
            answer = msgspec.msgpack.decode(bytes(stranger.recv(60)))
            assert answer["type"] in ("error", "welcome")
            if answer["type"] == "error":
                assert re.fullmatch(r"[a-z]+\.[a-z_]+", answer["code"]), answer
                assert answer["text"]
    with shared.operator() as ann:
        assert ann.command("status")["tally"]["received"] == 0
    assert shared.process.poll() is None


def test_a_station_that_speaks_nonsense_is_an_event_and_no_more(shared):
    with dealer(shared, "station", "p9") as station:
        for _, frame in zip(range(50), noise(2), strict=False):
            station.send(frame, 60)
        station.send(pack({"type": "done", "job_id": 7, "started_floor_s": 1.0, "ended_floor_s": 2.0}), 60)
        station.send(
            pack({"type": "hello", "version": 1, "step": "print", "model": "x", "load_max": 1, "state": "idle"}), 10
        )
        kinds = {msgspec.msgpack.decode(bytes(station.recv(60)))["type"]}
    assert kinds == {"welcome"}
    with shared.operator() as ann:
        [seen] = ann.command("stations")
        assert (seen["station"], seen["step"]) == ("p9", "print")
    assert shared.process.poll() is None


def test_one_record_that_cannot_be_typed_is_refused_alone(running):
    with running.upstream() as north:
        today = north.hello().floor_date
        population = Population(3, faces=FaceSource(3))
        good = [encode_application(population.application(index, today)) for index in range(3)]
        wrong = pack({**msgspec.msgpack.decode(good[1]), "name": 17})
        junk = pack(["no", "map"])
        number = "520000000000" + today + "00003"
        north.submit_batch(number, today, [good[0], wrong, junk, good[2]])
        found = {one.index: (one.kind, one.codes) for one in next(iter(north.follow_receipts(rest_s=5.0)))}
    assert found == {
        0: ("accepted", []),
        1: ("refused", ["type.name"]),
        2: ("refused", ["record.unreadable"]),
        3: ("accepted", []),
    }


def test_an_accepted_application_can_be_cancelled_once_by_its_own_upstream(running):
    with running.upstream() as north, running.upstream("south") as south:
        today = north.hello().floor_date
        population = Population(3, faces=FaceSource(3))
        apps = [population.application(index, today) for index in range(2)]
        number = "520000000000" + today + "00004"
        north.submit_batch(number, today, [encode_application(app) for app in apps])
        pages = north.follow_receipts(rest_s=5.0)
        assert [one.kind for one in next(pages)] == ["accepted", "accepted"]
        with pytest.raises(Refused) as foreign:
            south.cancel(apps[0].acceptance_number, "not mine")
        assert foreign.value.code == "cancel.unknown"
        north.cancel(apps[0].acceptance_number, "moved away")
        [cancelled] = next(pages)
        assert (cancelled.kind, cancelled.acceptance_number) == ("cancelled", apps[0].acceptance_number)
        north.cancel(apps[0].acceptance_number, "the answer was lost")
        assert north.receipts(cancelled.number).items == []


def test_a_held_application_that_is_cancelled_is_refused_and_asked_again_the_answer_is_the_same(running):
    with running.upstream() as north:
        today = north.hello().floor_date
        app = msgspec.structs.replace(Population(4, faces=FaceSource(4)).application(0, today), name="样")
        north.submit_batch("520000000000" + today + "00006", today, [encode_application(app)])
        pages = north.follow_receipts(rest_s=5.0)
        assert [one.kind for one in next(pages)] == ["held"]
        for reason in ("moved away", "the answer was lost"):
            north.cancel(app.acceptance_number, reason)
        told = [(one.kind, one.codes) for one in north.receipts(1).items]
    assert told == [("refused", ["name.single"]), ("batch_closed", [])]


def test_the_same_place_with_other_content_is_a_conflict_and_the_first_stays(running):
    with running.upstream() as north:
        today = north.hello().floor_date
        population = Population(3, faces=FaceSource(3))
        sent = [encode_application(population.application(index, today)) for index in range(3)]
        number = "520000000000" + today + "00005"
        north.open_batch(number, today, 3, batch_digest(sent))
        north.send_chunk(number, 0, sent[:1])
        with pytest.raises(Refused) as conflict:
            north.send_chunk(number, 0, sent[1:2])
        assert conflict.value.code == "chunk.conflict"
        with pytest.raises(Refused) as beyond:
            north.send_chunk(number, 2, sent[:2])
        assert beyond.value.code == "chunk.limit"
        assert north.submit_batch(number, today, sent).state in ("checking", "open")


def test_what_no_number_should_be_is_not_kept_outside_the_vault(running):
    canary = "张三丰的身份证"
    with running.upstream() as north:
        today = north.hello().floor_date
        app = Population(3, faces=FaceSource(3)).application(0, today)
        app = msgspec.structs.replace(app, acceptance_number=canary, unit=canary, reason=canary, identity_number=canary)
        number = "520000000000" + today + "00006"
        north.submit_batch(number, today, [encode_application(app)])
        refused, closed = next(iter(north.follow_receipts(rest_s=5.0)))
        assert closed.kind == "batch_closed"
        assert (refused.kind, refused.acceptance_number) == ("refused", "")
    assert running.stop() == 0
    for path in running.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert canary.encode() not in content, path
            assert app.name.encode() not in content, path
