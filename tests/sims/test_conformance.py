"""The conformance kit: the real service keeps what the page promises, and whoever does not is told in which words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given
from typer.testing import CliRunner

from controller.asking.submission import batch_digest
from controller.checks.codes import CODES, Severity
from controller.evidence.public_keys import PublicKeys
from devices.keys import curve_keypair
from encoders.envelope import pack
from sims.cli import app
from sims.conformance import promises, run
from sims.conformance.cast import Cast
from sims.conformance.errors import ConformanceError, NoAnswer
from sims.conformance.line import Target
from sims.conformance.rules import RULES, broken_rules, portrait_faults, verdict_of
from sims.conformance.signatures import is_signed_by, signer_keys
from sims.spoiled_portraits import four_colours, no_end_marker, not_jpeg, progressive, truncated
from tests.controller.evidence.samples import KEY, OTHER, OTHER_SIGNER, SIGNER, receipts
from tests.controller.pretend_centre import PretendRouter
from tests.sims import little_centre

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text("utf-8")
KEPT = ("good", "gaps", "late-chunks", "conflict", "old-cursor")  # what a little centre in memory can keep


def plain(text: str) -> str:
    return re.sub(r"\s+", " ", text.replace("**", ""))


def judged(centre, *names: str, signers=None):
    with PretendRouter(centre) as router:
        return run.run_scenarios(names, Target(router.endpoint, router.keys.public, signers), curve_keypair(), None, 7)


# ---- against the real service ---------------------------------------------------------------------------------


@pytest.mark.whole
def test_a_real_service_keeps_every_promise_in_every_scenario(tmp_path):
    file = tmp_path / "conformance.json"
    code = run.run_command([run.ALL], None, None, None, None, None, str(file))
    found = json.loads(file.read_text("utf-8"))
    wrong = [one for one in found["items"] if not one["held"]]
    assert (wrong, code, found["untried"]) == ([], 0, {}), f"seed {found['seed']}"
    assert {one["scenario"] for one in found["items"]} == {"hello", *run.SCENARIOS}
    assert found["expectations"] == found["passed"] > 300


# ---- it can fail ----------------------------------------------------------------------------------------------


def test_a_little_centre_that_keeps_the_page_passes():
    report = judged(little_centre.LittleCentre(), *KEPT)
    assert report.failed == []
    assert len(report.expectations) > 60


@pytest.mark.parametrize(
    ("centre", "scenario", "promise", "expected"),
    [
        (little_centre.AcceptsConflicts, "conflict", promises.CONFLICT, "another digest: error batch.conflict"),
        (little_centre.OverwritesApplications, "conflict", promises.CHUNK_AGAIN, "another application at place 1"),
        (little_centre.DropsReceipts, "old-cursor", promises.NUMBERED, "none left out"),
        (little_centre.DropsReceipts, "good", promises.ALL_FINDINGS, "application 2: accepted"),
        (little_centre.ForgetsAcknowledged, "old-cursor", promises.FETCHED_AGAIN, "the same, after they were"),
        (little_centre.JudgesEarly, "gaps", promises.WAIT_FOR_WHOLE, "receipts of a batch with gaps"),
        (little_centre.CountsFromOne, "gaps", promises.MISSING, "1, 2, 4 and 5 were withheld"),
    ],
)
def test_a_centre_that_breaks_one_promise_is_told_that_promise(centre, scenario, promise, expected, monkeypatch):
    monkeypatch.setattr("sims.conformance.stage.VERDICTS_WITHIN_S", 0.5)
    failed = judged(centre(), scenario).failed
    assert any(one.promise == promise and expected in one.expected for one in failed), failed


def test_a_wrong_centre_ends_the_command_with_1_and_its_sentences_on_the_screen(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("sims.conformance.stage.VERDICTS_WITHIN_S", 0.5)
    own, server = tmp_path / "north.secret", tmp_path / "server.public"
    with PretendRouter(little_centre.AcceptsConflicts()) as router:
        own.touch(mode=0o600)
        own.write_text(curve_keypair().secret, "ascii")
        server.write_text(router.keys.public, "ascii")
        code = run.run_command(["conflict"], router.endpoint, server, own, None, 3, "")
    said = plain(capsys.readouterr().out)
    assert code == 1
    assert f"FAIL {promises.CONFLICT}" in said
    assert "answered batch_state" in said
    assert "Repeat with --seed 3." in said


# ---- signatures, which may be left out ---------------------------------------------------------------------------

SIGNERS = {SIGNER.key_id: KEY.public_key()}


def test_a_centre_that_does_not_sign_fails_nothing_and_it_is_said_that_nothing_was_tried(monkeypatch):
    monkeypatch.setattr("sims.conformance.stage.VERDICTS_WITHIN_S", 5.0)
    report = judged(little_centre.LittleCentre(), "signed", signers=SIGNERS)
    assert report.failed == []
    assert report.untried == {"signed": "no receipt is signed, which the page leaves open"}


def test_a_centre_that_signs_is_judged_by_its_keys_where_they_are_known():
    report = judged(little_centre.SignsReceipts(), "signed", signers=SIGNERS)
    assert (report.failed, report.untried) == ([], {})
    assert promises.SIGNATURE in {one.promise for one in report.expectations}
    unknown = judged(little_centre.SignsReceipts(), "signed")
    assert (unknown.failed, list(unknown.untried)) == ([], ["signed, by the centre's keys"])


@pytest.mark.parametrize(
    ("centre", "promise"),
    [
        (little_centre.SignsLess, promises.SIGNATURE),
        (little_centre.SignsForAnother, promises.SIGNED_FOR),
        (little_centre.SignsByTheHour, promises.SIGNED_SAME),
        (little_centre.SignsWithAnother, promises.SIGNED),
        (little_centre.SignsShort, promises.SIGNED),
    ],
)
def test_a_centre_that_signs_wrongly_is_told_which_promise_it_breaks(centre, promise):
    failed = judged(centre(), "signed", signers=SIGNERS).failed
    assert {one.promise for one in failed} == {promise}


@given(plain=receipts)
def test_the_kits_own_reading_of_the_page_agrees_with_the_services(plain):
    signed = SIGNER.signed(plain, "north")
    heard = msgspec.msgpack.decode(pack(signed))
    assert is_signed_by(heard, SIGNERS[SIGNER.key_id])
    assert not is_signed_by({**heard, "index": heard["index"] + 1}, SIGNERS[SIGNER.key_id])


def test_the_keys_of_a_file_are_known_by_their_ids_and_a_file_without_any_is_told(tmp_path):
    path = tmp_path / "receipts.public"
    path.write_bytes(PublicKeys([KEY.public_key(), OTHER.public_key()]).pem())
    assert list(signer_keys(path)) == [SIGNER.key_id, OTHER_SIGNER.key_id]
    path.write_text("no key", "ascii")
    with pytest.raises(ConformanceError, match="no Ed25519"):
        signer_keys(path)


def test_who_never_answers_by_number_is_no_service(monkeypatch):
    monkeypatch.setattr("sims.conformance.line.ANSWER_WITHIN_S", 0.2)
    with pytest.raises(NoAnswer, match="nothing"):
        judged(little_centre.AnswersWithoutNumbers(), "good")


# ---- promises, rules, what is sent ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in vars(promises) if name.isupper()])
def test_a_promise_is_a_quote_of_the_page(name):
    assert plain(getattr(promises, name)) in plain(PAGE)


def test_every_rule_has_a_code_and_field_of_the_table_and_a_weight_that_decides():
    assert all(CODES[code].field == field and CODES[code].severity > Severity.NOTE for field, code, _ in RULES)


def test_good_people_break_no_rule_and_each_change_breaks_the_rule_it_is_against():
    cast = Cast(11, "20260302")
    [good] = cast.people(1)
    assert broken_rules(good) == frozenset()
    assert verdict_of(broken_rules(good)) == "accepted"
    changes = {"sex": "9", "unit": "", "name": "Anna"}
    assert broken_rules({**good, **changes}) == {"sex.unknown", "missing.unit", "name.latin"}
    assert broken_rules({**good, "identity_number": good["identity_number"][:17] + "A"}) == frozenset()
    last = "1" if good["identity_number"][17] != "1" else "2"
    assert broken_rules({**good, "identity_number": good["identity_number"][:17] + last}) == {"number.check_character"}
    assert broken_rules(["no", "map"]) == {"record.unreadable"}
    assert broken_rules({**good, "name": 17}) == {"type.name"}
    assert verdict_of(frozenset({"sex.unknown"})) == "refused"


def test_what_a_picture_is_is_read_off_its_bytes():
    [person] = Cast(12, "20260302").people(1)
    picture = person["portrait"]
    found = {
        spoil.__name__: portrait_faults(spoil(picture, None))
        for spoil in (not_jpeg, no_end_marker, progressive, four_colours)
    }
    assert portrait_faults(picture) == set()
    assert found["not_jpeg"] == {"portrait.not_jpeg"}
    assert found["no_end_marker"] == {"portrait.truncated"}
    assert found["progressive"] == {"portrait.not_baseline"}
    assert "portrait.components" in found["four_colours"]
    assert portrait_faults(b"") == {"portrait.missing"}
    assert portrait_faults(truncated(picture, Random(1))) == {"portrait.truncated"}


def test_runs_of_two_seeds_send_nobody_twice_and_batches_have_the_digest_of_the_page():
    sent = [Cast(seed, "20260302") for seed in (1, 2, 1)]
    batches = [cast.good(3) for cast in sent]
    assert batches[0].encoded == batches[2].encoded
    assert not set(batches[0].encoded) & set(batches[1].encoded)
    assert batches[0].number != batches[1].number
    assert batches[0].digest == batch_digest(batches[0].encoded)


# ---- the command ----------------------------------------------------------------------------------------------


def test_the_list_names_every_scenario_with_a_sentence():
    said = CliRunner().invoke(app, ["upstream", "--list"])
    assert said.exit_code == 0
    assert [line.split()[0] for line in said.stdout.splitlines()] == list(run.SCENARIOS)
    assert all(len(line.split()) > 4 for line in said.stdout.splitlines())


def test_the_page_of_the_kit_has_each_scenario_and_no_other():
    page = (Path(__file__).resolve().parents[2] / "docs" / "conformance.md").read_text("utf-8")
    assert re.findall(r"^\| `([a-z-]+)` \|", page, re.MULTILINE) == list(run.SCENARIOS)


def test_a_scenario_that_is_none_and_an_address_without_keys_are_sentences():
    with pytest.raises(ConformanceError, match="no scenario 'storms'"):
        run.chosen_scenarios(["storms"])
    with pytest.raises(ConformanceError, match="--server-key"):
        run.run_command(["good"], "tcp://127.0.0.1:1", None, None, None, 1, "")
    assert run.chosen_scenarios(["gaps", "good"]) == ["good", "gaps"]
