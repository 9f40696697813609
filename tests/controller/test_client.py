"""The clients for threads, over real CURVE sockets, against a centre that drops, delays, refuses and dies."""

from __future__ import annotations

from itertools import count, takewhile

import pytest
import zmq
from zmq.auth.thread import ThreadAuthenticator

from controller.asking.conversation import ClientError, Patience, Refused
from controller.asking.submission import batch_digest
from controller.client import OperatorClient, UpstreamClient
from controller.wire import AcknowledgeReceipts, AskBatch, Chunk, Command, Done, FetchReceipts, OpenBatch, Refusal
from devices.key_files import new_pair
from devices.keys import curve_keypair
from tests.controller.pretend_centre import (
    ANSWER,
    BUSY,
    DIE,
    DIE_BEFORE,
    DROP_ANSWER,
    DROP_REQUEST,
    PretendCentre,
    PretendRouter,
    people,
)

HASTY = Patience(answer_within_s=0.3, give_up_s=20.0)
DUE = "20260401"


def client_of(router, kind=UpstreamClient, patience=HASTY):
    return kind.connect(router.endpoint, router.keys.public, curve_keypair(), patience=patience)


def on_each(kind, *mishaps):
    """Let the mishaps come in turn over requests of a kind; then all is well."""
    left = list(mishaps)
    return lambda request: left.pop(0) if left and isinstance(request, kind) else ANSWER


def kept(centre, batch_number):
    batch = centre.batches[batch_number]
    return [batch.applications[index] for index in range(batch.header.count)]


def test_hello_gives_limits_and_the_floor_date():
    with PretendRouter(PretendCentre()) as router, client_of(router) as client:
        welcome = client.hello()
    assert (welcome.you, welcome.floor_date, welcome.simulated) == ("city-1", "20260312", True)
    assert welcome.limits.applications_per_chunk == 200


def test_a_batch_goes_out_in_chunks_and_comes_back_as_receipts():
    centre, applications, heard = PretendCentre(), people(450, 8_000), []
    with PretendRouter(centre) as router, client_of(router) as client:
        state = client.submit_batch("1", DUE, applications, told=lambda *counts: heard.append(counts))
        pages = list(takewhile(bool, client.follow_receipts(limit=1_000, rest_s=0.01)))
    assert state.state == "open"
    assert kept(centre, "1") == applications
    assert centre.batches["1"].header.digest == batch_digest(applications)
    assert [len(chunk.applications) for chunk in centre.asked_of(Chunk)] == [200, 200, 50]
    assert heard[0] == (0, 450)
    assert heard[-1] == (450, 450)
    assert [receipt.number for page in pages for receipt in page] == list(range(1, 1_352))
    assert centre.acknowledged == 1_351


def test_applications_may_come_from_an_iterator():
    centre = PretendCentre()
    with PretendRouter(centre) as router, client_of(router) as client:
        assert client.submit_batch("1", DUE, iter(people(3))).state == "open"
    assert kept(centre, "1") == people(3)


def test_the_same_batch_again_costs_no_chunk():
    centre = PretendCentre()
    with PretendRouter(centre) as router, client_of(router) as client:
        first = client.submit_batch("1", DUE, people(30))
        again = client.submit_batch("1", DUE, people(30))
    assert first.state == again.state == "open"
    assert len(centre.asked_of(Chunk)) == 1


@pytest.mark.parametrize("mishap", [DROP_ANSWER, DROP_REQUEST, BUSY, DIE, DIE_BEFORE])
@pytest.mark.parametrize("kind", [OpenBatch, Chunk])
def test_whatever_happens_to_a_request_the_batch_arrives_whole(kind, mishap):
    centre, applications = PretendCentre(), people(700)
    with PretendRouter(centre, on_each(kind, ANSWER, mishap)) as router, client_of(router) as client:
        assert client.submit_batch("1", DUE, applications).state == "open"
        assert router.deaths == (mishap in (DIE, DIE_BEFORE))
    assert kept(centre, "1") == applications
    assert len({receipt.number for receipt in centre.issued}) == 2_101


def test_a_service_killed_five_times_in_one_batch_still_gets_it_and_chunks_it_has_are_not_sent_again():
    centre, applications = PretendCentre(), people(2_000, 2_000)
    mishaps = on_each(Chunk, ANSWER, DIE, ANSWER, DIE_BEFORE, ANSWER, DIE, ANSWER, DIE_BEFORE, DIE)
    with PretendRouter(centre, mishaps) as router, client_of(router) as client:
        assert client.submit_batch("1", DUE, applications).state == "open"
        assert router.deaths == 5
    assert kept(centre, "1") == applications
    chunks = [chunk.first for chunk in centre.asked_of(Chunk)]  # those that were stored
    assert sorted(chunks) == [*range(0, 2_000, 200)]


