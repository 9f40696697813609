"""Bringing a batch, without I/O: chunks, windows, what is missing, what is refused."""

# ---- uploads --------------------------------------------------------------------------------------------------


def begun_upload(line, applications, limits=Limits(), **options):
    upload = line.begin(Upload("1", "20260401", "second", applications, **options))
    (hello,) = line.said()
    assert isinstance(hello, Hello)
    line.says(
        Welcome(
            request=hello.request,
            version=1,
            you="a",
            limits=limits,
            floor_date="20260312",
            floor_s=0,
            scale=1,
            simulated=True,
        )  # fmt: skip
    )
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
    assert code_of(upload) == "client.too_large: application 2 "


@pytest.mark.parametrize("missing", [[(0, 4)], [(-1, 2)], [(3, 1)], [(1, 0)], [(2**60, 2**60)]])
def test_a_service_that_misses_what_the_batch_does_not_have_is_not_believed(missing):
    line = Line()
    upload = begun_upload(line, people(3))
    (header,) = line.said()
    line.says(state(header, missing))
    assert code_of(upload) == "client.bad_answer"


def test_a_page_question_states_its_limit():
    line = Line()
    line.begin(asks_receipts(5, 10))
    assert line.said() == [FetchReceipts(request=1, after=5, limit=10)]
