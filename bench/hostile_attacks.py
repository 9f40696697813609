"""The attacks: each does its worst once, and raises when the service let it; what has to count it stands beside it."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from random import Random

import msgspec
import zmq

from bench.hostile_bombs import command_bomb, jpeg_bombs, msgpack_bombs
from bench.hostile_place import DOORS, NotStopped, Place, answer_of, asked, connect, dealers, is_closed, key_of, within
from bench.hostile_upstream import Mallory

REFUSALS = "cardmill_refusals_total"  # the one metric in which every row shows
ENDED, SHED, FLOODED = 'code="link.ended"', 'code="link.peer_shed"', 'code="link.flooded"'
UPSTREAM, STATIONS = 'door="upstream"', 'door="station"'
HELLO = msgspec.msgpack.encode({"type": "hello", "version": 1})
NULL_GREETING = b"\xff" + bytes(8) + b"\x7f\x03\x00NULL" + bytes(48)  # ZMTP 3.0, RFC 23
STRANGERS, SILENT, SCANS = 20, 200, 10
LISTEN_S, LISTEN_MS, HOLD_S = 0.3, 300, 1.0
OVERSIZE_BYTES = 5 << 20
FLOOD_FRAMES = 10_000  # forty times what one peer may have waiting
ANNOUNCED = 320  # ten times the batches one upstream may have open
REFUSED_ROWS, QUESTIONS, ROUNDS, LIES = 200, 50, 100, 200
PROBES = (
    b"",
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60),  # the start of a TLS hello
    b"SSH-2.0-scan\r\n",
    NULL_GREETING[:11],
    b"\xff" * 64,
)


@dataclass(frozen=True, slots=True)
class Attack:
    """One row of the hostile bed: what is done, and where the one metric has to rise by how much in one round."""

    run: Callable[[Place], None]
    labels: tuple[str, ...]
    least: int = 1

    def round(self, place: Place) -> None:
        """Attack once.  Raises: NotStopped: it got through, or was not counted."""
        self.rounds(place, lambda: True)

    def rounds(self, place: Place, is_over: Callable[[], bool]) -> int:
        """Attack until it is over, at least once; give how often.  Raises: NotStopped, as `round`.

        The page of metrics is read before and after only: reading it is no attack, and costs the service work.
        """
        before, done = place.counted(REFUSALS, *self.labels), 0
        while not done or not is_over():
            self.run(place)
            done += 1
        within(
            lambda: place.counted(REFUSALS, *self.labels) >= before + self.least * done,
            f"{REFUSALS} {self.labels} did not rise by {self.least} in each of {done} rounds",
        )
        return done


def unlisted_keys(place: Place) -> None:
    """Knock with keys that nobody listed."""
    _knock_in_vain(place)


def wrong_server_keys(place: Place) -> None:
    """Connect to another server's key: somebody in the middle, or an old copy."""
    _knock_in_vain(place, server=zmq.curve_keypair()[0])


def _knock_in_vain(place: Place, server: bytes | None = None) -> None:
    with dealers(place, STRANGERS, server=server) as strangers:
        for one in strangers:
            one.send(HELLO)
        time.sleep(LISTEN_S)
        if any(one.poll(0) for one in strangers):
            raise NotStopped("a stranger was answered")


def null_clients(place: Place) -> None:
    """Speak ZeroMQ without CURVE."""
    for _ in range(STRANGERS):
        with connect(place, "upstreams") as bare:
            bare.sendall(NULL_GREETING)
            if not is_closed(bare):
                raise NotStopped("a client without CURVE was not hung up on")
    time.sleep(LISTEN_S)  # strangers, not a flood of connections: that is for a packet filter


def stolen_routing_id(place: Place) -> None:
    """Take another upstream's routing id with one's own listed key."""
    routing_id = b"window-%d" % time.time_ns()
    with dealers(place, secret=key_of(place.owner_secret), routing_id=routing_id) as [owner]:
        name = asked(owner, {"type": "hello", "version": 1})["you"]  # it has the id before the thief comes
        with dealers(place, secret=key_of(place.insider_secret), routing_id=routing_id) as [thief]:
            for _ in range(STRANGERS):
                thief.send(HELLO)
                if asked(owner, {"type": "hello", "version": 1})["you"] != name:
                    raise NotStopped("a routing id gave another name")
            if thief.poll(LISTEN_MS):
                raise NotStopped("the thief of a routing id was answered")


