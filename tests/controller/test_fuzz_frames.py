"""Hostile frames at the doors: any bytes are an answer, and what is too long, too deep or too many is refused early."""

from __future__ import annotations

import struct
from contextlib import suppress

import msgpack
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.checks.codes import CODES
from controller.config import Config, ConfigError, load_config
from controller.doors import operator_requests, upstream_requests
from controller.intake.examination import examine
from controller.wire import MAX_APPLICATIONS_PER_BATCH, MAX_LISTED, MAX_NAMED, Command
from controller.wiring import check_context
from encoders.envelope import MAX_MESSAGE_BYTES, EnvelopeError, Opener, pack

CONTEXT = check_context(Config()).on("20260302", "second")
DOORS = pytest.mark.parametrize("door", [upstream_requests, operator_requests], ids=["upstream", "operator"])
COMMAND = b"\x83\xa4type\xa7command\xa4verb\xa6status\xa4args\x81\xa1a"
CHUNK = b"\x84\xa4type\xa5chunk\xacbatch_number\xa11\xa5first\x00\xacapplications"

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=20)
    | st.binary(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
tagged = st.fixed_dictionaries(
    {"type": st.sampled_from(["hello", "batch", "chunk", "status", "receipts", "acknowledge", "cancel", "command"])},
    optional=dict.fromkeys(
        ("request", "version", "batch_number", "due", "count", "digest", "first", "applications", "verb", "args"),
        values,
    ),
)


def array(count: int, members: bytes) -> bytes:
    return b"\xdd" + struct.pack(">I", count) + members


def refused(door: Opener, frame: bytes) -> EnvelopeError:
    with pytest.raises(EnvelopeError) as caught:
        door.unpack(frame)
    return caught.value


def answered(door: Opener, frame: bytes) -> None:
    """Raises whatever is neither a message nor a refusal."""
    with suppress(EnvelopeError):
        door.unpack(frame)


@DOORS
@given(frame=st.binary(max_size=300))
@settings(deadline=None, max_examples=150)
def test_any_bytes_are_a_message_or_a_refusal(door, frame):
    answered(door, frame)


@DOORS
@given(message=tagged)
@settings(deadline=None, max_examples=150)
def test_any_values_in_any_field_are_a_message_or_a_refusal(door, message):
    answered(door, msgpack.packb(message))


@given(record=values | st.dictionaries(st.sampled_from(["name", "birth", "portrait", "unit", "reason"]), values))
@settings(deadline=None, max_examples=150)
def test_any_values_as_an_application_are_findings(record):
    [found] = examine([msgpack.packb(record)], CONTEXT, bytes(32))
    assert found.findings
    assert all(one.code in CODES for one in found.findings)


@given(encoded=st.binary(max_size=300))
@settings(deadline=None, max_examples=150)
def test_any_bytes_as_an_application_are_findings(encoded):
    [found] = examine([encoded], CONTEXT, bytes(32))
    assert found.findings


@DOORS
@pytest.mark.parametrize("opening", [b"\x91", b"\x81\xa1a"], ids=["lists", "maps"])
def test_nesting_without_end_is_refused(door, opening):
    deep = opening * 100_000 + b"\xc0"
    assert refused(door, deep).code in ("envelope.malformed", "envelope.type")
    assert refused(door, b"\x82\xa4type\xa5hello\xa1x" + deep).code == "envelope.malformed"


@DOORS
@pytest.mark.parametrize("head", [b"\xdd", b"\xdf", b"\xdb", b"\xc6", b"\xc9"])
def test_a_head_that_lies_about_what_follows_is_refused(door, head):
    assert refused(door, head + b"\xff\xff\xff\xff\x01")
    assert refused(door, b"\x82\xa4type\xa5hello\xa1x" + head + b"\xff\xff\xff\xff\x01").code == "envelope.malformed"


def test_a_frame_over_its_bound_is_refused_unread():
    assert refused(upstream_requests, bytes(MAX_MESSAGE_BYTES + 1)).code == "envelope.too_long"
    assert refused(operator_requests, bytes((1 << 20) + 1)).code == "envelope.too_long"


def test_a_chunk_of_more_applications_than_a_batch_is_refused():
    most = MAX_APPLICATIONS_PER_BATCH
    assert len(upstream_requests.unpack(CHUNK + array(most, b"\xc0" * most)).applications) == most
    error = refused(upstream_requests, CHUNK + array(most + 1, b"\xc0" * (most + 1)))
    assert (error.code, error.path) == ("envelope.type", "$.applications")


@pytest.mark.parametrize("empty", [b"\x90", b"\x80"], ids=["lists", "maps"])
def test_a_command_of_a_million_empty_lists_is_refused_before_they_are_made(empty):
    """Built, they took 0.6 s."""
    members = 1_000_000
    assert refused(operator_requests, COMMAND + array(members, empty * members)).code == "envelope.type"
    assert refused(operator_requests, COMMAND + array(1, empty)).code == "envelope.type"


def test_arguments_are_scalars_or_lists_and_maps_of_them_up_to_a_bound():
    args = {"a": 1, "b": "two", "c": None, "d": 0.5, "e": True, "f": [1, "x"], "g": {"name": "x", "count": 2}}
    assert operator_requests.unpack(pack(Command(verb="status", args=args))).args == args
    for fitting, beyond in (
        ({"a": [0] * MAX_LISTED}, {"a": [0] * (MAX_LISTED + 1)}),
        ({"a": dict.fromkeys(map(str, range(MAX_NAMED)))}, {"a": dict.fromkeys(map(str, range(MAX_NAMED + 1)))}),
        (dict.fromkeys(map(str, range(MAX_NAMED))), dict.fromkeys(map(str, range(MAX_NAMED + 1)))),
    ):
        assert operator_requests.unpack(pack(Command(verb="status", args=fitting))).args == fitting
        assert refused(operator_requests, pack(Command(verb="status", args=beyond))).path.startswith("$.args")


@pytest.mark.parametrize("field", ["batch_number", "reason"])
def test_a_text_of_the_wire_is_bounded(field):
    message = {"type": "cancel", "acceptance_number": "1", "reason": "x", "batch_number": "1"}
    kind = "cancel" if field == "reason" else "status"
    upstream_requests.unpack(msgpack.packb(message | {"type": kind, field: "x" * 200}))
    assert refused(upstream_requests, msgpack.packb(message | {"type": kind, field: "x" * 201})).path == f"$.{field}"


@pytest.mark.parametrize(
    "text",
    [b"a = " + b"[" * 20_000, b"a = " + b"9" * 5_000, b"[a" + b".a" * 4_000 + b"]", b"#" * 70_000, b"a = 2026-13-45"],
    ids=["nested", "long number", "dotted", "large", "date"],
)
def test_a_hostile_settings_file_is_a_sentence(tmp_path, text):
    path = tmp_path / "config.toml"
    path.write_bytes(text)
    with pytest.raises(ConfigError, match="settings file"):
        load_config(path)