def test_another_program_goes_on_where_one_that_was_killed_had_stopped():
    centre, applications = PretendCentre(), people(600)
    with PretendRouter(centre) as router:
        with client_of(router) as first:
            state = first.open_batch("1", DUE, 600, batch_digest(applications))
            assert state.missing == [(0, 600)]
            first.send_chunk("1", 200, applications[200:400])
            first.send_chunk("1", 590, applications[590:])
        with client_of(router) as second:
            assert second.submit_batch("1", DUE, applications).state == "open"
    assert [(chunk.first, len(chunk.applications)) for chunk in centre.asked_of(Chunk)] == [
        (200, 200), (590, 10), (0, 200), (400, 190),
    ]  # fmt: skip


def test_a_batch_number_with_other_content_is_refused_and_nothing_is_sent():
    centre = PretendCentre()
    with PretendRouter(centre) as router, client_of(router) as client:
        client.submit_batch("1", DUE, people(3))
        with pytest.raises(Refused) as refused:
            client.submit_batch("1", DUE, people(4))
    assert (refused.value.code, refused.value.field) == ("batch.conflict", "batch_number")
    assert len(centre.asked_of(Chunk)) == 1


def test_a_batch_whose_content_was_changed_on_the_way_is_answered_refused():
    centre, applications = PretendCentre(), people(5)
    with PretendRouter(centre) as router, client_of(router) as client:
        client.open_batch("1", DUE, 5, batch_digest(applications[:4]))
        client.send_chunk("1", 0, applications)
        states = [client.status("1") for _ in range(2)]
    assert (states[-1].state, states[-1].codes) == ("refused", ["batch.digest"])


def test_a_question_about_a_batch_nobody_announced_is_refused():
    with PretendRouter(PretendCentre()) as router, client_of(router) as client:
        with pytest.raises(Refused, match=r"^batch\.unknown: Announce the batch first\.$"):
            client.status("7")
        assert client.hello().version == 1  # and the link is as good as before


def test_a_page_is_acknowledged_when_the_next_is_asked_for_and_not_before():
    centre = PretendCentre()
    for index in range(5):
        centre.issue("made", "1", f"{index:022d}", index)
    with PretendRouter(centre) as router, client_of(router) as client:
        pages = client.follow_receipts(limit=2, rest_s=0.01)
        assert [receipt.number for receipt in next(pages)] == [1, 2]
        assert centre.acknowledged == 0
        assert [receipt.number for receipt in next(pages)] == [3, 4]
        assert centre.acknowledged == 2
        assert [receipt.number for receipt in next(pages)] == [5]
        assert next(pages) == []
        centre.issue("dispatched", "1")
        assert [receipt.number for receipt in next(pages)] == [6]
        assert centre.acknowledged == 5


def test_receipts_are_read_again_from_a_cursor_until_acknowledged():
    centre = PretendCentre()
    for index in range(5):
        centre.issue("made", "1", f"{index:022d}", index)
    mishap = on_each(AcknowledgeReceipts, DROP_ANSWER)
    with PretendRouter(centre, mishap) as router, client_of(router) as client:
        assert client.receipts(1, limit=2).more
        assert [receipt.number for receipt in client.receipts(1, limit=2).items] == [2, 3]
        assert client.acknowledge(3).upto == 3
        page = client.receipts(3)
    assert [receipt.number for receipt in page.items] == [4, 5]
    assert not page.more
    assert len(centre.asked_of(AcknowledgeReceipts)) == 2


def test_an_application_is_cancelled():
    centre = PretendCentre()
    with PretendRouter(centre) as router, client_of(router) as client:
        assert client.cancel("5201020012026031200001", "withdrawn") == Done(request=1)
    assert centre.cancelled == ["5201020012026031200001"]


def test_a_service_that_starts_later_is_waited_for():
    context = zmq.Context()
    probe = context.socket(zmq.ROUTER)
    port = probe.bind_to_random_port("tcp://127.0.0.1")
    probe.close(0)
    context.destroy(0)
    centre = PretendCentre()
    router = PretendRouter(centre, endpoint=f"tcp://127.0.0.1:{port}", open_now=False)
    with client_of(router) as client, router:  # the thread opens the socket only after some time
        assert client.hello().you == "city-1"


def test_a_service_that_is_not_there_is_given_up_with_a_sentence():
    router = PretendRouter(PretendCentre(), open_now=False, endpoint="tcp://127.0.0.1:9")
    with client_of(router, patience=Patience(answer_within_s=0.1, give_up_s=0.4)) as client:
        with pytest.raises(ClientError) as failed:
            client.hello()
        assert failed.value.code == "client.no_answer"
        assert "tcp://127.0.0.1:9" in failed.value.text


