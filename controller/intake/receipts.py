"""Receipts as upstreams read them: the ledger's rows with the sentences of their codes."""

from __future__ import annotations

import msgspec

from controller.checks.codes import CODES
from controller.wire import Receipt
from devices.defects import DEFECTS

OTHER_SENTENCES = {
    "batch.unfinished": (
        "保存期内未收齐，已删除，请换号重发 / it was not brought whole as long as data is kept: send it as a new batch"
    ),
    "correct.replaced": "已由更正代替 / a correction takes its place",
    "correct.too_late": "原申请已受理，不能更正 / what was sent before is accepted already: it cannot be corrected",
    "remake.attempts": "制作次数已用完，待人工处理 / all attempts are used up: a person decides",
    "face.no_glyph": "字库无此字 / the font has no glyph for a character",
}


def sentence_of(code: str) -> str:
    """Give what a code says to people, in Chinese and English; an unknown code speaks for itself."""
    if code in CODES:
        return f"{CODES[code].zh} / {CODES[code].en}"
    if code in DEFECTS:
        return f"{DEFECTS[code].zh} / {DEFECTS[code].en}"
    return OTHER_SENTENCES.get(code, code)


def with_texts(receipt: Receipt) -> Receipt:
    """Give a receipt with a sentence beside each code."""
    return msgspec.structs.replace(receipt, texts=[sentence_of(code) for code in receipt.codes])
