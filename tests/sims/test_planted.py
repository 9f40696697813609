"""Planted faults: each is found as what it is, and what is good is found good."""

from collections import Counter
from random import Random

import pytest
import simplejpeg

from controller.application import Application
from controller.asking.submission import encode_application
from controller.checks.codes import CODES, Severity
from controller.checks.context import load_context
from controller.checks.digests import person_digests
from controller.checks.duplicates import Person, check_duplicates
from controller.checks.finding import verdict
from controller.checks.pixels import check_pixels
from controller.checks.rows import check_application
from encoders.fonts.coverage import bundled_coverage
from sims.batches import BatchPlan, Shares
from sims.faces import FaceSource
from sims.people import Population
from sims.planted import FAULTS, HELD, NOTED, REFUSED, WRITTEN_ONLY, plant

TODAY = "20260312"
SITE_KEY = bytes(32)


@pytest.fixture(scope="module")
def faces():
    return FaceSource(11)


@pytest.fixture(scope="module")
def context():
    glyphs = bundled_coverage().characters
    return load_context(TODAY, lambda code_point: chr(code_point) in glyphs)


def findings_of(batch, context):
    """Give the findings of each application of a batch, by all that checks it."""
    own = [[*check_application(application, context)] for application in batch]
    for findings, application in zip(own, batch, strict=True):
        if verdict(findings) < Severity.REFUSE:
            findings += check_pixels(simplejpeg.decode_jpeg(application.portrait, "GRAY")[..., 0])
    people = [
        Person(index, application.acceptance_number, *person_digests(application, SITE_KEY))
        for index, application in enumerate(batch)
    ]
    reasons = [application.reason for application in batch]
    for index, finding in check_duplicates(people, [verdict(f) for f in own], [], reasons, context.policy):
        own[index].append(finding)
    return own


def test_there_are_enough_kinds_and_no_two_have_one_name():
    assert len(REFUSED) >= 90
    assert len(HELD) >= 15
    assert len(NOTED) >= 20
    assert len({fault.name for fault in FAULTS}) == len(FAULTS)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_what_is_planted_in_batches_can_be_sent(fault, faces):
    population = Population(3, faces=faces)
    spoiled = plant(fault, population.application(61, TODAY), population.application(1, TODAY), Random(1))
    assert encode_application(spoiled)


@pytest.mark.parametrize("fault", FAULTS + WRITTEN_ONLY, ids=lambda fault: fault.name)
def test_the_table_of_codes_weighs_a_fault_as_the_domain_does(fault):
    row = CODES[fault.code]
    assert (row.severity.name.lower(), row.group, row.field) == (fault.expected, fault.group, fault.field)


@pytest.mark.parametrize("fault", FAULTS + WRITTEN_ONLY, ids=lambda fault: fault.name)
def test_a_planted_fault_gets_its_verdict_code_and_field(fault, faces, context):
    population = Population(3, faces=faces)
    for k in range(10):
        earlier, good = population.application(7 * k, TODAY), population.application(7 * k + 2_400, TODAY)
        planted = plant(fault, good, earlier, Random(k))
        of_earlier, of_planted = findings_of([earlier, planted], context)
        assert of_earlier == []
        assert (fault.code, fault.field) in [(finding.code, finding.field) for finding in of_planted]
        assert verdict(of_planted).name.lower() == fault.expected


@pytest.mark.parametrize("fault", FAULTS + WRITTEN_ONLY, ids=lambda fault: fault.name)
def test_a_fault_is_the_same_for_a_seed_and_leaves_the_good_one_alone(fault, faces):
    population = Population(4, faces=faces)
    earlier, good = population.application(1, TODAY), population.application(61, TODAY)
    kept = Application(**{name: getattr(good, name) for name in Application.__struct_fields__})
    assert plant(fault, good, earlier, Random(9)) == plant(fault, good, earlier, Random(9)) != good
    assert good == kept


def test_two_thousand_good_people_give_no_finding_at_all(faces, context):
    plan = BatchPlan(21, 2_000, TODAY, Shares(0, 0, 0), faces=faces)
    found = Counter()
    for draft in plan:
        for findings in findings_of(list(draft.applications()), context):
            found.update(finding.code for finding in findings)
    assert found == Counter()


def test_a_whole_plan_is_judged_just_as_planted(faces, context):
    plan = BatchPlan(22, 2_000, TODAY, faces=faces, sizes=(50, 400))
    for draft in plan:
        expected = {planted.index: planted for planted in draft.planted}
        for index, findings in enumerate(findings_of(list(draft.applications()), context)):
            if index in expected:
                assert verdict(findings).name.lower() == expected[index].expected
                assert expected[index].code in [finding.code for finding in findings]
            else:
                assert findings == []


def test_everything_about_a_good_person_can_be_printed():
    coverage = bundled_coverage()
    population = Population(5)
    for i in range(3_000):
        person = population.application(i, TODAY)
        assert coverage.missing_glyphs(person.name + person.address + person.authority) == []


def test_good_people_of_other_days_give_no_finding_either(faces, context):
    for today in ("20170401", "20180401", "20280229", "20400301"):
        population = Population(6, today, faces)
        on_that_day = context.on(today)
        for i in range(300):
            assert check_application(population.application(i, today), on_that_day) == []
