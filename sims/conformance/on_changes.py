"""Scenarios of what is changed after it was sent: cancelled, corrected, made express."""

from __future__ import annotations

from typing import Any

import msgspec

from encoders.envelope import pack
from sims.conformance import promises as p
from sims.conformance.cast import Batch, Fields
from sims.conformance.line import Message
from sims.conformance.report import brief
from sims.conformance.stage import FINALS, Stage


def cancelled(stage: Stage) -> None:
    """Accepted applications are cancelled, some twice: one final receipt each, and sums that agree."""
    batch = stage.cast.good(2)
    stage.bring(batch)
    cancels = [
        {"type": "cancel", "acceptance_number": batch.acceptance_number(index), "reason": "conformance"}
        for index in range(batch.count)
    ]
    for index in (0, 0, 1):
        stage.expect_type(p.CANCEL, stage.line.ask(cancels[index]), "done", f"application {index}")
    unknown = {**cancels[0], "acceptance_number": "9" * 22}
    stage.expect_error(p.CANCEL_UNKNOWN, stage.line.ask(unknown), "cancel.unknown", "a number nobody sent")
    own = stage.receipts_of(batch)
    for index in range(batch.count):
        kinds = [one["kind"] for one in own if one["index"] == index]
        finals = [kind for kind in kinds if kind in FINALS]
        stage.report.expect(p.ONE_FINAL, f"{index}: accepted, then cancelled once", kinds, held=finals == ["cancelled"])
    closed = [one for one in own if one["kind"] == "batch_closed"]
    stage.report.expect_equal(p.CLOSED, 1, len(closed), "receipts that close the batch")
    counts = closed[0].get("counts", {}) if closed else {}
    held = counts.get("received") == 2 == counts.get("cancelled") and not counts.get("open")
    stage.report.expect(p.EQUATION, "2 received = 2 cancelled", counts, held=held)
    state = stage.line.ask(batch.status())
    stage.report.expect_equal(p.STATES, "closed", state.get("state"), "nothing of it is open")


def corrected(stage: Stage) -> None:
    """A refused and a held application get another content; one that is accepted does not; no revision is skipped."""
    people = stage.cast.people(3)
    refused, held = {**people[0], "sex": "9"}, {**people[1], "name": "样"}
    batch = stage.cast.batch([refused, held, people[2]])
    stage.expect_verdicts(batch, stage.bring(batch, size=3))
    for index in (0, 1):
        _expect_correction(stage, batch, index, people[index])
    replaced = [one for one in stage.receipts_of(batch) if one["index"] == 1 and one["kind"] == "refused"]
    codes = [one.get("codes") for one in replaced]
    stage.report.expect(p.REPLACED, "the held one ends as refused with correct.replaced", codes, held=_says(codes))
    answer = _correct(stage, people[2], 1)
    stage.expect_error(p.CORRECT_TOO_LATE, answer, "correct.too_late", "one that is accepted")
    unknown = {**people[2], "acceptance_number": "9" * 22}
    stage.expect_error(p.CORRECT_UNKNOWN, _correct(stage, unknown, 1), "correct.unknown", "a number nobody sent")


def _expect_correction(stage: Stage, batch: Batch, index: int, right: Fields) -> None:
    """Correct one application of a batch as the page says, and in the ways it does not allow."""
    about = f"application {index}"
    skipped = _correct(stage, right, 2)
    stage.expect_error(p.CORRECT_REVISION, skipped, "correct.revision", f"{about}: revision 2 before 1")
    stranger = {**right, "acceptance_number": "9" * 22}
    other_number = _correct(stage, stranger, 1, batch.acceptance_number(index))
    stage.expect_error(p.CORRECT_NUMBER, other_number, "correct.number", f"{about}: another acceptance number")
    first = _correct(stage, right, 1)
    stage.expect_type(p.CORRECT, first, "corrected", f"{about}: revision 1")
    told = (first.get("acceptance_number"), first.get("revision"), first.get("batch_number"))
    wanted = (batch.acceptance_number(index), 1, f"{batch.number}-C1-{index}")
    stage.report.expect_equal(p.CORRECT_BATCH, wanted, told, about)
    again = _correct(stage, right, 1)
    same = {name: again.get(name) for name in first if name != "request"}
    stage.report.expect_equal(p.CORRECT_AGAIN, {name: first[name] for name in same}, same, f"{about}: the same again")
    verdict = stage.verdicts(Batch(wanted[2], batch.due, [right], [pack(right)])).get(0, {})
    stage.report.expect_equal(p.CHECKED_AGAIN, "accepted", verdict.get("kind"), f"{about}, corrected")
    stage.report.expect_equal(p.CHECKED_AGAIN, 1, verdict.get("revision"), f"{about}: the receipt's revision")
    changed = {**right, "address": right["address"][:-1] or right["address"]}
    stage.expect_error(
        p.CORRECT_AGAIN, _correct(stage, changed, 1), "correct.conflict", f"{about}: revision 1 with other bytes"
    )
    later = _correct(stage, right, 2)
    stage.expect_error(p.CORRECT_TOO_LATE, later, "correct.too_late", f"{about}: revision 2 of what is accepted")


def _correct(stage: Stage, application: Fields, revision: int, number: str = "") -> Message:
    request: dict[str, Any] = {
        "type": "correct",
        "acceptance_number": number or application["acceptance_number"],
        "revision": revision,
        "application": msgspec.Raw(pack(application)),
    }
    return stage.line.ask(request)


def _says(codes: list[Any]) -> bool:
    return len(codes) == 1 and "correct.replaced" in (codes[0] or [])


def made_express(stage: Stage) -> None:
    """An accepted application is made express, twice; one nobody sent is not."""
    batch = stage.cast.good(2)
    stage.bring(batch)
    before = stage.receipts()
    express = {"type": "express", "acceptance_number": batch.acceptance_number(0), "reason": "conformance"}
    for about in ("the first time", "asked again"):
        stage.expect_type(p.EXPRESS, stage.line.ask(express), "done", about)
    unknown = {**express, "acceptance_number": "9" * 22}
    stage.expect_error(p.CANCEL_UNKNOWN, stage.line.ask(unknown), "cancel.unknown", "a number nobody sent")
    state = stage.line.ask(batch.status())
    stage.report.expect(p.STATES, "both are open yet", brief(state), held=state.get("state") == "open")
    stage.report.expect_equal(p.ONE_FINAL, before, stage.receipts(), "the receipts are as before")
