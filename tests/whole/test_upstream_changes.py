"""What an upstream does over the real socket besides submitting: correct, express, cancel, counts, and its quota."""

from __future__ import annotations

import json

import msgspec
import pytest

from controller import cli
from controller.asking.conversation import Refused
from controller.asking.submission import encode_application
from controller.wire import Busy, Hello, OpenBatch, Receipt, UpstreamAnswer
from devices.key_files import read_pair, read_public
from devices.sync_dealer import SyncDealer
from encoders.envelope import Opener, pack
from sims.faces import FaceSource
from sims.people import Population
from tests.controller.offline.upstream import Upstream

ANSWERS = Opener(UpstreamAnswer)


def people(today: str, count: int, seed: int = 21):
    population = Population(seed, faces=FaceSource(seed))
    return [population.application(index, today) for index in range(count)]


def changed(application, **changes: str):
    return msgspec.structs.replace(application, **changes)


def number(today: str, sequence: int) -> str:
    return f"520000000000{today}{sequence:05d}"


def receipts_until(client, wanted: tuple[str, int]) -> list[Receipt]:
    """Give all receipts once one of a kind and revision is among them."""
    told: list[Receipt] = []
    for page in client.follow_receipts(rest_s=5.0):
        told += page
        if wanted in [(one.kind, one.revision) for one in told]:
            return told
    raise AssertionError


def test_a_refused_and_a_held_application_are_corrected_over_the_wire_and_the_counts_agree(running):
    with running.upstream() as north, running.upstream("south") as south:
        today = north.hello().floor_date
        good = people(today, 3)
        sent = [good[0], changed(good[1], sex="3"), changed(good[2], name="样")]
        batch = number(today, 1)
        north.submit_batch(batch, today, [encode_application(one) for one in sent])
        told = receipts_until(north, ("held", 0))
        assert [(one.kind, one.index) for one in told] == [("accepted", 0), ("refused", 1), ("held", 2)]
        for index in (1, 2):
            whole = encode_application(good[index])
            answer = north.correct(good[index].acceptance_number, 1, whole)
            assert (answer.revision, answer.batch_number) == (1, f"{batch}-C1-{index}")
            again = north.correct(good[index].acceptance_number, 1, whole)
            assert (again.revision, again.batch_number) == (answer.revision, answer.batch_number)
            assert north.status(answer.batch_number).counts["received"] == 1
            with pytest.raises(Refused) as conflict:
                north.correct(good[index].acceptance_number, 1, encode_application(changed(good[index], name="另名")))
            assert conflict.value.code == "correct.conflict"
            with pytest.raises(Refused) as foreign:
                south.correct(good[index].acceptance_number, 2, whole)
            assert foreign.value.code == "correct.unknown"
        with pytest.raises(Refused) as late:
            north.correct(good[0].acceptance_number, 1, encode_application(good[0]))
        assert late.value.code == "correct.too_late"
        told = north.receipts(0).items
        mine = [
            (one.kind, one.revision, one.codes) for one in told if one.acceptance_number == sent[2].acceptance_number
        ]
        assert mine == [
            ("held", 0, ["name.single"]),
            ("refused", 0, ["correct.replaced"]),
            ("accepted", 1, []),
        ]
        for name in (batch, f"{batch}-C1-1", f"{batch}-C1-2"):
            found = north.check_counts(name)
            assert (found.differences, found.counts["received"]) == ((), 3 if name == batch else 1)


def test_a_correction_survives_the_death_of_the_service_and_is_answered_the_same(running):
    with running.upstream() as north:
        today = north.hello().floor_date
        [one] = people(today, 1, seed=22)
        north.submit_batch(number(today, 2), today, [encode_application(changed(one, sex="3"))])
        receipts_until(north, ("refused", 0))
        first = north.correct(one.acceptance_number, 1, encode_application(one))
        running.kill()
        running.start()
        again = north.correct(one.acceptance_number, 1, encode_application(one))
        assert (again.batch_number, again.revision) == (first.batch_number, first.revision)
        kinds = [(receipt.kind, receipt.revision) for receipt in receipts_until(north, ("accepted", 1))]
        assert kinds.count(("accepted", 1)) == 1


