"""Bringing a batch, without I/O: chunks, windows, what is missing, what is refused."""

from __future__ import annotations

import math
from collections import deque

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from controller.asking.conversation import Patience
from controller.asking.exchanges import Upload
from controller.wire import (
    BatchState,
    Busy,
    Chunk,
    ChunkStored,
    Hello,
    Limits,
    OpenBatch,
    Refusal,
    Welcome,
)
from encoders.envelope import pack
from tests.controller.client_line import Line, code_of, failure_of
from tests.controller.pretend_centre import PretendCentre, people


def begun_upload(line, applications, limits=None, **options):
    upload = line.begin(Upload("1", "20260401", "second", applications, **options))
    (hello,) = line.said()
    assert isinstance(hello, Hello)
    welcome = Welcome(
        request=hello.request, version=1, you="a", limits=limits or Limits(), floor_date="20260312", floor_s=0, scale=1,
        simulated=True,
    )  # fmt: skip
    line.says(welcome)
    return upload


def state(request, missing=(), name="receiving"):
    return BatchState(request=request.request, batch_number="1", state=name, missing=list(missing))


def test_an_upload_keeps_to_the_window_and_to_the_limits_the_service_states():
    line = Line()
    begun_upload(line, people(50), Limits(applications_per_chunk=7, chunk_bytes=1 << 20))
    (header,) = line.said()
    line.says(state(header, [(0, 50)]))
    chunks = line.said()
    assert [(chunk.first, len(chunk.applications)) for chunk in chunks] == [(0, 7), (7, 7), (14, 7), (21, 7)]
    line.says(ChunkStored(request=chunks[2].request, batch_number="1", first=14, count=7))
    assert [(chunk.first, len(chunk.applications)) for chunk in line.said()] == [(28, 7)]


def test_a_chunk_with_its_frame_stays_under_the_bytes_the_service_states():
    line, limits = Line(), Limits(chunk_bytes=40_000)
    begun_upload(line, people(20, portrait_bytes=9_000), limits)
    (header,) = line.said()
    line.says(state(header, [(0, 20)]))
    chunks = line.said()
    assert [len(chunk.applications) for chunk in chunks] == [4, 4, 4, 4]
    assert all(len(pack(chunk)) <= limits.chunk_bytes for chunk in chunks)


def test_only_what_the_service_misses_is_sent():
    line, heard = Line(), []
    begun_upload(line, people(50), told=lambda *counts: heard.append(counts))
    (header,) = line.said()
    line.says(state(header, [(3, 1), (40, 2)]))
    chunks = line.said()
    assert [(chunk.first, len(chunk.applications)) for chunk in chunks] == [(3, 1), (40, 2)]
    for chunk in chunks:
        line.says(ChunkStored(request=chunk.request, batch_number="1", first=chunk.first, count=1))
    assert heard == [(47, 50), (48, 50), (50, 50)]


def test_after_a_lost_chunk_the_state_is_asked_before_anything_is_sent_again():
    line = Line()
    upload = begun_upload(line, people(30), Limits(applications_per_chunk=10))
    (header,) = line.said()
    line.says(state(header, [(0, 30)]))
    first, second, third = line.said()
    line.says(ChunkStored(request=second.request, batch_number="1", first=10, count=10))
    line.now_s += 5
    (again,) = line.said()
    assert isinstance(again, OpenBatch)
    line.says(state(again, [(20, 10)]))  # the first had arrived, its answer was lost
    (chunk,) = line.said()
    assert isinstance(chunk, Chunk)
    assert (chunk.first, chunk.request) == (20, third.request + 2)
    line.says(ChunkStored(request=first.request, batch_number="1", first=0, count=10))  # late: no harm
    line.says(ChunkStored(request=chunk.request, batch_number="1", first=20, count=10))
    (last,) = line.said()
    line.says(state(last, name="checking"))
    assert upload.result().state == "checking"


def test_while_the_service_still_says_receiving_but_misses_nothing_it_is_asked_now_and_then():
    line = Line()
    upload = begun_upload(line, people(1))
    (header,) = line.said()
    line.says(state(header))
    assert line.said() == []
    line.now_s = line.conversation.due_s()
    (again,) = line.said()
    line.says(state(again, name="open"))
    assert upload.result().state == "open"


def test_a_refused_chunk_of_a_batch_that_went_on_is_no_error():
    line = Line()
    upload = begun_upload(line, people(3))
    (header,) = line.said()
    line.says(state(header, [(0, 3)]))
    (chunk,) = line.said()
    line.says(Refusal(request=chunk.request, code="batch.not_receiving", text="It is whole."))
    (again,) = line.said()
    line.says(state(again, name="open"))
    assert upload.result().state == "open"


