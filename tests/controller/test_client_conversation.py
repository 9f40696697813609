"""The sans-IO side of the clients: numbers, time-outs, rests and silence."""

import math

import pytest

from controller.asking.conversation import OPERATOR_ANSWERS, ClientError, Question, Refused
from controller.asking.exchanges import NextReceipts, asks_hello, asks_receipts, asks_status
from controller.wire import (
    Acknowledged,
    AcknowledgeReceipts,
    BatchState,
    Busy,
    Command,
    Done,
    FetchReceipts,
    Receipt,
    Receipts,
    Refusal,
)
from encoders.envelope import pack
from tests.controller.client_line import Line, code_of, failure_of


def page_of(*numbers):
    return [Receipt(number=number, kind="made", batch_number="1", at_floor_s=0.0) for number in numbers]


def test_each_request_gets_a_number_and_each_answer_finds_its_request():
    line = Line()
    first, second = line.begin(asks_status("1")), line.begin(asks_status("2"))
    numbers = {request.batch_number: request.request for request in line.said()}
    assert sorted(numbers.values()) == [1, 2]
    line.says(BatchState(request=numbers["2"], batch_number="2", state="open"))
    assert not first.ended
    line.says(BatchState(request=numbers["1"], batch_number="1", state="closed"))
    assert (first.result().state, second.result().state) == ("closed", "open")


def test_a_lost_question_is_asked_again_under_its_number_and_a_late_answer_to_the_first_counts():
    line = Line()
    question = line.begin(asks_status("1"))
    asked = line.said()
    assert line.conversation.due_s() == line.now_s + 5
    line.now_s += 4.9
    assert line.said() == []
    line.now_s += 0.1
    assert line.said() == asked
    line.says(BatchState(request=1, batch_number="1", state="open"))
    assert question.result().state == "open"
    line.conversation.drop(question)
    line.says(BatchState(request=1, batch_number="1", state="closed"))
    assert question.result().state == "open"
    assert line.conversation.due_s() == math.inf


def test_a_busy_service_is_asked_again_when_it_said_and_not_before():
    line = Line()
    question = line.begin(asks_status("1"))
    line.said()
    line.says(Busy(request=1, retry_after_s=0.75))
    assert line.conversation.due_s() == line.now_s + 0.75
    line.now_s += 0.74
    assert line.said() == []
    line.now_s += 0.01
    assert [request.request for request in line.said()] == [1]
    assert not question.ended


@pytest.mark.parametrize(("asked_s", "taken_s"), [(-1.0, 0.01), (math.nan, 0.01), (math.inf, 60.0), (1e9, 60.0)])
def test_a_rest_that_makes_no_sense_is_cut_to_one_that_does(asked_s, taken_s):
    line = Line()
    line.begin(asks_status("1"))
    line.said()
    line.says(Busy(request=1, retry_after_s=asked_s))
    assert line.conversation.due_s() == pytest.approx(line.now_s + taken_s)


def test_a_service_that_is_busy_for_long_is_not_silent():
    line = Line()
    question = line.begin(asks_status("1"))
    line.said()
    for _ in range(20):
        line.says(Busy(request=1, retry_after_s=30))
        line.now_s += 30
        assert line.said()
    assert not question.ended


def test_silence_is_borne_for_as_long_as_agreed_and_counts_from_the_question():
    line = Line()
    line.begin(asks_status("1"))
    line.said()
    line.says(BatchState(request=1, batch_number="1", state="open"))
    line.now_s += 1_000  # nobody wanted anything meanwhile
    question = line.begin(asks_status("2"))
    asked = 0
    while not question.ended:
        asked += len(line.said())
        line.now_s = line.conversation.due_s() if not question.ended else line.now_s
    assert code_of(question) == "client.no_answer"
    assert (asked, line.now_s) == (12, 1_160.0)


def test_what_the_link_had_no_room_for_is_given_again_and_its_reason_told_in_the_end():
    line = Line(OPERATOR_ANSWERS)
    question = line.begin(Question(Command(verb="decide"), Done, repeatable=False))
    while not question.ended:
        if line.said():
            line.conversation.unsent(line.now_s, "tcp://127.0.0.1:9 lets nobody in")
        line.now_s += 5
    assert code_of(question) == "client.no_answer"
    assert failure_of(question).text.endswith("lets nobody in")


def test_what_must_not_be_done_twice_is_sent_once():
    line = Line(OPERATOR_ANSWERS)
    question = line.begin(Question(Command(verb="decide"), Done, repeatable=False))
    assert len(line.said()) == 1
    line.now_s += 5
    assert line.said() == []
    assert code_of(question) == "client.outcome_unknown"


