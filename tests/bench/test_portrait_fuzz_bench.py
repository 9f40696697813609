"""`python -m bench portrait-fuzz` and `portrait-threads`: inputs of every kind, what is bad is seen."""

import json

import numpy as np
import pytest

from bench import portrait_fuzz, portrait_threads
from bench.portrait_fuzz import Tally, checks_bounds, decode_one, encode_one, fuzz
from bench.portrait_fuzz_inputs import PICTURES, SHAPE, STREAMS, named
from encoders import portrait
from encoders.portrait import PortraitError


def generator(number):
    return np.random.default_rng((9, number))


def test_no_kind_of_stream_or_picture_breaks_the_codec():
    decoded, encoded = Tally(), Tally()
    for number in range(30 * len(STREAMS)):
        decode_one(decoded, 5, number)
    for number in range(2 * len(PICTURES)):
        encode_one(encoded, 5, number)
    assert (decoded.crashes, encoded.crashes, decoded.examples, encoded.examples) == (0, 0, [], [])
    assert encoded.of("fine") == 2 * len(PICTURES)
    assert decoded.of("fine") > 20 * len(STREAMS) - 60
    assert decoded.of("refused") > 20
    assert max(encoded.longest_bytes.values()) <= portrait.MAX_STREAM_BYTES


@pytest.mark.parametrize("make", [*STREAMS, *PICTURES], ids=named)
def test_a_number_gives_the_same_input_each_time_and_others_give_others(make):
    made = [make(generator(number)) for number in range(20)]
    assert all(np.array_equal(one, make(generator(number))) for number, one in enumerate(made))
    assert len({one if isinstance(one, bytes) else one.tobytes() for one in made}) > 12
    if make in PICTURES:
        assert {(one.shape, one.dtype) for one in made} == {(SHAPE, np.dtype(np.uint8))}


def test_a_crash_a_stream_too_long_and_one_that_shows_nothing_are_told(monkeypatch):
    def breaks(stream):
        raise IndexError(len(stream))

    def refuses(stream):
        raise PortraitError("portrait.stream_size", "no")

    tally = Tally()
    monkeypatch.setattr(portrait, "decode", breaks)
    decode_one(tally, 1, 1)
    encode_one(tally, 1, 0)
    monkeypatch.setattr(portrait, "decode", refuses)
    decode_one(tally, 1, 1)
    encode_one(tally, 1, 8)
    monkeypatch.setattr(portrait, "encode", lambda pixels: bytes(1025))
    encode_one(tally, 1, 16)
    kinds = [named(STREAMS[1]), named(PICTURES[0])]
    assert tally.examples == [
        f"{kinds[0]} 1: IndexError",
        f"{kinds[1]} 0: IndexError",
        f"{kinds[1]} 8: unreadable",
        f"{kinds[1]} 16: too long",
    ]
    assert (tally.crashes, tally.of("refused"), tally.of("too long")) == (3, 1, 1)


def test_what_two_processes_count_is_one_tally():
    found = fuzz(300, 0, 3, 2)
    alone = portrait_fuzz.some("decode", 3, range(300))
    assert found["decode"].counts == alone.counts
    assert found["decode"].longest_bytes == alone.longest_bytes
    assert set(found["decode"].slowest_ms) == set(map(named, STREAMS))


def test_kernels_here_do_not_check_indices_and_do_not_say_so():
    assert not checks_bounds()


def test_the_fuzz_command_gives_all_keys_and_ends_well(tmp_path, monkeypatch):
    monkeypatch.setattr(portrait_fuzz, "checked", lambda decodes, encodes, seed, processes: found_by_checks())
    file = tmp_path / "fuzz.json"
    arguments = ["--inputs", "21", "--encodes", "8", "--checked", "5", "--processes", "1", "--json", str(file)]
    assert portrait_fuzz.main(arguments) == 0
    result = json.loads(file.read_text("utf-8"))
    assert (result["decode"]["inputs"], result["encode"]["inputs"], result["checked"]["decode"]["inputs"]) == (21, 8, 1)
    assert set(result["decode"]["kinds"]) == set(map(named, STREAMS))
    for way in ("decode", "encode"):
        assert {"inputs", "fine", "refused", "too_long", "crashes", "slowest_ms", "kinds"} <= set(result[way])
        assert (result[way]["too_long"], result[way]["crashes"]) == (0, 0)


def found_by_checks(outcome="fine"):
    tally = Tally()
    tally.note("noise", outcome, 0.001, 0)
    return {way: portrait_fuzz.figures(tally) for way in portrait_fuzz.WAYS}


def test_a_crash_that_only_checks_find_fails_the_command(monkeypatch):
    monkeypatch.setattr(portrait_fuzz, "checked", lambda *_: found_by_checks("IndexError"))
    assert portrait_fuzz.main(["--inputs", "1", "--encodes", "0", "--checked", "1", "--processes", "1"]) == 1


def test_the_threads_command_gives_its_figures(tmp_path):
    file = tmp_path / "threads.json"
    assert portrait_threads.main(["--pictures", "2", "--rounds", "2", "--starts", "2", "--json", str(file)]) == 0
    result = json.loads(file.read_text("utf-8"))
    for name in ("threads_by_processes", "threads_ms_a_picture", "processes_ms_a_picture", "warm_start_s"):
        assert result[name]["median"] > 0
