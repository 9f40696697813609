"""Hostile portraits: any bytes are findings, and a picture whose header is refused is never decoded."""

from __future__ import annotations

from random import Random

import pytest

from bench.fuzz_mutations import mutated
from bench.fuzz_seeds import people, portraits
from controller.asking.submission import encode_application
from controller.checks.codes import Severity
from controller.checks.context import CheckContext
from controller.checks.finding import verdict
from controller.checks.portrait import portrait_findings
from controller.config import Config
from controller.intake import examination
from controller.intake.examination import examine
from controller.wiring import check_context
from encoders.portrait import PortraitError, prepare


@pytest.fixture(scope="module")
def context() -> CheckContext:
    return check_context(Config()).on("20260302", "second")


def with_size(picture: bytes, height_px: int, width_px: int) -> bytes:
    """Give a picture whose header claims another size."""
    at = picture.index(b"\xff\xc0") + 5
    return picture[:at] + height_px.to_bytes(2) + width_px.to_bytes(2) + picture[at + 4 :]


def examined(picture: bytes, context: CheckContext) -> set[str]:
    fields = {name: getattr(people()[0], name) for name in people()[0].__struct_fields__} | {"portrait": picture}
    [found] = examine([encode_application(type(people()[0])(**fields))], context, bytes(32))
    return {one.code for one in found.findings}


@pytest.mark.parametrize(("height_px", "width_px"), [(65_500, 65_500), (65_535, 1), (442, 358), (0, 358)])
def test_a_bomb_is_refused_by_its_header_and_never_decoded(height_px, width_px, context, monkeypatch):
    def never(*_: object, **__: object) -> None:
        raise AssertionError("a bomb was decoded")

    bomb = with_size(people()[0].portrait, height_px, width_px)  # drawing people decodes too, once
    monkeypatch.setattr(examination.simplejpeg, "decode_jpeg", never)
    assert "portrait.dimensions" in examined(bomb, context)
    with pytest.raises(PortraitError):
        prepare(bomb)


def test_mutated_portraits_are_findings_or_good():
    rng, seeds = Random(11), portraits()
    kinds = set()
    for _ in range(1_500):
        found = list(portrait_findings(mutated(seeds, rng)))
        kinds |= {one.code for one in found}
    assert {"portrait.damaged", "portrait.truncated", "portrait.not_jpeg", "portrait.dimensions"} <= kinds


def test_what_passes_the_header_is_decoded_or_damaged(context):
    rng, seeds = Random(12), [people()[0].portrait]
    decoded = 0
    for _ in range(300):
        picture = mutated(seeds, rng)
        if verdict(list(portrait_findings(picture))) < Severity.REFUSE:
            decoded += 1
            assert all(code.startswith("portrait.") for code in examined(picture, context))
    assert decoded > 30
