"""Scenarios of batches and chunks: whole, late, doubled, withheld, sent again, and others under the same number."""

from __future__ import annotations

from typing import Any

from sims.conformance import promises as p
from sims.conformance.report import brief
from sims.conformance.stage import WINDOW, Stage


def good(stage: Stage) -> None:
    """A good batch, in order: every state, a verdict each, and the sums."""
    batch = stage.cast.good(4)
    state = stage.announce(batch)
    stage.report.expect_equal(p.STATES, "receiving", state.get("state"), "announced, nothing sent")
    stage.report.expect_equal(p.MISSING, [[0, 4]], state.get("missing"), "announced, nothing sent")
    stored = stage.line.ask(batch.chunk(0, 4))
    stage.expect_type(p.ANY_ORDER, stored, "chunk_stored", "all four applications in one chunk")
    told = (stored.get("batch_number"), stored.get("first"), stored.get("count"))
    stage.report.expect_equal(p.ANY_ORDER, (batch.number, 0, 4), told, "what was stored")
    stage.expect_verdicts(batch, stage.verdicts(batch))
    state = stage.line.ask(batch.status())
    stage.report.expect(
        p.STATES, "verdicts are out, cards to be made: open", brief(state), held=state.get("state") == "open"
    )
    counts = state.get("counts") or {}
    ended = ("refused", "cancelled", "refused_late", "dispatched", "open")
    held = counts.get("received") == 4 == sum(counts.get(name, 0) for name in ended)
    stage.report.expect(p.EQUATION, "4 received, and as many on the right side", counts, held=held)


def gaps(stage: Stage) -> None:
    """Applications withheld: the batch names what is missing, and nobody gets a verdict before it is there."""
    batch = stage.cast.good(7)
    stage.announce(batch)
    for index in (0, 3, 6):
        stage.line.ask(batch.chunk(index))
    state = stage.line.ask(batch.status())
    stage.report.expect_equal(p.MISSING, [[1, 2], [4, 2]], state.get("missing"), "1, 2, 4 and 5 were withheld")
    stage.report.expect_equal(p.WAIT_FOR_WHOLE, 0, len(stage.receipts_of(batch)), "receipts of a batch with gaps")
    stage.line.ask(batch.chunk(1, 2))
    stage.report.expect_equal(p.MISSING, [[4, 2]], stage.announce(batch).get("missing"), "4 and 5 are withheld yet")
    found = stage.bring(batch, size=1)
    stage.expect_verdicts(batch, found)
    stage.expect_one_verdict_each([batch])


def late_chunks(stage: Stage) -> None:
    """Chunks from the last to the first, some twice, some once more when the verdicts are out."""
    batch = stage.cast.good(6)
    stage.announce(batch)
    for first in (4, 2, 4, 2, 0):
        answer = stage.line.ask(batch.chunk(first, 2))
        stage.expect_type(p.ANY_ORDER, answer, "chunk_stored", f"{first} and {first + 1}, backwards, some twice")
    overlapping = stage.line.ask(batch.chunk(1, 4))
    stage.expect_type(p.CHUNK_AGAIN, overlapping, "chunk_stored", "1 to 4, all stored before in other chunks")
    stage.expect_verdicts(batch, stage.verdicts(batch))
    before = stage.receipts()
    late = stage.line.ask(batch.chunk(2, 2))
    stage.expect_type(p.CHUNK_AGAIN, late, "chunk_stored", "2 and 3 once more, after the verdicts")
    stage.report.expect_equal(p.ASKED_AGAIN, len(before), len(stage.receipts()), "receipts after the late chunk")
    stage.expect_one_verdict_each([batch])


def duplicates(stage: Stage) -> None:
    """One acceptance number twice, and one person twice, in a batch: the last application may show it."""
    people = stage.cast.people(5)
    doubled = {**people[4], "acceptance_number": people[1]["acceptance_number"]}
    again = {**people[2], "acceptance_number": stage.cast.people(1)[0]["acceptance_number"]}
    batch = stage.cast.batch([*people[:4], doubled, again])
    found = stage.bring(batch)
    numbers = [one["acceptance_number"] for one in batch.applications]
    identities = [one["identity_number"] for one in batch.applications]
    for index in range(batch.count):
        codes = set(found.get(index, {}).get("codes", []))
        kind = found.get(index, {}).get("kind", "nothing")
        is_doubled, is_again = numbers.count(numbers[index]) > 1, identities.count(identities[index]) > 1
        if not is_doubled and not is_again:
            stage.report.expect_equal(p.WAIT_FOR_WHOLE, "accepted", kind, f"application {index}, of nobody else")
            continue
        code = "duplicate.acceptance_in_batch" if is_doubled else "duplicate.application"
        about = f"application {index} shares its {'acceptance number' if is_doubled else 'person'} with another"
        if index in (numbers.index(numbers[index]), identities.index(identities[index])) and kind == "accepted":
            stage.report.expect(p.WAIT_FOR_WHOLE, f"{about}: the first one may stand", kind, held=not codes)
        else:
            held = kind == "refused" and code in codes
            stage.report.expect(p.WAIT_FOR_WHOLE, f"{about}: refused with {code}", f"{kind} {codes}", held=held)
    accepted = [index for index in range(batch.count) if found.get(index, {}).get("kind") == "accepted"]
    unique = len({numbers[index] for index in accepted}) == len({identities[index] for index in accepted})
    stage.report.expect(
        p.WAIT_FOR_WHOLE,
        "no acceptance number and no person is accepted twice",
        f"accepted: {accepted}",
        held=unique and len(accepted) == len({numbers[index] for index in accepted}),
    )
    stage.expect_one_verdict_each([batch])


