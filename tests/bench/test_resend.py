"""`python -m bench resend`: one set of receipts for each base whatever the line does; a service that errs is seen."""

from __future__ import annotations

import json
from collections import Counter
from functools import partial

import msgspec
import pytest
import trio

from bench import resend
from bench.resend import Sums, main, play_seed
from bench.resend_bases import bases
from bench.resend_centre import Hatch
from bench.resend_play import Played, play

SEEDS = 60


def played_with(seed: int, tmp_path) -> Played:
    return play_seed(seed, str(tmp_path))[1]


@pytest.mark.whole
def test_sixty_seeds_give_each_base_one_set_of_receipts_and_break_nothing(tmp_path):
    file = tmp_path / "resend.json"
    assert main(["--seeds", str(SEEDS), "--json", str(file)]) == 0
    result = json.loads(file.read_text("utf-8"))
    assert (result["seeds"], result["bases"], result["distinct_receipt_sets"]) == (SEEDS, len(bases()), 1)
    assert result["violations"] == 0
    assert all(result[name] > SEEDS for name in ("sends", "reorders", "cuts", "duplicates", "restarts"))


def test_the_receipts_are_those_that_the_base_calls_for(tmp_path):
    played = played_with(1, tmp_path)
    assert played.violations == []
    kinds = Counter(one[0] for one in played.receipts)
    refused = kinds["refused"]
    assert (played.base, kinds["accepted"], kinds["cancelled"]) == ("faults and doubles", 10 - refused, 10 - refused)
    assert refused >= 6
    assert kinds["batch_closed"] == 1
    codes = {code for one in played.receipts for code in one[6]}
    wanted = {"sex.unknown", "type.name", "record.unreadable", "portrait.truncated", "duplicate.application"}
    assert wanted <= codes


def test_a_service_that_forgets_what_it_acknowledged_is_seen(tmp_path, monkeypatch):
    async def forgetful(hatch, frame):
        said = msgspec.msgpack.decode(await ask(hatch, frame))
        if said["type"] == "batch_state" and said["state"] != "receiving" and not forgotten:
            forgotten.append(frame)
            said |= {"state": "receiving", "missing": [[0, 9]]}
        return msgspec.msgpack.encode(said)

    ask, forgotten = Hatch.ask, []
    monkeypatch.setattr(Hatch, "ask", forgetful)
    assert any("acknowledged and are missing" in one for one in played_with(0, tmp_path).violations)


def test_a_service_that_tells_a_receipt_otherwise_later_is_seen(tmp_path, monkeypatch):
    async def fickle(hatch, frame):
        said = msgspec.msgpack.decode(await ask(hatch, frame))
        for one in said.get("items", []):
            told[one["number"]] += 1
            if one["number"] == 1 and told[1] == 2:
                one["codes"] = ["name.single"]
        return msgspec.msgpack.encode(said)

    ask, told = Hatch.ask, Counter()
    monkeypatch.setattr(Hatch, "ask", fickle)
    assert "receipt 1 changed" in played_with(0, tmp_path).violations


def test_a_cut_frame_that_is_taken_for_a_whole_one_is_seen(tmp_path, monkeypatch):
    async def credulous(hatch, frame):
        try:
            msgspec.msgpack.decode(frame)
        except msgspec.DecodeError:
            return msgspec.msgpack.encode({"type": "chunk_stored"})
        return await ask(hatch, frame)

    ask = Hatch.ask
    monkeypatch.setattr(Hatch, "ask", credulous)
    assert any("was answered chunk_stored" in one for one in played_with(0, tmp_path).violations)


def test_two_sets_for_one_base_or_a_violation_end_the_command_with_1(monkeypatch):
    seen = iter([("a",), ("b",), ("a",), ("a",)])

    def other(seed, folder):
        return seed, Played("good", receipts=next(seen))

    monkeypatch.setattr(resend, "play_seed", other)
    assert main(["--seeds", "2", "--processes", "1"]) == 1
    assert main(["--seeds", "2", "--processes", "1"]) == 0
    sums = Sums()
    sums.add(7, Played("good", violations=["receipt 1 changed"]))
    assert (sums.violations, sums.examples) == (1, ["seed 7, good: receipt 1 changed"])


def test_a_seed_that_never_ends_is_a_violation(tmp_path, monkeypatch):
    async def silent(hatch, frame):
        await trio.sleep_forever()

    monkeypatch.setattr(Hatch, "ask", silent)
    monkeypatch.setattr("bench.resend_play.DEADLINE_S", 0.5)
    found = trio.run(partial(play, bases()[0], 3, tmp_path))
    assert found.violations == ["not over within 0.5 s"]
