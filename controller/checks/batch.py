"""The check of a batch as a whole: its number, its count, its digest (DOMAIN.md 11.13)."""

from __future__ import annotations

from controller.application import LAST_INDEX
from controller.checks.days import are_digits, is_day
from controller.checks.finding import FINDINGS, Finding
from controller.checks.structure import CARD_KINDS


def check_batch(
    batch_number: str,
    count: int,
    present: int,
    *,
    seen_other: bool = False,
    digest_agrees: bool = True,
    due: str | None = None,
    card_kind: str | None = None,
    kind_is_made: bool = True,
) -> list[Finding]:
    """Give what is wrong with a batch; any finding refuses it, and then its members never enter the history.

    Args:
        batch_number: organisation code 12 (not looked at) + date 8 + sequence 5, all digits (GA 214.11-2004).
        count: what the header announces.
        present: the applications that arrived.
        seen_other: the caller knows this number with other content.
        digest_agrees: the caller compared the digest.
        due, card_kind: what the header says, None when it does not speak of it.
        kind_is_made: the centre makes this kind on the day the batch was received.
    """
    codes = _number_faults(batch_number)
    if seen_other:
        codes.append("batch.conflict")
    if count != present:
        codes.append("batch.count")
    elif not 1 <= count <= LAST_INDEX + 1:
        codes.append("batch.limit")
    if not digest_agrees:
        codes.append("batch.digest")
    if due is not None and not is_day(due):
        codes.append("batch.due")
    if card_kind is not None and card_kind not in CARD_KINDS:
        codes.append("batch.card_kind")
    elif not kind_is_made:
        codes.append("batch.kind_dates")
    return [FINDINGS[code] for code in codes]


def _number_faults(batch_number: str) -> list[str]:
    if not are_digits(batch_number, 25):
        return ["batch.number"]
    codes = [] if is_day(batch_number[12:20]) else ["batch.date"]
    if batch_number[20:] == "00000":
        codes.append("batch.sequence")
    return codes