def test_a_service_that_answers_nothing_is_given_up_too():
    patience = Patience(answer_within_s=0.1, give_up_s=0.4)
    deaf = PretendRouter(PretendCentre(), lambda _: DROP_REQUEST)
    with deaf as router, client_of(router, patience=patience) as client, pytest.raises(ClientError) as failed:
        client.submit_batch("1", DUE, people(1))
    assert failed.value.code == "client.no_answer"


def test_a_key_that_the_service_does_not_know_is_told_so(tmp_path):
    context = zmq.Context()
    authenticator = ThreadAuthenticator(context)
    authenticator.start()
    strict = PretendRouter(PretendCentre(), context=context)
    try:
        authenticator.configure_curve(domain="*", location=str(tmp_path))  # an empty folder: nobody may come in
        with strict as router, client_of(router) as client, pytest.raises(ClientError) as failed:
            client.hello()
    finally:
        authenticator.stop()
        context.destroy(0)
    assert failed.value.code == "link.key_refused"
    assert "cardmill keys allow" in failed.value.text


def test_keys_may_be_given_as_files(tmp_path):
    with PretendRouter(PretendCentre()) as router:
        new_pair(tmp_path, "city-1")
        server = tmp_path / "server.public"
        server.write_text(router.keys.public + "\n")
        with UpstreamClient.connect(router.endpoint, server, tmp_path / "city-1.secret") as client:
            assert client.hello().version == 1


@pytest.mark.parametrize("secret", ["nobody.secret", "server.public", "no name.secret"])
def test_a_key_file_that_cannot_be_used_is_a_sentence(tmp_path, secret):
    (tmp_path / "server.public").write_text(curve_keypair().public)
    with pytest.raises(ClientError) as failed:
        UpstreamClient.connect("tcp://127.0.0.1:9", curve_keypair().public, tmp_path / secret)
    assert failed.value.code.startswith("keys.")


@pytest.mark.parametrize("endpoint", ["127.0.0.1:5701", "tcp://", "http://127.0.0.1:1", ""])
def test_an_endpoint_that_is_none_is_a_sentence(endpoint):
    with pytest.raises(ClientError, match=r"^link\.bad_endpoint: "):
        UpstreamClient.connect(endpoint, curve_keypair().public, curve_keypair())


# ---- operators ------------------------------------------------------------------------------------------------


def test_an_operator_gets_the_result_of_a_verb_with_arguments_of_any_name():
    centre = PretendCentre()
    with PretendRouter(centre) as router, client_of(router, OperatorClient) as client:
        assert client.command("decide", card=10_003, decision="release", reason="seen") == {
            "verb": "decide", "card": 10_003, "decision": "release", "reason": "seen",
        }  # fmt: skip
        client.command("act", verb="receive", args={"first_body": 1, "sheets": 9, "lot": "A"})
    assert centre.asked_of(Command)[-1].args["verb"] == "receive"


def test_an_operator_is_told_of_a_refusal():
    centre = PretendCentre()
    centre.commands = lambda _: Refusal(code="decision.not_held", text="this card is not held")
    no = pytest.raises(Refused, match=r"^decision\.not_held: this card is not held$")
    with PretendRouter(centre) as router, client_of(router, OperatorClient) as client, no:
        client.command("decide", card=1, decision="release", reason="seen")


@pytest.mark.parametrize("mishap", [DROP_ANSWER, DROP_REQUEST, BUSY, DIE, DIE_BEFORE])
def test_a_verb_that_only_reads_is_asked_until_answered(mishap):
    unlucky = PretendRouter(PretendCentre(), on_each(Command, mishap))
    with unlucky as router, client_of(router, OperatorClient) as client:
        assert client.command("status") == {"verb": "status"}


def test_a_verb_that_changes_something_is_never_said_twice_and_the_operator_told_to_look():
    centre, numbers = PretendCentre(), count(1)
    centre.commands = lambda _: Done(result=next(numbers))
    unlucky = PretendRouter(centre, on_each(Command, DROP_ANSWER, DIE))
    with unlucky as router, client_of(router, OperatorClient) as client:
        for _ in range(2):
            with pytest.raises(ClientError) as failed:
                client.command("act", verb="receive", args={"first_body": 1, "sheets": 9, "lot": "A"})
            assert failed.value.code == "client.outcome_unknown"
        assert client.command("act", verb="receive", args={}) == 3  # the link is back by itself


def test_a_client_asks_for_the_state_and_the_receipts_it_was_asked_for():
    centre = PretendCentre()
    with PretendRouter(centre) as router, client_of(router) as client:
        client.submit_batch("1", DUE, people(2))
        assert client.status("1").state == "open"
        client.receipts(0, limit=3)
    assert centre.asked_of(AskBatch)[-1].batch_number == "1"
    assert centre.asked_of(FetchReceipts)[-1].limit == 3
