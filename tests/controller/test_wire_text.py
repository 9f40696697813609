"""Texts on the wire: none holds a control character, which a terminal would obey and not every database can keep."""

from __future__ import annotations

import pytest

from controller.core.acts import malformed
from controller.desk.desk import BadArgument, text
from controller.wire import AskBatch, Command, OperatorRequest, UpstreamRequest
from devices.messages import StationSaid, StationState, Status
from encoders.envelope import EnvelopeError, Opener, pack


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (UpstreamRequest, AskBatch(request=1, batch_number="1\0")),
        (OperatorRequest, Command(request=1, verb="stock\0")),
        (StationSaid, Status(state=StationState.HELD, reason="jam\0", since_floor_s=1.0)),
        (StationSaid, Status(state=StationState.HELD, reason="jam\x1b]0;owned\x1b[2J", since_floor_s=1.0)),
        (StationSaid, Status(state=StationState.HELD, reason="jam\x9b2J", since_floor_s=1.0)),
    ],
)
def test_a_message_with_a_control_character_in_a_text_is_refused_where_it_comes_in(kind, message):
    with pytest.raises(EnvelopeError):
        Opener(kind).unpack(pack(message))


def test_an_argument_with_a_nul_is_refused():
    with pytest.raises(BadArgument):
        text({"reason": "a\0b"}, "reason", 10)
    code, _ = malformed("override", {"card": 1, "reason": "a\0b"}) or ("", "")
    assert code == "act.argument"