def oversize_frames(place: Place) -> None:
    """Send frames longer than any may be."""
    with dealers(place, secret=key_of(place.insider_secret)) as [raw]:
        asked(raw, {"type": "hello", "version": 1})
        ended = place.counted(REFUSALS, ENDED, UPSTREAM)
        raw.send(bytes(OVERSIZE_BYTES))
        within(
            lambda: place.counted(REFUSALS, ENDED, UPSTREAM) > ended,
            "an oversize frame did not cost its sender the connection",
        )


def silent_strangers(place: Place) -> None:
    """Open 200 connections and say nothing."""
    with ExitStack() as stack:
        silent = [stack.enter_context(connect(place, "upstreams")) for _ in range(SILENT)]
        if not all(is_closed(one) for one in silent):
            raise NotStopped("silent strangers were not hung up on")


def silent_insiders(place: Place) -> None:
    """Open 200 connections with a listed key, and say nothing more once they are let in."""
    with dealers(place, SILENT, secret=key_of(place.insider_secret)) as silent:
        for one in silent:
            one.send(HELLO)
        for one in silent:
            answer_of(one)
        time.sleep(HOLD_S)


def slow_readers(place: Place) -> None:
    """Ask for long answers and read none of them."""
    with dealers(place, secret=key_of(place.insider_secret)) as [raw]:
        mallory = Mallory(raw)
        if sum(1 for _ in mallory.receipts()) < REFUSED_ROWS:
            mallory.bring(mallory.people(REFUSED_ROWS))
    question = msgspec.msgpack.encode({"type": "receipts", "after": 0, "limit": 500})

    def stopped() -> float:  # shed where answers pile up here, hung up on where they pile up in the system
        shed = place.counted(REFUSALS, SHED, UPSTREAM)
        return shed + place.counted(REFUSALS, ENDED, UPSTREAM)

    before = stopped()
    with dealers(place, secret=key_of(place.insider_secret), rcvhwm=1, rcvbuf=4_096) as [sleeper]:
        for _ in range(ROUNDS):
            with suppress(zmq.Again):  # it has been hung up on, and ZeroMQ has no room for more
                for _ in range(QUESTIONS):
                    sleeper.send(question, zmq.NOBLOCK)
            time.sleep(LISTEN_S)  # its inbox must not overflow: it is the answers that shall wait
            if stopped() > before:
                return
    raise NotStopped("answers that nobody reads were kept")


def frame_flood(place: Place) -> None:
    """Send far more requests at once than one peer may have waiting."""
    with dealers(place, secret=key_of(place.insider_secret), sndhwm=0) as [raw]:
        asked(raw, {"type": "hello", "version": 1})
        dropped = place.counted(REFUSALS, FLOODED)
        for _ in range(FLOOD_FRAMES):
            raw.send(HELLO)
        within(lambda: place.counted(REFUSALS, FLOODED) > dropped, "a flood was all let in")


def batch_flood(place: Place) -> None:
    """Announce ten times the batches that one upstream may have open, and bring none."""
    with dealers(place, secret=key_of(place.insider_secret)) as [raw]:
        mallory = Mallory(raw)
        person, taken = mallory.people(1), 0
        for _ in range(ANNOUNCED):
            taken += mallory.announce(mallory.new_number(), person)["type"] == "batch_state"
        if taken > ANNOUNCED // 10:
            raise NotStopped(f"{taken} batches of one upstream were taken")


def replayed_chunks(place: Place) -> None:
    """Send the chunks of a batch backwards, three times each, then changed, then all again."""
    with dealers(place, secret=key_of(place.insider_secret)) as [raw]:
        mallory = Mallory(raw)
        people, known = mallory.people(60), sum(1 for _ in mallory.receipts())
        number, cut = mallory.new_number(), list(range(0, 60, 20))
        mallory.announce(number, people)
        for first in reversed(cut):
            for _ in range(3):
                _must_be(mallory.chunk(number, first, people[first : first + 20]), "chunk_stored")
        changed = [people[1], people[0], *people[2:20]]
        _must_be(mallory.chunk(number, 0, changed), "error", "chunk.conflict")
        within(lambda: mallory.state(number) in ("open", "closed"), "a batch got no verdicts")
        for first in cut:
            _must_be(mallory.chunk(number, first, people[first : first + 20]), "chunk_stored")
        _must_be(mallory.announce(number, people[::-1]), "error", "batch.conflict")
        told = [one["index"] for one in mallory.receipts() if one["batch_number"] == number and one["index"] >= 0]
        if sorted(told) != list(range(60)):
            raise NotStopped(f"{len(told)} receipts for 60 applications, {known} before")


def _must_be(answer: dict[str, object], kind: str, code: str = "") -> None:
    if answer["type"] != kind or (code and answer["code"] != code):
        raise NotStopped(f"{kind} {code} was expected, it was {answer.get('code', answer['type'])}")


