"""`docs/station-guide.md`: its messages are those of the code, and its station keeps the protocol on a bad line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path
from random import Random
from typing import Any, get_args

import msgpack
import msgspec
import pytest
import zmq

from devices import lies
from devices import messages as station
from devices.keys import curve_keypair
from devices.messages import SheetWork, StationState
from devices.protocol import ControllerSide, Finished, Lied, NeverSeen, Taken, Unknown
from encoders.envelope import Opener, pack
from tests.docs.wire_examples import EXAMPLES

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "station-guide.md").read_text("utf-8")
SHOWN = dict(re.findall(r"^```json (\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))
MORE = {
    "ask": station.Ask(job_id=41),
    "never_seen": station.JobUnseen(job_id=41),
    "unknown": station.JobUnknown(job_id=41),
}
(PROGRAM,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SAID: Opener[Any] = Opener(station.StationSaid)


def as_written(value: Any) -> Any:
    """A message as the page writes it: bytes are text `h'…'`."""
    if isinstance(value, bytes):
        return f"h'{value.hex()}'"
    if isinstance(value, dict):
        return {name: as_written(one) for name, one in value.items()}
    return [as_written(one) for one in value] if isinstance(value, list) else value


@pytest.mark.parametrize("name", SHOWN)
def test_a_message_of_the_guide_is_what_the_code_sends(name):
    message = {**EXAMPLES, **MORE}[name]
    assert json.loads(SHOWN[name]) == as_written(msgspec.to_builtins(message, builtin_types=(bytes,)))


def test_every_message_of_a_station_is_shown():
    shown = {type({**EXAMPLES, **MORE}[name]) for name in SHOWN}
    assert shown == {*get_args(station.StationSaid), *get_args(station.ControllerSaid)}


def test_every_state_and_every_lie_stands_in_a_table():
    assert re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]*\|$", PAGE, re.MULTILINE)[: len(StationState)] == [
        "idle",
        "execute",
        "held",
        "suspended",
        "aborted",
        "stopped",
    ]
    assert {state.value for state in StationState} == {"idle", "execute", "held", "suspended", "aborted", "stopped"}
    codes = {value for name, value in vars(lies).items() if name.isupper() and str(value).startswith("station.")}
    assert set(re.findall(r"`(station\.\w+)`", PAGE.partition("## A whole station")[0])) == codes


class Line:
    """The guide's station and our side of the link, joined by a line that loses, repeats and delays frames."""

    def __init__(self, seed: int, lost: float) -> None:
        room: dict[str, Any] = {}
        exec(compile(PROGRAM, "station-guide.md", "exec"), room)
        self.punch, self.side = room["Punch"](), ControllerSide("c1")
        self.chance, self.lost, self.now_s = Random(seed), lost, 100.0
        self.events: list[Any] = []
        self.ran: list[int] = []

    def arrives(self) -> int:
        """How often a frame arrives."""
        return 0 if self.chance.random() < self.lost else 1 + (self.chance.random() < self.lost)

    def say(self, messages: list[Any]) -> None:
        for message in messages:
            for _ in range(self.arrives()):
                before = self.punch.running
                said = self.punch.received(msgpack.unpackb(pack(message)), self.now_s)
                if self.punch.running is not before:  # a start alone changes it here
                    self.ran.append(self.punch.running["job_id"])
                self.hear(said)

    def hear(self, said: list[dict[str, Any]]) -> None:
        for one in said:
            for _ in range(self.arrives()):
                heard = self.side.received(SAID.unpack(msgpack.packb(one)), self.now_s)
                self.events += heard.events
                welcome = station.Welcome(version=1, centre="cardmill", floor_s=self.now_s, scale=1.0)
                self.say([welcome] * heard.welcome + heard.messages)

    def until(self, wanted: type, at_most_s: float = 300.0) -> Any:
        """The next event of a kind, while seconds pass."""
        end_s = self.now_s + at_most_s
        while not (found := [one for one in self.events if isinstance(one, wanted)]):
            assert self.now_s < end_s, f"no {wanted.__name__} came"
            self.now_s += 0.25
            self.hear(self.punch.tick(self.now_s))
            heard = self.side.tick(self.now_s)
            self.events += heard.events
            self.say(heard.messages)
        self.events.remove(found[0])
        return found[0]


def load(job_id: int) -> station.Start:
    return station.Start(job_id=job_id, step="punch", sheets=[SheetWork(job_id * 10)])


@pytest.mark.parametrize("seed", range(20))
def test_the_station_of_the_guide_runs_each_job_once_on_a_line_that_loses_and_repeats(seed):
    line = Line(seed, lost=0.25)
    for job_id in (1, 2, 3):
        line.say(line.side.start(load(job_id), line.now_s))
        done = line.until(Finished).done
        assert done.job_id == job_id
        assert done.started_floor_s < done.ended_floor_s
        line.say(line.side.release([job_id]))
    assert line.ran == [1, 2, 3]
    assert [one for one in line.events if isinstance(one, Lied | Unknown)] == []


def test_the_station_of_the_guide_answers_an_ask_by_what_it_knows():
    line = Line(1, lost=0.0)
    line.say(line.side.ask(1, line.now_s))
    assert line.until(NeverSeen).job_id == 1
    line.say(line.side.start(load(2), line.now_s))
    assert line.until(Taken).job_id == 2
    line.until(Finished)
    line.say(line.side.release([2]))
    assert line.punch.answer(2) == {"type": "unknown", "job_id": 2}
    assert line.punch.answer(3) == {"type": "never_seen", "job_id": 3}


def test_the_line_of_these_tests_loses_and_repeats():
    line = Line(3, lost=0.25)
    assert {line.arrives() for _ in range(200)} == {0, 1, 2}


def test_the_station_of_the_guide_speaks_over_a_real_line(tmp_path):
    program = tmp_path / "station.py"
    program.write_text(
        PROGRAM + "\n\nif __name__ == '__main__':\n    import sys\n\n    run(*sys.argv[1:5], seconds=0.2)\n"
    )
    mine, theirs = curve_keypair(), curve_keypair()
    with zmq.Context() as context, context.socket(zmq.ROUTER) as router:
        router.linger, router.curve_server = 0, 1
        router.curve_secretkey, router.curve_publickey = mine.secret.encode(), mine.public.encode()
        router.bind("tcp://127.0.0.1:*")
        endpoint = router.LAST_ENDPOINT.rstrip(b"\0").decode()
        words = [sys.executable, str(program), endpoint, mine.public, theirs.public, theirs.secret]
        with subprocess.Popen(words) as station_process:
            try:
                assert finished_over(router).job_id == 7
            finally:
                station_process.kill()


def finished_over(router: zmq.Socket[bytes]) -> station.JobDone:
    """Welcome whoever says hello, give one load, and give its result."""
    side, until_s = ControllerSide("c1"), time.monotonic() + 60
    given = False
    while time.monotonic() < until_s:
        out = side.tick(time.monotonic()).messages
        peer = None
        if router.poll(100):
            peer, frame = router.recv_multipart()
            heard = side.received(SAID.unpack(frame), time.monotonic())
            out += heard.messages
            if heard.welcome:
                out.insert(0, station.Welcome(version=1, centre="cardmill", floor_s=time.time(), scale=1.0))
            for event in heard.events:
                if isinstance(event, Finished):
                    return event.done
        if peer and not given:
            given, out = True, [*out, *side.start(load(7), time.monotonic())]
        for message in out if peer else ():
            router.send_multipart([peer, pack(message)])
    raise AssertionError("no result came")