def test_what_must_not_be_done_twice_is_sent_again_after_busy_which_says_that_it_was_not_done():
    line = Line(OPERATOR_ANSWERS)
    question = line.begin(Question(Command(verb="decide"), Done, repeatable=False))
    line.said()
    line.says(Busy(request=1, retry_after_s=1))
    line.now_s += 1
    assert len(line.said()) == 1
    line.says(Done(request=1, result=7))
    assert question.result().result == 7


def test_a_refusal_keeps_its_code_field_and_index():
    line = Line()
    question = line.begin(asks_status("1"))
    line.said()
    line.says(Refusal(request=1, code="batch.number", text="Send 25 digits.", field="batch_number", index=3))
    with pytest.raises(Refused) as refused:
        question.result()
    assert (refused.value.code, refused.value.text) == ("batch.number", "Send 25 digits.")
    assert (refused.value.field, refused.value.index) == ("batch_number", 3)


def test_a_refusal_without_a_number_ends_whatever_was_asked():
    line = Line()
    questions = [line.begin(asks_status("1")), line.begin(asks_hello())]
    line.said()
    line.says(Refusal(code="envelope.type", text="a field has the wrong type"))
    for question in questions:
        assert code_of(question) == "envelope.type"


@pytest.mark.parametrize("body", [b"", b"\xc1", b"\x81\xa4type\xa6future", pack({"type": "welcome"})])
def test_an_answer_that_cannot_be_read_is_an_error_and_the_next_question_may_do_better(body):
    line = Line()
    question = line.begin(asks_hello())
    line.said()
    line.conversation.received(body, line.now_s)
    assert code_of(question) == "client.bad_answer"
    line.conversation.drop(question)
    later = line.begin(asks_status("1"))
    (asked,) = line.said()
    line.says(BatchState(request=asked.request, batch_number="1", state="open"))
    assert later.result().state == "open"


def test_an_answer_of_another_kind_is_an_error():
    line = Line()
    question = line.begin(asks_hello())
    line.said()
    line.says(Acknowledged(request=1, upto=3))
    assert code_of(question) == "client.bad_answer"
    assert "Acknowledged" in failure_of(question).text


def test_half_a_character_and_too_many_bytes_do_not_leave_the_house():
    line = Line(OPERATOR_ANSWERS)
    halved = line.begin(Question(Command(verb="decide", args={"reason": "\ud800"}), Done))
    endless = line.begin(Question(Command(verb="decide", args={"reason": "x" * 5_000_000}), Done))
    strange = line.begin(Question(Command(verb="decide", args={"card": object()}), Done))
    assert line.said() == []
    for question, code in ((halved, "unsendable"), (endless, "too_large"), (strange, "unsendable")):
        assert code_of(question) == f"client.{code}"


def test_a_link_that_is_over_ends_what_is_asked_and_what_will_be():
    line = Line()
    question = line.begin(asks_hello())
    line.conversation.close(ClientError("link.key_refused", "have it listed"))
    assert code_of(question) == "link.key_refused"
    with pytest.raises(ClientError, match=r"^link\.key_refused: have it listed$"):
        line.begin(asks_hello())


def test_receipts_are_acknowledged_before_more_are_fetched_and_an_empty_page_comes_after_one_rest():
    line = Line()
    turn = line.begin(NextReceipts(7, acknowledge=True, limit=2, rest_s=0.5))
    assert line.said() == [AcknowledgeReceipts(request=1, upto=7)]
    line.says(Acknowledged(request=1, upto=7))
    assert line.said() == [FetchReceipts(request=2, after=7, limit=2)]
    line.says(Receipts(request=2, items=[], more=False))
    assert line.said() == []
    assert line.conversation.due_s() == line.now_s + 0.5
    line.now_s += 0.5
    assert line.said() == [FetchReceipts(request=3, after=7, limit=2)]
    line.says(Receipts(request=3, items=[], more=False))
    assert turn.result() == []


def test_a_page_of_receipts_that_is_there_comes_at_once():
    line = Line()
    turn = line.begin(NextReceipts(0, acknowledge=False, limit=2, rest_s=0.5))
    line.said()
    line.says(Receipts(request=1, items=page_of(1, 2), more=True))
    assert [receipt.number for receipt in turn.result()] == [1, 2]


def test_a_page_question_states_its_limit():
    line = Line()
    line.begin(asks_receipts(5, 10))
    assert line.said() == [FetchReceipts(request=1, after=5, limit=10)]