def test_a_refused_chunk_of_a_batch_that_waits_for_it_is_an_error():
    line = Line()
    upload = begun_upload(line, people(3))
    (header,) = line.said()
    line.says(state(header, [(0, 3)]))
    (chunk,) = line.said()
    line.says(Refusal(request=chunk.request, code="chunk.conflict", text="Another application is there.", index=2))
    (again,) = line.said()
    line.says(state(again, [(0, 3)]))
    assert code_of(upload) == "chunk.conflict"


def test_an_application_larger_than_a_chunk_is_an_error_that_names_its_index_only():
    line = Line()
    upload = begun_upload(line, [*people(2), b"x" * 2_000], Limits(chunk_bytes=1_500))
    (header,) = line.said()
    line.says(state(header, [(2, 1)]))
    assert line.said() == []
    assert code_of(upload) == "client.too_large"
    assert failure_of(upload).text.startswith("application 2 ")
    assert "xx" not in failure_of(upload).text


@pytest.mark.parametrize("missing", [[(0, 4)], [(-1, 2)], [(3, 1)], [(1, 0)], [(2**60, 2**60)]])
def test_a_service_that_misses_what_the_batch_does_not_have_is_not_believed(missing):
    line = Line()
    upload = begun_upload(line, people(3))
    (header,) = line.said()
    line.says(state(header, missing))
    assert code_of(upload) == "client.bad_answer"


class UploadOverABadLine(RuleBasedStateMachine):
    """Whatever is lost, repeated, late or put off, the service ends with just the applications that were sent."""

    @initialize(count=st.integers(1, 40), per_chunk=st.integers(1, 9))
    def begin(self, count, per_chunk):
        self.centre, self.applications = PretendCentre(), people(count)
        self.centre.limits = Limits(applications_per_chunk=per_chunk, chunk_bytes=2_200)
        self.line = Line(patience=Patience(answer_within_s=5, give_up_s=math.inf))
        self.upload = self.line.begin(Upload("1", "20260401", "second", self.applications))
        self.under_way, self.answers, self.old_answers = deque(), deque(), []

    @rule()
    def the_client_speaks(self):
        said = self.line.said()
        assert sum(isinstance(request, Chunk) for request in said) <= 4
        self.under_way.extend(said)

    @precondition(lambda self: self.under_way)
    @rule(fate=st.sampled_from(["arrives", "arrives", "arrives", "is lost", "twice", "busy", "overtaken"]))
    def a_request_travels(self, fate):
        request = self.under_way.popleft()
        if fate == "overtaken" and self.under_way:
            self.under_way.append(request)
        elif fate == "busy":
            self.answers.append(Busy(request=request.request, retry_after_s=0.5))
        elif fate != "is lost":
            for _ in range(1 + (fate == "twice")):
                self.answers.append(self.centre.answer(request))

    @precondition(lambda self: self.answers)
    @rule(fate=st.sampled_from(["arrives", "arrives", "arrives", "is lost", "twice"]))
    def an_answer_travels(self, fate):
        answer = self.answers.popleft()
        self.old_answers.append(answer)
        if fate != "is lost":
            for _ in range(1 + (fate == "twice")):
                self.line.says(answer)

    @precondition(lambda self: self.old_answers)
    @rule(which=st.randoms(use_true_random=False))
    def an_old_answer_comes_again(self, which):
        self.line.says(which.choice(self.old_answers))

    @rule(passing_s=st.sampled_from([0.3, 1.0, 5.0]))
    def time_passes(self, passing_s):
        self.line.now_s += passing_s

    @rule()
    def the_service_is_killed(self):
        self.under_way.clear()
        self.answers.clear()

    def teardown(self):
        if not hasattr(self, "upload"):
            return
        for _ in range(400):  # from here on the line is good
            for request in [*self.under_way, *self.line.said()]:
                self.line.says(self.centre.answer(request))
            self.under_way.clear()
            if self.upload.ended:
                break
            self.line.now_s += 1.0
        assert self.upload.result().state == "open"
        kept = self.centre.batches["1"]
        assert [kept.applications[index] for index in range(kept.header.count)] == self.applications
        assert {receipt.kind for receipt in self.centre.issued} == {"accepted", "made", "dispatched", "batch_closed"}


TestUploadOverABadLine = UploadOverABadLine.TestCase
TestUploadOverABadLine.settings = settings(max_examples=60, stateful_step_count=60, deadline=None)
