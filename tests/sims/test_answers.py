"""What the centre said, held against what was planted."""

from __future__ import annotations

import pytest

from controller.wire import Receipt
from sims.answers import Answers
from sims.planted import Planted
from sims.receipt_file import ReceiptFile

BAD = Planted(1, "name_latin", "refuse", "name.latin", "name", "names")
HELD = Planted(2, "name_of_one", "hold", "name.single", "name", "names")
NOTED = Planted(3, "fee_unfit", "note", "reason.fee_mismatch", "fee_class", "reason")
GOOD_CARD = ("accepted", "made", "dispatched")


class Post:
    """Numbers receipts and hands them over."""

    def __init__(self, counts, planted):
        self.answers, self.number = Answers(counts, planted), 0

    def brings(self, index, *kinds, codes=(), fields=(), batch_number="1"):
        for kind in kinds:
            self.number += 1
            receipt = Receipt(
                number=self.number, kind=kind, batch_number=batch_number, index=index, codes=list(codes),
                fields=list(fields), at_floor_s=0.0,
            )  # fmt: skip
            self.answers.take(receipt)

    def closes(self, batch_number="1", **counts):
        self.number += 1
        self.answers.take(
            Receipt(number=self.number, kind="batch_closed", batch_number=batch_number, counts=counts, at_floor_s=0.0)
        )


def right_answers():
    post = Post({"1": 5}, {"1": (BAD, HELD, NOTED)})
    post.brings(0, *GOOD_CARD)
    post.brings(1, "refused", codes=["number.sex", "name.latin"], fields=["sex", "name"])
    post.brings(2, "held", codes=["name.single"], fields=["name"])
    post.brings(3, *GOOD_CARD, codes=["reason.fee_mismatch"], fields=["fee_class"])
    post.brings(4, "accepted", "spoiled_remaking", "spoiled_remaking", "made", "dispatched")
    return post


def test_right_answers_are_all_caught_and_nothing_good_is_refused():
    post = right_answers()
    assert not post.answers.over()
    post.brings(2, *GOOD_CARD)
    post.closes(received=5, refused=1, cancelled=0, refused_late=0, dispatched=4)
    report = post.answers.report()
    assert post.answers.over()
    assert (report["submitted"], report["accepted"], report["refused"], report["dispatched"]) == (5, 4, 1, 4)
    assert (report["open"], report["held"], report["counts_differ"]) == (0, 1, [])
    planted = report["planted"]
    assert (planted["planted_bad"], planted["planted_bad_caught"], planted["good_refused"]) == (1, 1, 0)
    assert (planted["planted_hold_caught"], planted["planted_note_caught"]) == (1, 1)
    assert (planted["held_released"], planted["held_refused"], planted["wrong_code"]) == (1, 0, [])
    receipts = report["receipts"]
    assert (receipts["final"], receipts["missing"], receipts["double"]) == (4, 0, 0)
    assert receipts["by_kind"]["spoiled_remaking"] == 2


def test_a_hold_that_a_person_refuses_is_counted_apart_and_is_no_planted_bad_one():
    post = right_answers()
    post.brings(2, "refused", codes=["name.single"], fields=["name"])
    planted = post.answers.report()["planted"]
    assert (planted["held_released"], planted["held_refused"], planted["planted_bad"]) == (0, 1, 1)
    assert planted["wrong_code"] == []


@pytest.mark.parametrize(
    ("kind", "codes", "fields", "group_found"),
    [
        ("accepted", [], [], False),  # not seen at all
        ("held", ["name.latin"], ["name"], True),  # too mild
        ("refused", ["name.space"], ["name"], True),  # another code of the group
        ("refused", ["name.latin"], ["address"], False),  # another field
        ("refused", ["future.code"], ["name"], False),  # a code this table does not know
    ],
)
def test_a_planted_fault_that_is_answered_otherwise_is_told_with_what_was_found(kind, codes, fields, group_found):
    post = Post({"1": 3}, {"1": (BAD,)})
    post.brings(1, kind, codes=codes, fields=fields)
    planted = post.answers.report()["planted"]
    assert (planted["planted_bad"], planted["planted_bad_caught"]) == (1, 0)
    assert planted["wrong_code"] == [
        {
            "batch_number": "1",
            "index": 1,
            "fault": "name_latin",
            "expected": ["refuse", "name.latin", "name"],
            "verdict": kind,
            "found": [list(one) for one in zip(codes, fields, strict=True)],
            "group_found": group_found,
        }
    ]


