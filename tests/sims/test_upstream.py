"""A whole run of `cardmill-sim upstream` against a centre that makes nothing, fails and dies."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections import Counter

import msgpack
import pytest

from controller.asking.conversation import ClientError, Patience
from controller.wire import AcknowledgeReceipts, Chunk, FetchReceipts, OpenBatch
from devices.key_files import new_pair
from devices.keys import curve_keypair
from sims.batches import BatchPlan, Shares, decode_planted
from sims.upstream import UpstreamError, _prepared, run_upstream
from tests.controller.pretend_centre import (
    ANSWER,
    BUSY,
    DIE,
    DIE_BEFORE,
    DROP_ANSWER,
    DROP_REQUEST,
    FLOOR_DATE,
    MADE,
    PretendCentre,
    PretendRouter,
)

CARDS, SEED, SIZES = 200, 11, (20, 60)
SHARES = {"bad_share": 0.1, "hold_share": 0.05, "note_share": 0.04}
HASTY = Patience(answer_within_s=0.5, give_up_s=20.0)


@pytest.fixture(scope="module")
def plan():
    return BatchPlan(SEED, CARDS, FLOOR_DATE, Shares(0.1, 0.05, 0.04), SIZES)


def judge_of(plan, mistakes=None):
    """Give the right verdicts, or those of `mistakes` by (batch number, index); half of the held are released."""
    planted = {(number, one.index): one for number, all_ in plan.planted.items() for one in all_}

    def judge(batch_number, index, application):
        if mistakes and (batch_number, index) in mistakes:
            return mistakes[batch_number, index]
        one = planted.get((batch_number, index))
        if one is None:
            return MADE
        found = ([one.code], [one.field])
        if one.expected == "refuse":
            return [("refused", *found)]
        if one.expected == "hold":
            return [("held", *found), *(MADE if index % 2 else [("refused", *found)])]
        return [("accepted", *found), *MADE[1:]]

    return judge


def run(router, out, **options):
    options = {"cards": CARDS, "seed": SEED, "sizes": SIZES, "patience": HASTY, **SHARES, **options}
    return run_upstream(router.endpoint, router.keys.public, curve_keypair(), out, **options)


def assert_all_is_well(report, plan):
    faults = Counter(one.expected for all_ in plan.planted.values() for one in all_)
    planted, receipts = report["planted"], report["receipts"]
    assert (planted["planted_bad"], planted["planted_bad_caught"]) == (faults["refuse"], faults["refuse"])
    assert (planted["planted_hold"], planted["planted_note"]) == (faults["hold"], faults["note"])
    assert (planted["good_refused"], planted["wrong_code"], report["counts_differ"]) == (0, [], [])
    assert planted["held_released"] + planted["held_refused"] == faults["hold"]
    assert report["submitted"] == CARDS == report["accepted"] + report["refused"]
    assert report["refused"] == faults["refuse"] + planted["held_refused"]
    assert report["open"] == 0
    assert receipts["final"] == report["accepted"] == report["dispatched"]
    assert [receipts[name] for name in ("missing", "double", "unaccepted", "gaps", "foreign")] == [0] * 5


def test_a_run_sends_all_takes_every_receipt_and_holds_it_against_what_was_planted(tmp_path, plan):
    centre, said = PretendCentre(judge_of(plan)), []
    with PretendRouter(centre) as router:
        report = run(router, tmp_path, say=said.append)
    assert_all_is_well(report, plan)
    assert centre.acknowledged == len(centre.issued) == report["receipts"]["taken"]
    assert json.loads((tmp_path / "upstream.json").read_text()) == report
    assert decode_planted((tmp_path / "planted.json").read_bytes()) == plan.planted
    assert len(said) >= 1
    assert said[-1]["batches"] == said[-1]["batches_sent"] == said[-1]["batches_over"] == len(plan)
    assert said[-1]["submitted"] == said[-1]["applications"] == CARDS
    assert said[-1]["receipts"] == len(centre.issued)


def test_what_was_planted_is_never_sent(tmp_path, plan):
    centre = PretendCentre(judge_of(plan))
    with PretendRouter(centre) as router:
        run(router, tmp_path)
    sent = b"".join(bytes(one) for chunk in centre.asked_of(Chunk) for one in chunk.applications)
    for chunk in centre.asked_of(Chunk):
        for one in chunk.applications:
            assert len(msgpack.unpackb(bytes(one))) == 17
    names = {one.fault for all_ in plan.planted.values() for one in all_}
    assert not [name for name in names if name.encode() in sent]
    assert {tuple(header.__struct_fields__) for header in centre.asked_of(OpenBatch)} == {OpenBatch.__struct_fields__}


def test_the_first_24_accepted_portraits_are_written_by_number_only(tmp_path, plan):
    with PretendRouter(PretendCentre(judge_of(plan))) as router:
        run(router, tmp_path)
    folder = tmp_path / "portraits"
    assert sorted(path.name for path in folder.iterdir()) == [f"{number:02d}.jpg" for number in range(1, 25)]
    planted = {one.index: one for one in plan[0].planted}
    accepted = [i for i in range(60) if i not in planted or planted[i].expected == "note" or (
        planted[i].expected == "hold" and i % 2)]  # fmt: skip
    for number, index in enumerate(accepted[: min(24, plan[0].count)], 1):
        assert (folder / f"{number:02d}.jpg").read_bytes() == plan[0].application(index).portrait


@pytest.mark.parametrize("mishap", [DROP_ANSWER, DROP_REQUEST, BUSY, DIE, DIE_BEFORE])
def test_a_service_that_fails_at_every_seventh_request_costs_nothing(tmp_path, plan, mishap):
    turn = iter(range(10**6))
    centre = PretendCentre(judge_of(plan))
    with PretendRouter(centre, lambda _: mishap if next(turn) % 7 == 6 else ANSWER) as router:
        report = run(router, tmp_path)
    assert_all_is_well(report, plan)
    assert report["receipts"]["taken"] == len(centre.issued)
    assert centre.acknowledged == len(centre.issued)


def test_a_centre_that_judges_wrongly_is_told_so(tmp_path, plan):
    bad = [(number, one) for number, all_ in plan.planted.items() for one in all_ if one.expected == "refuse"]
    (unseen_in, unseen), (mild_in, mild), (other_in, other) = bad[:3]
    good = plan[0].batch_number, 0
    mistakes = {
        good: [("refused", ["name.latin"], ["name"])],
        (unseen_in, unseen.index): MADE,
        (mild_in, mild.index): [("held", [mild.code], [mild.field]), *MADE],
        (other_in, other.index): [("refused", ["portrait.border"], ["portrait"])],
    }
    with PretendRouter(PretendCentre(judge_of(plan, mistakes))) as router:
        planted = run(router, tmp_path)["planted"]
    assert planted["good_refused"] == 1
    assert planted["planted_bad_caught"] == len(bad) - 3
    wrong = {(one["batch_number"], one["index"]): one["verdict"] for one in planted["wrong_code"]}
    assert wrong == {
        (unseen_in, unseen.index): "accepted",
        (mild_in, mild.index): "held",
        (other_in, other.index): "refused",
    }


def test_a_batch_that_is_refused_as_a_whole_does_not_keep_the_run_waiting(tmp_path, plan):
    centre = PretendCentre(judge_of(plan))
    taken = plan[1].batch_number
    centre.answer(OpenBatch(batch_number=taken, due=plan[1].due, count=1, digest="another one's"))
    with PretendRouter(centre) as router:
        report = run(router, tmp_path)
    assert report["submitted"] == CARDS - plan[1].count
    assert [batch["refused_for"] for batch in report["batches"] if "refused_for" in batch] == [["batch.conflict"]]
    assert report["planted"]["wrong_code"] == []


# ---- being killed ---------------------------------------------------------------------------------------------

PROGRAM = """
import sys
from pathlib import Path
import sims.upstream
sims.upstream.PROGRESS_S = 0.0
sims.upstream.run_upstream(
    sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]), Path(sys.argv[4]), cards=200, seed=11, sizes=(20, 60),
    bad_share=0.1, hold_share=0.05, note_share=0.04,
)
"""


def started(router, tmp_path):
    if not (tmp_path / "city-1.secret").exists():
        new_pair(tmp_path, "city-1")
        (tmp_path / "server.public").write_text(router.keys.public)
    files = [tmp_path / "server.public", tmp_path / "city-1.secret", tmp_path / "out"]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, router.endpoint, *map(str, files)], stdout=subprocess.PIPE, text=True
    )


def test_a_run_that_is_killed_three_times_goes_on_and_ends_as_if_nothing_had_been(tmp_path, plan):
    centre = PretendCentre(judge_of(plan))
    with PretendRouter(centre) as router:
        for batches_sent in (1, 2, 4):
            with started(router, tmp_path) as process:
                for line in process.stdout:
                    if json.loads(line)["batches_sent"] >= batches_sent:
                        process.kill()
                        break
            assert process.returncode == -signal.SIGKILL
        before = len(centre.asked)
        with started(router, tmp_path) as process:
            lines = process.stdout.readlines()
        assert process.returncode == 0
    announced = {one.batch_number for one in centre.asked[before:] if isinstance(one, OpenBatch)}
    assert plan[0].batch_number not in announced  # it was whole long ago: not even made again
    report = json.loads((tmp_path / "out" / "upstream.json").read_text())
    assert_all_is_well(report, plan)
    assert report["receipts"]["repeated"] == 0
    assert json.loads(lines[-1])["batches_over"] == len(plan)
    stored = [(chunk.batch_number, chunk.first) for chunk in centre.asked_of(Chunk)]
    assert len(stored) == len(set(stored))
    fetched = [ask.after for ask in centre.asked_of(FetchReceipts)]
    assert fetched == sorted(fetched)
    acknowledged = [ask.upto for ask in centre.asked_of(AcknowledgeReceipts)]
    assert acknowledged == sorted(acknowledged)


def test_a_folder_of_another_run_is_not_touched(tmp_path, plan):
    with PretendRouter(PretendCentre(judge_of(plan))) as router:
        run(router, tmp_path)
        before = (tmp_path / "upstream.json").read_bytes()
        with pytest.raises(UpstreamError, match="other numbers"):
            run(router, tmp_path, seed=SEED + 1)
        (tmp_path / "run.json").write_text("[]")
        with pytest.raises(UpstreamError, match="not a run"):
            run(router, tmp_path)
    assert (tmp_path / "upstream.json").read_bytes() == before


def test_a_service_that_never_answers_ends_the_run_with_a_sentence(tmp_path):
    patience = Patience(answer_within_s=0.1, give_up_s=0.3)
    deaf = PretendRouter(PretendCentre(), lambda _: DROP_REQUEST)
    with deaf as router, pytest.raises(ClientError, match=r"^client\.no_answer: "):
        run(router, tmp_path, patience=patience)


class Draft:
    def __init__(self, number, begun):
        self.number, self._begun = number, begun

    def applications(self):
        self._begun.append(self.number)
        return iter(())


def test_while_a_batch_is_sent_the_next_is_made_and_no_other():
    begun = []
    drafts = [Draft(number, begun) for number in range(4)]
    seen = []
    for draft, _ in _prepared(drafts):
        seen.append(draft.number)
        assert begun[: len(seen)] == seen
        assert len(begun) <= len(seen) + 1
    assert begun == seen == [0, 1, 2, 3]


def test_a_file_is_no_folder_for_receipts(tmp_path):
    (tmp_path / "out").touch()
    pair = new_pair(tmp_path / "keys", "north")
    with pytest.raises(UpstreamError, match=r"out cannot be made a folder .*choose another one"):
        run_upstream("tcp://127.0.0.1:1", pair.public, pair, tmp_path / "out")
