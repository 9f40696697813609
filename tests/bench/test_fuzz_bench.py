"""`python -m bench fuzz`: every decoder stands a few thousand mutated frames, and a decoder that does not is seen."""

from __future__ import annotations

import json
from random import Random

import pytest

from bench import fuzz
from bench.fuzz import Counted, main
from bench.fuzz_mutations import GROWN_MAX_BYTES, LYING, MUTATIONS, mutated
from bench.fuzz_targets import Target, targets


class Refused(Exception):
    """What a target may raise."""

    code = "a.code"


def counted_of(call, frames: int = 50) -> Counted:
    counted = Counted()
    fuzz.fuzz(Target("one", [b"some good bytes"], call, (Refused,), 1), frames, 1, counted)
    return counted


@pytest.fixture(scope="module")
def all_targets(tmp_path_factory) -> list[Target]:
    return targets(tmp_path_factory.mktemp("fuzzed"))


def test_no_decoder_breaks_on_some_thousand_mutated_frames(all_targets):
    counted = Counted()
    for target in all_targets:
        fuzz.fuzz(target, 60 * min(target.share, 4), 7, counted)
    assert (counted.unhandled, [one for one in counted.examples if " ms " not in one]) == (0, []), counted.examples


def test_every_seed_is_good(all_targets):
    outcomes = {(target.name, fuzz.attempt(target, seed)[0]) for target in all_targets for seed in target.seeds}
    assert outcomes == {(target.name, "read") for target in all_targets}


def test_an_error_of_no_family_is_unhandled_and_told():
    def breaks(frame: bytes) -> int:
        return 1 // (len(frame) % 3)

    counted = counted_of(breaks)
    assert 0 < counted.unhandled == counted.frames["one", "ZeroDivisionError"] < 50
    assert counted.sum_of("read") == 50 - counted.unhandled
    assert counted.examples[0].startswith("one ZeroDivisionError")


def test_a_refusal_is_an_answer():
    def refuses(frame: bytes) -> None:
        raise Refused

    counted = counted_of(refuses)
    assert (counted.sum_of("refused"), counted.unhandled, counted.examples) == (50, 0, [])


def test_a_slow_call_is_counted_beside_its_outcome(monkeypatch):
    monkeypatch.setattr(fuzz, "MOST_S", -1.0)
    counted = counted_of(len)
    assert (counted.sum_of("slow"), counted.sum_of("read"), counted.unhandled) == (50, 50, 0)
    assert "one read" in counted.examples[0]


def test_bytes_that_do_something_new_are_mutated_further():
    depths = set()

    def depth_of(frame: bytes) -> int:
        depths.add(min(frame.count(b"!"), 6))
        return min(frame.count(b"!"), 6)

    counted = Counted()
    fuzz.fuzz(Target("one", [b"a!"], depth_of, (), 1), 600, 1, counted)
    assert depths >= {0, 1, 2, 3, 4}


def test_a_seed_gives_the_same_frames_and_no_frame_grows_without_bound():
    seeds = [b"some good bytes" * 20, b"\x82\xa1a\xc0\xa1b\x91\x01"]
    first, again = ([mutated(seeds, rng) for _ in range(2_000)] for rng in (Random(3), Random(3)))
    assert first == again
    assert len(set(first)) > 1_500
    assert max(map(len, first)) < GROWN_MAX_BYTES + len(MUTATIONS) * max(map(len, LYING))


def test_the_command_gives_all_keys_and_ends_well(tmp_path):
    file = tmp_path / "fuzz.json"
    assert main(["--frames", "300", "--json", str(file)]) == 0
    result = json.loads(file.read_text("utf-8"))
    assert result["frames"] >= 300
    assert result["frames"] == result["read"] + result["refused"]
    assert (result["unhandled"], result["slow"]) == (0, 0)
