"""`python -m bench fuzz`: every decoder stands a few thousand mutated frames, and a decoder that does not is seen."""

from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench import fuzz
from bench.fuzz import Counted, main
from bench.fuzz_archives import NAME, RESHAPES, allowed_s, good_archives, mutated_archive
from bench.fuzz_doors import counted_on, fuzz_doors
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


# ---- archives -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def archive_target(all_targets) -> Target:
    [found] = [target for target in all_targets if target.name == "archive"]
    return found


def test_each_way_to_break_an_archive_is_an_answer_and_most_have_a_code_of_their_own(archive_target):
    rng, counted = Random(5), Counted()
    for reshape in dict.fromkeys(RESHAPES):
        for _ in range(6):
            archive = reshape({f"{NAME}.xml": b"<package/>", "1.jpg": b"\xff\xd8"}, rng)
            outcome, kind, _ = fuzz.attempt(archive_target, archive)
            counted.note(archive_target, outcome, kind, 0.0, archive)
    codes = {code for _, code in counted.codes}
    assert (counted.unhandled, counted.examples) == (0, [])
    wanted = {"package.zip", "package.zip_path", "package.zip_doubled", "package.zip_nested", "package.zip_method"}
    assert wanted <= codes, codes


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=12)), max_size=4))
def test_an_archive_with_any_bytes_anywhere_is_read_or_refused_by_its_code(archive_target, seed, cuts):
    archive = bytearray(mutated_archive(good_archives(), Random(seed)))
    for share, piece in cuts:
        at = int(share * len(archive))
        archive[at : at + len(piece)] = piece
    outcome, kind, _ = fuzz.attempt(archive_target, bytes(archive))
    assert outcome in ("read", "refused"), (seed, cuts, kind)
    if outcome == "refused":
        assert kind[1].startswith("package.")


def test_an_archive_may_take_longer_for_what_it_holds_and_for_nothing_else():
    [bomb] = {one for one in RESHAPES if one.__name__ == "_bomb"}
    assert allowed_s(b"no archive") == pytest.approx(0.2)
    assert 0.1 < allowed_s(good_archives()[0]) < 0.2
    assert allowed_s(bomb({"1.jpg": b""}, Random(2))) > 0.1
    target = Target("one", [b"x"], len, (), 1, allows_s=lambda frame: 0.5)
    counted = Counted()
    for spent_s in (0.05, 0.4, 0.6):
        counted.note(target, "read", "kind", spent_s, b"x")
    assert counted.sum_of("slow") == 1


def test_refusals_are_counted_by_their_code():
    def refuses(frame: bytes) -> None:
        raise Refused

    assert counted_of(refuses).codes == {("one", "a.code"): 50}


# ---- at the doors ---------------------------------------------------------------------------------------------


@pytest.mark.whole
def test_a_service_counts_exactly_the_frames_that_were_sent_badly():
    doors = fuzz_doors(300, 3)
    assert doors["agree"] == 1, doors
    assert doors["counted"] == doors["sent_badly"] > 100
    assert {code.split()[0] for code in doors["codes"]} == {"upstream", "operator", "station"}


def test_a_page_of_metrics_is_read_by_door_and_code():
    page = (
        "# TYPE cardmill_refusals_total counter\n"
        'cardmill_refusals_total{code="envelope.type",door="station"} 12.0\n'
        'cardmill_refusals_total{code="busy",door="upstream"} 3.0\n'
        'cardmill_refusals_created{code="envelope.type",door="station"} 1.7e9\n'
    )
    assert counted_on(page) == {("station", "envelope.type"): 12}
