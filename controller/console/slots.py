"""Slots: the parts of a rendering made for everybody that only some readers are given."""

from __future__ import annotations

import re
from collections.abc import Callable

Allows = Callable[[str], bool]  # what a slot is for, `act issue` say; whether this reader is given it
_EDGE = re.compile(r"<!--(if [a-z0-9_ ]+|end)-->")  # a value can forge none: its `<` is escaped


def filled(markup: str, allows: Allows) -> str:
    """Give markup with those of its slots `<!--if WORDS-->...<!--end-->` that a reader may have; they do not nest.

    Rendering is the costly part and is done once; this is done for each reader.
    """
    kept, is_given = [], True
    for at, part in enumerate(_EDGE.split(markup)):
        if at % 2:
            is_given = part == "end" or allows(part.removeprefix("if "))
        elif is_given:
            kept.append(part)
    return "".join(kept)
