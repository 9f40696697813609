"""The end of a soak: when nothing moves any more, do the sums hold, and does the ledger verify?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bench.crash_audit import Auditor
from bench.crash_diary import Diary
from bench.crash_matter import open_batches
from bench.soak_feed import Feed
from controller.ledger.receipts import FINAL_KINDS


def broken_laws(data: Path, feed: Feed) -> tuple[list[str], int]:
    """Give a sentence for each law that does not hold, and the moves that were read for it; the service has ended.

    Every move is folded anew: what came in is what ended and what is open (law 4), accounts of blanks balance (law 2),
    nobody is told two ends; the audit recomputes the chain and every table from it (laws 7, 9).
    """
    auditor = Auditor(data, Diary())
    auditor.look(whole=True)
    told = [sentence for kind in auditor.found.values() for sentence in kind]
    told += open_batches(auditor.state)
    told += _receipts(feed, auditor)
    return told, auditor.head.seq


def _receipts(feed: Feed, auditor: Auditor) -> Iterator[str]:
    """Compare what the upstream was told with the ledger, where the asking upstream's one batch stands too."""
    tally = auditor.tally
    ended = tally.dispatched + tally.cancelled + tally.refused_late
    heard = sum(feed.kinds[kind] for kind in FINAL_KINDS)
    if not 0 <= ended - heard <= ASKERS_CARDS:
        yield f"{ended} cards came to their end, and the upstream heard of {heard}"
    yield from feed.faults


ASKERS_CARDS = 8
