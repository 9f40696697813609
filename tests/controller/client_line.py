"""One conversation with a time of its own: what the client says is read, what the service says is made up."""

from __future__ import annotations

import pytest

from controller.asking.conversation import UPSTREAM_ANSWERS, ClientError, Conversation, Patience
from controller.wire import Command, UpstreamRequest
from encoders.envelope import Opener, pack

REQUESTS = Opener(UpstreamRequest | Command)
PATIENCE = Patience(answer_within_s=5, give_up_s=60)


def failure_of(exchange):
    with pytest.raises(ClientError) as failed:
        exchange.result()
    return failed.value


def code_of(exchange):
    return failure_of(exchange).code


class Line:
    """One conversation and a time of its own."""

    def __init__(self, answers=UPSTREAM_ANSWERS, patience=PATIENCE):
        self.now_s, self.conversation = 100.0, Conversation(answers, patience)

    def begin(self, exchange):
        self.conversation.begin(exchange)
        return exchange

    def said(self):
        """Give what the client sends now."""
        frames = []
        while (frame := self.conversation.next_frame(self.now_s)) is not None:
            frames.append(REQUESTS.unpack(frame))
        return frames

    def says(self, answer):
        self.conversation.received(pack(answer), self.now_s)