def frame_bombs(place: Place) -> None:
    """Send frames that claim to be large, or are deep; an operator's too."""
    with dealers(place, secret=key_of(place.insider_secret)) as [raw]:
        for what, frame in msgpack_bombs().items():
            raw.send(frame)
            answer = answer_of(raw)
            if answer["type"] != "error" or not str(answer["code"]).startswith("envelope."):
                raise NotStopped(f"{what}: {answer['type']}")
    with dealers(place, door="operators", secret=key_of(place.operator_secret)) as [raw]:
        raw.send(command_bomb())
        _must_be(answer_of(raw), "error")


def picture_bombs(place: Place) -> None:
    """Bring portraits that are small as files and huge as pictures."""
    with dealers(place, secret=key_of(place.insider_secret)) as [raw]:
        mallory, pictures = Mallory(raw), list(jpeg_bombs().values())
        number = mallory.bring(mallory.people(len(pictures), pictures), chunk_size=2)
        told = {one["index"]: one for one in mallory.receipts() if one["batch_number"] == number}
        for index, what in enumerate(jpeg_bombs()):
            codes = told[index]["codes"]
            if told[index]["kind"] != "refused" or not any(code.startswith("portrait.") for code in codes):
                raise NotStopped(f"{what}: {told[index]['kind']} {codes}")


def scans(place: Place) -> None:
    """Probe every socket: connect and leave, speak other protocols, send random bytes."""
    rng = Random(time.time_ns())
    for door in (*DOORS, "metrics"):
        for number in range(SCANS):
            for words in (*PROBES, rng.randbytes(rng.choice((1, 64, 5_000)))):
                with connect(place, door) as bare:
                    bare.sendall(words)
                    if number == 0 and words and door != "metrics" and not is_closed(bare):
                        raise NotStopped(f"{door} kept a scanner's connection")


def lying_stations(place: Place) -> None:
    """Claim results of jobs that were never given, with a station's own key."""
    done = {"type": "done", "started_floor_s": 1.0, "ended_floor_s": 2.0, "sheets": [], "packed": []}
    with dealers(place, door="stations", secret=key_of(place.station_secret)) as [raw]:
        hello = {"type": "hello", "version": 1, "step": "punch", "model": "liar", "load_max": 1, "state": "idle"}
        question = msgspec.msgpack.encode(hello)
        raw.send(question)
        _must_be(answer_of(raw), "welcome")
        first = time.time_ns() // 1_000_000
        for job_id in range(first, first + LIES):
            raw.send(msgspec.msgpack.encode(done | {"job_id": job_id}))
        raw.send(b"nonsense")
        raw.send(question)  # its answer says that all before it was heard
        answer_of(raw)
        time.sleep(LISTEN_S)


ATTACKS: dict[str, Attack] = {
    "unlisted key": Attack(unlisted_keys, ('code="link.key_refused"', UPSTREAM), STRANGERS),
    "wrong server key": Attack(wrong_server_keys, ('code="link.wrong_server_key"', UPSTREAM), STRANGERS),
    "no CURVE": Attack(null_clients, ('code="link.no_curve"', UPSTREAM), STRANGERS),
    "stolen routing id": Attack(stolen_routing_id, (ENDED, UPSTREAM), 2),
    "oversize frame": Attack(oversize_frames, (ENDED, UPSTREAM)),
    "200 silent strangers": Attack(silent_strangers, ('code="link.no_handshake"', UPSTREAM), SILENT),
    "200 silent insiders": Attack(silent_insiders, (ENDED, UPSTREAM), SILENT),
    "slow reader": Attack(slow_readers, (ENDED, UPSTREAM)),
    "frame flood": Attack(frame_flood, ('code="link.flooded"', UPSTREAM)),
    "replayed chunks": Attack(replayed_chunks, ('code="chunk.conflict"', UPSTREAM)),
    "msgpack bombs": Attack(frame_bombs, ('code="envelope.', UPSTREAM), len(msgpack_bombs())),
    "JPEG bombs": Attack(picture_bombs, ('code="portrait.', UPSTREAM), 6),
    "scans and random bytes": Attack(scans, (ENDED,), 3 * SCANS * (len(PROBES) + 1)),
    "lying station": Attack(lying_stations, ('code="station.job_not_given"', STATIONS), LIES),
    # last: what it announces stays open, and its upstream may bring nothing more
    "batch flood": Attack(batch_flood, ('code="busy"', UPSTREAM), ANNOUNCED // 10 * 9),
}
