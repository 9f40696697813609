"""Without a service an application gets the findings that the service's own examination gives it."""

from __future__ import annotations

import dataclasses
import json
from random import Random

import msgspec
import pytest

from controller.asking.submission import encode_application
from controller.checks.finding import FINDINGS
from controller.intake.examination import examine
from encoders.fonts.coverage import bundled_coverage
from sims.faces import FaceSource
from sims.people import Population
from sims.planted import FAULTS, plant
from tests.controller.checks.samples import TODAY, context
from tests.controller.offline.files import KEY, answers_of, batch


@pytest.fixture(scope="module")
def people():
    return Population(8, TODAY, FaceSource(8))


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.group != "duplicate"], ids=lambda one: one.name)
def test_a_planted_fault_is_the_same_in_both(fault, people):
    spoiled = plant(fault, people.application(70, TODAY), people.application(10, TODAY), Random(2))
    real = dataclasses.replace(context(), glyphs=lambda point: chr(point) in bundled_coverage().characters)
    (examined,) = examine([encode_application(spoiled)], real.on(TODAY, "second"), KEY)
    fields = msgspec.structs.asdict(spoiled) | {"portrait": "x.jpg"}
    lines = [batch(1, 1), json.dumps({"application": fields})]
    _, answer = answers_of(lines, real, lambda name: spoiled.portrait or FINDINGS["portrait.missing"])
    assert answer.findings == examined.findings
    assert answer.verdict == examined.severity
    assert fault.code in [finding.code for finding in answer.findings]
