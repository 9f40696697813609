"""Hostile words of a station: any bytes are a message or a refusal, and any message is heard without an exception."""

from __future__ import annotations

from contextlib import suppress

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.driver import MAX_SAID_BYTES
from devices.messages import ControllerSaid, StationSaid
from devices.protocol import ControllerSide
from encoders.envelope import EnvelopeError, Opener

stations: Opener = Opener(StationSaid, MAX_SAID_BYTES)
controllers: Opener = Opener(ControllerSaid)

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=9)
    | st.binary(max_size=9)
)
values = st.recursive(scalars, lambda inner: st.lists(inner, max_size=9), max_leaves=20)
job_ids = st.integers(0, 5) | scalars
states = st.sampled_from(["idle", "execute", "held", "aborted", "flying"])
said = st.fixed_dictionaries(
    {"type": st.sampled_from(["hello", "status", "taken", "done", "never_seen", "unknown"]), "job_id": job_ids},
    optional={
        "version": st.just(1) | scalars,
        "step": st.sampled_from(["print", "fly"]),
        "model": st.just("sim"),
        "load_max": st.integers(-1, 1_001),
        "state": states,
        "reason": st.text(max_size=70),
        "issue_id": job_ids,
        "started_floor_s": st.floats(),
        "ended_floor_s": st.floats(),
        "sheets": values,
        "packed": values,
    },
)


@pytest.mark.parametrize("opener", [stations, controllers], ids=["station", "controller"])
@given(frame=st.binary(max_size=200))
@settings(deadline=None, max_examples=150)
def test_any_bytes_are_a_message_or_a_refusal(opener, frame):
    with suppress(EnvelopeError):
        opener.unpack(frame)


@given(words=st.lists(said, max_size=6))
@settings(deadline=None, max_examples=200)
def test_whatever_a_station_says_in_whatever_order_is_heard(words):
    side = ControllerSide("press-1")
    for at_s, word in enumerate(words):
        try:
            message = stations.unpack(msgpack.packb(word))
        except EnvelopeError:
            continue
        heard = side.received(message, float(at_s))
        assert len(heard.events) + len(heard.messages) <= 20


def test_a_frame_over_its_bound_is_refused_unread():
    with pytest.raises(EnvelopeError, match="too_long"):
        stations.unpack(bytes(MAX_SAID_BYTES + 1))


@pytest.mark.parametrize("head", [b"\xdd", b"\xdf", b"\xdb", b"\xc6"])
def test_a_head_that_lies_about_what_follows_is_refused(head):
    with pytest.raises(EnvelopeError, match="malformed"):
        stations.unpack(b"\x82\xa4type\xa5taken\xa1x" + head + b"\xff\xff\xff\xff\x01")
