"""The fields of a package, which are those of the wire: texts by name in, a part out."""

from __future__ import annotations

from collections.abc import Mapping

from controller.application import Application
from controller.checks.days import are_digits
from controller.checks.finding import FINDINGS
from controller.offline.parts import UNREADABLE_COUNT, BatchHead, Record

HEADER_FIELDS = ("batch_number", "received_on", "card_kind", "due", "count")
RECORD_FIELDS = Application.__struct_fields__
COUNT_DIGITS_MAX = 9
_TEXTS = tuple(name for name in RECORD_FIELDS if name != "portrait")


def head_of(texts: Mapping[str, str], *, is_readable: bool = True) -> BatchHead:
    """Give the header that some texts make; unknown names are ignored."""
    if not is_readable:
        return BatchHead(findings=(FINDINGS["batch.unreadable"],))
    count = texts.get("count", "")
    is_number = len(count) <= COUNT_DIGITS_MAX and are_digits(count, len(count))
    return BatchHead(
        texts.get("batch_number", ""),
        texts.get("received_on", ""),
        texts.get("card_kind"),
        int(count) if is_number and count else UNREADABLE_COUNT,
        due=texts.get("due", ""),
    )


def record_of(texts: Mapping[str, str], *, is_readable: bool = True) -> Record:
    """Give the record that some texts make; of one that cannot be read the acceptance number is kept."""
    if not is_readable:
        number = texts.get("acceptance_number", "")
        return Record(Application(acceptance_number=number), findings=(FINDINGS["record.unreadable"],))
    values = [texts.get(name, "") for name in _TEXTS]
    return Record(Application(*values), texts.get("portrait", ""))  # type: ignore[arg-type]  # the bytes are left out