def day_resent(stage: Stage) -> None:
    """A whole day's batches once more from the beginning, over a new connection: same answers, no new receipt."""
    batches = [stage.cast.good(3) for _ in range(3)]
    for batch in batches:
        stage.bring(batch)
    first = [stage.line.ask(batch.status()) for batch in batches]
    receipts = stage.receipts()
    stage.line.cut()
    for batch, before in zip(batches, first, strict=True):
        state = stage.announce(batch)
        same = {name: state.get(name) for name in ("state", "counts", "codes")}
        stage.report.expect_equal(
            p.SAME_BATCH, {name: before.get(name) for name in same}, same, f"batch of {batch.count} announced again"
        )
        for index in range(batch.count):
            stage.expect_type(p.CHUNK_AGAIN, stage.line.ask(batch.chunk(index)), "chunk_stored", f"{index} again")
    stage.report.expect_equal(p.SAME_BATCH, receipts, stage.receipts(), f"the same {len(receipts)} receipts, no more")
    stage.expect_one_verdict_each(batches)


def conflict(stage: Stage) -> None:
    """Another batch under the same number, and another application at a stored place: nothing is overwritten."""
    batch, other = stage.cast.good(3), stage.cast.good(3)
    stage.announce(batch)
    stage.line.ask(batch.chunk(0, 2))
    before = stage.line.ask(batch.status())
    changes: dict[str, dict[str, Any]] = {
        "digest": {"digest": other.digest},
        "count": {"count": 2},
        "due day": {"due": stage.cast.today},
        "card kind": {"card_kind": "first"},
    }
    for name, change in changes.items():
        stage.expect_error(p.CONFLICT, stage.announce(batch, **change), "batch.conflict", f"another {name}")
    foreign = {**other.chunk(1, 1), "batch_number": batch.number}
    answer = stage.line.ask(foreign)
    stage.expect_error(p.CHUNK_AGAIN, answer, "chunk.conflict", "another application at place 1")
    stage.report.expect_equal(p.CHUNK_AGAIN, 1, answer.get("index"), "the place it speaks of")
    after = stage.line.ask(batch.status())
    stage.report.expect_equal(p.CONFLICT, before.get("missing"), after.get("missing"), "what is missing is as before")
    stage.expect_verdicts(batch, stage.bring(batch))
    stage.expect_error(
        p.CONFLICT, stage.announce(batch, digest=other.digest), "batch.conflict", "another digest, verdicts are out"
    )
    stage.expect_one_verdict_each([batch])


def wrong_digest(stage: Stage) -> None:
    """Every application stored, and the digest of others: the batch is refused as a whole."""
    batch, other = stage.cast.good(2), stage.cast.good(2)
    header = {**batch.header(), "digest": other.digest}
    stage.line.ask(header)
    answers = stage.line.ask_together([batch.chunk(0, 2)] * WINDOW)  # the refusal overtakes some of them
    kinds = sorted({answer["type"] for answer in answers})
    expected = f"the one chunk {WINDOW} times at once: stored, or told `busy`"
    stage.report.expect(p.CHUNK_AGAIN, expected, kinds, held=set(kinds) <= {"chunk_stored", "busy"})
    stage.send_missing(batch, digest=other.digest)
    found = stage.verdicts(batch)
    told = found.get(-1, {})
    held = told.get("kind") == "refused" and "batch.digest" in told.get("codes", [])
    stage.report.expect(
        p.WRONG_DIGEST, "one receipt of the whole batch, refused with batch.digest", told.get("codes"), held=held
    )
    state = stage.line.ask(header)
    fits = state.get("state") == "refused" and "batch.digest" in state.get("codes", [])
    stage.report.expect(p.WRONG_DIGEST, "announced again: refused with batch.digest", brief(state), held=fits)
    stage.report.expect_equal(p.WRONG_DIGEST, set(), set(found) - {-1}, "receipts of single applications")