def test_a_planted_fault_that_was_never_answered_is_wrong_too():
    planted = Post({"1": 3}, {"1": (BAD, HELD, NOTED)}).answers.report()["planted"]
    assert [one["verdict"] for one in planted["wrong_code"]] == ["", "", ""]
    assert planted["planted_bad_caught"] + planted["planted_hold_caught"] + planted["planted_note_caught"] == 0


@pytest.mark.parametrize("kinds", [("refused",), ("held",), ("held", "accepted", "made", "dispatched")])
def test_an_application_without_a_fault_that_is_refused_or_held_is_counted(kinds):
    post = Post({"1": 3}, {"1": (BAD,)})
    post.brings(0, *kinds, codes=["name.latin"], fields=["name"])
    assert post.answers.report()["planted"]["good_refused"] == 1


def test_missing_double_and_unaccepted_final_receipts_are_counted():
    post = Post({"1": 5}, {})
    post.brings(0, "accepted", "made")  # no end
    post.brings(1, "accepted", "dispatched", "dispatched")
    post.brings(2, "accepted", "cancelled", "refused_late")
    post.brings(3, "dispatched")  # was never accepted
    post.brings(4, "accepted", "accepted", "dispatched")
    receipts = post.answers.report()["receipts"]
    assert receipts["final"] == 6
    assert (receipts["missing"], receipts["double"], receipts["unaccepted"]) == (1, 3, 1)


def test_a_batch_whose_closing_counts_differ_from_its_receipts_is_named():
    post = Post({"1": 2, "2": 1}, {})
    for number, count in (("1", 2), ("2", 1)):
        for index in range(count):
            post.brings(index, *GOOD_CARD, batch_number=number)
        post.closes(number, received=count, refused=0, cancelled=0, refused_late=0, dispatched=1)
    assert post.answers.report()["counts_differ"] == ["1"]


def test_receipts_that_come_again_leave_out_a_number_or_are_of_another_run_change_no_count():
    post = Post({"1": 2}, {})
    post.brings(0, "accepted")
    post.number = 0
    post.brings(0, "accepted")  # number 1 again
    post.brings(9, "accepted", batch_number="99")
    post.number = 6
    post.brings(0, "made")
    report = post.answers.report()
    assert (report["accepted"], report["made"]) == (1, 1)
    assert [report["receipts"][name] for name in ("repeated", "foreign", "gaps")] == [1, 1, 1]


def test_a_batch_refused_as_a_whole_is_over_and_none_of_its_applications_count():
    post = Post({"1": 2, "2": 3}, {"1": (BAD,), "2": (BAD,)})
    post.brings(-1, "refused", codes=["batch.digest"])
    post.answers.refuse_batch("2", "batch.conflict")
    report = post.answers.report()
    assert post.answers.over()
    assert (report["submitted"], report["batches_refused"]) == (0, 2)
    assert report["planted"]["planted_bad"] == 0
    assert [batch["refused_for"] for batch in report["batches"]] == [["batch.digest"], ["batch.conflict"]]


def receipts_of(*numbers):
    return [Receipt(number=number, kind="made", batch_number="1", index=number, at_floor_s=0.5) for number in numbers]


def test_a_receipt_file_gives_back_what_was_kept_and_keeps_nothing_twice(tmp_path):
    with ReceiptFile(tmp_path / "receipts.jsonl") as file:
        assert (file.kept, file.last) == ([], 0)
        assert file.keep(receipts_of(1, 2)) == receipts_of(1, 2)
        assert file.keep(receipts_of(2, 3)) == receipts_of(3)
        assert file.keep([]) == []
    with ReceiptFile(tmp_path / "receipts.jsonl") as file:
        assert (file.kept, file.last) == (receipts_of(1, 2, 3), 3)


@pytest.mark.parametrize("lost_bytes", [1, 2, 40])
def test_a_last_line_that_a_crash_cut_short_is_taken_off_and_may_come_again(tmp_path, lost_bytes):
    path = tmp_path / "receipts.jsonl"
    with ReceiptFile(path) as file:
        file.keep(receipts_of(1, 2))
    path.write_bytes(path.read_bytes()[:-lost_bytes])
    with ReceiptFile(path) as file:
        assert file.last == 1
        file.keep(receipts_of(2))
    with ReceiptFile(path) as file:
        assert file.kept == receipts_of(1, 2)