def test_express_and_cancel_reach_what_is_not_on_a_sheet_and_the_batch_closes_balanced(running):
    with running.upstream() as north:
        today = north.hello().floor_date
        sent = people(today, 2, seed=23)
        batch = number(today, 3)
        north.submit_batch(batch, today, [encode_application(one) for one in sent])
        receipts_until(north, ("accepted", 0))
        for _ in range(2):
            north.express(sent[1].acceptance_number, "it is needed")
        for one in sent:
            north.cancel(one.acceptance_number, "withdrawn")
        with pytest.raises(Refused) as late:
            north.express(sent[1].acceptance_number, "it is needed")
        assert late.value.code in ("decision.no_card", "decision.too_late")
        closed = receipts_until(north, ("batch_closed", 0))[-1]
        assert closed.counts == {"received": 2, "refused": 0, "cancelled": 2, "refused_late": 0, "dispatched": 0}
        state = north.status(batch)
        assert (state.state, state.counts["open"]) == ("closed", 0)
        assert north.check_counts(batch).differences == ()
    with running.operator() as ann:
        tally = ann.command("status")["tally"]
    ended = sum(tally[part] for part in ("refused", "cancelled", "refused_late", "dispatched", "open"))
    assert tally["received"] == ended == 2


def test_a_version_this_service_does_not_speak_is_answered(running):
    with raw(running) as dealer:
        for version in (0, 2, 99):
            answer = asked(dealer, Hello(request=7, version=version))
            assert (answer.code, answer.request) == ("wire.version", 7)


@pytest.fixture
def narrow(centre):
    """A service that takes four applications a day from each upstream, and five from one of them."""
    with centre.config.open("a", encoding="utf-8") as config:
        config.write('\n[upstreams]\napplications_per_day = 4\nquotas = "south 5"\n')
    centre.start()
    return centre


def raw(running, name: str = "north") -> SyncDealer:
    secret = running.secret("upstream", name)
    keys = read_pair(secret.parent, name)
    return SyncDealer(running.doors["upstreams"], my_keys=keys, server_public_key=read_public(running.server_public))


def asked(dealer: SyncDealer, request: object) -> object:
    dealer.send(pack(request), 10)
    return ANSWERS.unpack(dealer.recv(30))


def test_beyond_its_quota_an_upstream_hears_busy_with_a_time_and_what_never_fits_by_its_code(narrow):
    with narrow.upstream() as north, narrow.upstream("south") as south:
        today = north.hello().floor_date
        sent = [encode_application(one) for one in people(today, 5, seed=24)]
        with pytest.raises(Refused) as never:
            north.submit_batch(number(today, 4), today, sent)
        assert never.value.code == "quota.never"
        north.submit_batch(number(today, 5), today, sent[:3])
        north.submit_batch(number(today, 5), today, sent[:3])  # again, and not charged again
        with raw(narrow) as dealer:
            header = {"due": today, "digest": "0" * 64}
            answer = asked(dealer, OpenBatch(request=1, batch_number=number(today, 6), count=2, **header))
            assert isinstance(answer, Busy)
            assert answer.retry_after_s > 0
            answer = asked(dealer, OpenBatch(request=2, batch_number=number(today, 7), count=1, **header))
            assert answer.state == "receiving"
        assert south.open_batch(number(today, 8), today, 5, "0" * 64).state == "receiving"


def test_the_correct_command_brings_a_file_of_corrected_applications(running, tmp_path, monkeypatch, capsys):
    upstream = Upstream(running)
    first, second = upstream.people(2)
    batch = upstream.number()
    with running.upstream() as north:
        wrong = [encode_application(changed(first, sex="3")), encode_application(second)]
        north.submit_batch(batch, upstream.today, wrong)
        receipts_until(north, ("accepted", 0))
    path = upstream.archive(tmp_path, batch, [first, second])
    monkeypatch.setattr("sys.argv", ["cardmill", "correct", str(path), *upstream.options, "--json", "-"])
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 1
    taken, late = json.loads(capsys.readouterr().out)["corrections"]
    assert (taken["code"], taken["batch_number"]) == ("", f"{batch}-C1-0")
    assert (late["acceptance_number"], late["code"]) == (second.acceptance_number, "correct.too_late")
