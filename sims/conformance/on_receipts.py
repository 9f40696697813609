"""Scenarios of receipts: pages, old cursors, and a cut link."""

from __future__ import annotations

from encoders.envelope import pack
from sims.conformance import promises as p
from sims.conformance.report import brief
from sims.conformance.stage import Stage

PAGE = 3


def old_cursor(stage: Stage) -> None:
    """Receipts from old cursors, in small pages, after they were acknowledged: always the same, in order."""
    batch = stage.cast.good(7)
    stage.bring(batch)
    whole = stage.receipts()
    stage.report.expect(p.ABOVE, "at least 7 receipts", f"{len(whole)}", held=len(whole) >= 7)
    stage.report.expect_equal(p.PAGE, whole, stage.receipts(limit=PAGE), f"the same in pages of {PAGE}")
    page = stage.line.ask({"type": "receipts", "after": stage.started_at, "limit": PAGE})
    stage.report.expect_equal(p.PAGE, PAGE, len(page.get("items", [])), f"of a page of {PAGE}")
    stage.report.expect_equal(p.PAGE, True, page.get("more"), "another page is there")
    for back in (1, 4):
        tail = stage.receipts(after=whole[-1]["number"] - back)
        stage.report.expect_equal(p.ABOVE, whole[-back:], tail, f"above a cursor {back} back")
    last = whole[-1]["number"]
    answer = stage.line.ask({"type": "acknowledge", "upto": last - 2})
    stage.report.expect_equal(p.CURSOR, last - 2, answer.get("upto"), "where the cursor stands")
    answer = stage.line.ask({"type": "acknowledge", "upto": 0})
    stage.report.expect_equal(p.CURSOR, last - 2, answer.get("upto"), "after an older one: it never goes back")
    answer = stage.line.ask({"type": "acknowledge", "upto": last + 1_000})
    held = answer.get("upto", last + 1) <= last or answer.get("code") == "receipts.beyond"
    stage.report.expect(p.CURSOR, f"never past {last}", brief(answer), held=held)
    stage.line.ask({"type": "acknowledge", "upto": last})
    stage.report.expect_equal(p.FETCHED_AGAIN, whole, stage.receipts(), "the same, after they were acknowledged")
    nothing = stage.line.ask({"type": "receipts", "after": last, "limit": PAGE})
    stage.report.expect_equal(p.ABOVE, [], nothing.get("items"), "above the last one")


def cut_link(stage: Stage) -> None:
    """The link breaks with a chunk under way: what was acknowledged is there, and the rest is taken up where it was."""
    batch = stage.cast.good(9)
    stage.announce(batch)
    stage.line.ask(batch.chunk(0, 3))
    stage.line.say(pack({**batch.chunk(3, 3), "request": 1_000_001}))
    stage.line.cut()
    state = stage.announce(batch)
    missing = _missing(state.get("missing"))
    stage.report.expect(
        p.ANY_ORDER, "0 to 2 were acknowledged: stored", f"missing {sorted(missing)}", held=not missing & {0, 1, 2}
    )
    stage.report.expect(
        p.MISSING, "6 to 8 were never sent: missing", f"missing {sorted(missing)}", held={6, 7, 8} <= missing
    )
    half = pack({**batch.chunk(6, 3), "request": 1_000_002})
    stage.line.say(half[: len(half) * 2 // 3])
    stage.expect_error(p.MALFORMED, stage.line.hear(), "envelope.malformed", "a chunk of which a third is missing")
    after = _missing(stage.line.ask(batch.status()).get("missing"))
    stage.report.expect(p.MISSING, "6 to 8 are missing yet", f"missing {sorted(after)}", held={6, 7, 8} <= after)
    found = stage.bring(batch, size=3)
    stage.expect_verdicts(batch, found)
    receipts = stage.receipts()
    stage.line.cut()
    stage.report.expect_equal(p.ASKED_AGAIN, receipts, stage.receipts(), "the same receipts over another connection")
    stage.expect_one_verdict_each([batch])


def _missing(ranges: list[list[int]] | None) -> set[int]:
    return {index for first, count in ranges or [] for index in range(first, first + count)}
