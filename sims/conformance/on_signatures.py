"""The scenario of signatures, which an implementation may leave out: receipts as evidence."""

from __future__ import annotations

import re

from sims.conformance import promises as p
from sims.conformance.line import Message
from sims.conformance.signatures import is_signed_by
from sims.conformance.stage import Stage

SIGNATURE_BYTES = 64
_KEY_ID = re.compile(r"[0-9a-f]{16}")


def signed(stage: Stage) -> None:
    """Signatures of receipts: their form, whose names they hold, that they hold, and that they stay the same."""
    person, *others = stage.cast.people(4)
    batch = stage.cast.batch([{**person, "sex": "9"}, *others])  # one is refused: codes and fields are signed too
    stage.bring(batch)
    told = stage.receipts()
    if not any(one.get("signature") or one.get("signer") for one in told):
        stage.report.untried["signed"] = "no receipt is signed, which the page leaves open"
        return
    shapeless = [one["number"] for one in told if not _has_shape(one)]
    stage.report.expect_equal(p.SIGNED, [], shapeless, "receipts without 64 bytes and 16 hex digits")
    strangers = [one["number"] for one in told if one.get("upstream") != stage.name or not one.get("centre")]
    stage.report.expect_equal(p.SIGNED_FOR, [], strangers, f"receipts not for {stage.name}")
    before = {one["number"]: one.get("signature") for one in told}
    stage.line.cut()
    again = {one["number"]: one.get("signature") for one in stage.receipts(limit=2) if one["number"] in before}
    stage.report.expect(
        p.SIGNED_SAME, "fetched again in small pages: the same", _difference(before, again), held=before == again
    )
    _expect_good(stage, told)


def _expect_good(stage: Stage, told: list[Message]) -> None:
    """Hold each signature against the centre's keys, where they are known."""
    signers = stage.target.signers
    if signers is None:
        stage.report.untried["signed, by the centre's keys"] = "name its receipts.public with --receipts-key"
        return
    foreign = sorted({str(one.get("signer")) for one in told} - set(signers))
    stage.report.expect_equal(p.SIGNED, [], foreign, "signers that are not in receipts.public")
    known = [one for one in told if one.get("signer") in signers and _has_shape(one)]
    bad = [one["number"] for one in known if not is_signed_by(one, signers[one["signer"]])]
    stage.report.expect_equal(p.SIGNATURE, [], bad, f"of {len(known)} receipts, those whose signature does not hold")


def _has_shape(one: Message) -> bool:
    signature, signer = one.get("signature"), one.get("signer")
    is_long_enough = isinstance(signature, bytes) and len(signature) == SIGNATURE_BYTES
    return is_long_enough and isinstance(signer, str) and _KEY_ID.fullmatch(signer) is not None


def _difference(before: dict[int, object], again: dict[int, object]) -> str:
    others = sorted(number for number, signature in before.items() if again.get(number) != signature)
    return f"others for {others[:20]}" if others else f"the same {len(before)}"
