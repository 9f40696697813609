"""`docs/protocol.md` says what the code does: fields, types, defaults, bytes, kinds, verbs and codes."""

from __future__ import annotations

import dataclasses
import re
from hashlib import sha256
from pathlib import Path
from typing import get_args

import msgpack
import pytest

from controller import commands, wire
from controller.application import Application
from controller.config import SocketConfig
from controller.core.acts import ACTS
from controller.core.cards import Decision
from controller.forecasting.settings import ForecastConfig
from controller.ledger.receipts import FINAL_KINDS, KINDS
from devices import messages as station
from devices.defects import DEFECTS
from devices.limits import SocketLimits
from encoders import face
from encoders.envelope import MAX_MESSAGE_BYTES, Opener
from tests.docs.protocol_page import TEXT, anchors, first_table, hex_blocks, parts, sections
from tests.docs.wire_examples import EXAMPLES
from tests.docs.wire_words import as_hex, rows_of

SECTIONS = sections()
ROOT = Path(__file__).resolve().parents[2]

BY_TAG = {  # section of the page -> the messages it must show, all and no others
    "Upstream requests": get_args(wire.UpstreamRequest),
    "Upstream answers": get_args(wire.UpstreamAnswer),
    "Operator requests": [kind for kind in get_args(wire.OperatorRequest) if kind is not wire.Hello],
    "Station says": get_args(station.StationSaid),
    "Station hears": get_args(station.ControllerSaid),
}
BY_NAME = {
    "Upstream parts": [Application, wire.Limits, wire.Receipt],
    "Station parts": [
        station.SheetWork,
        station.PositionWork,
        station.BundleWork,
        station.SheetResult,
        station.PositionResult,
        face.FaceJob,
        face.PlacedText,
        face.Box,
    ],
}
SHOWN = [(section, kind.__struct_config__.tag, kind) for section, kinds in BY_TAG.items() for kind in kinds]
SHOWN += [(section, kind.__name__, kind) for section, kinds in BY_NAME.items() for kind in kinds]


@pytest.mark.parametrize(("section", "title", "kind"), SHOWN, ids=[f"{one[0]}-{one[1]}" for one in SHOWN])
def test_a_table_shows_each_field_of_a_message_with_its_type_and_default(section, title, kind):
    rows = first_table(parts(SECTIONS[section])[title])
    assert [(name.strip("`"), words, default) for name, words, default, _ in rows] == rows_of(kind)


@pytest.mark.parametrize("section", [*BY_TAG, *BY_NAME])
def test_a_section_shows_all_its_messages_and_no_others(section):
    titles = [title for where, title, _ in SHOWN if where == section]
    assert list(parts(SECTIONS[section])) == titles


def test_operators_are_answered_in_words_that_upstreams_are_answered_in():
    assert set(get_args(wire.OperatorAnswer)) <= set(get_args(wire.UpstreamAnswer))


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_byte_for_byte_what_the_types_give(name):
    assert hex_blocks()[name] == as_hex(EXAMPLES[name])


def test_the_page_shows_each_example_once_and_no_other():
    assert sorted(re.findall(r"^```hex (\w+)$", TEXT, re.MULTILINE)) == sorted(EXAMPLES)


READERS = {
    wire.Request: Opener(wire.UpstreamRequest | wire.Command),
    wire.Answer: Opener(wire.UpstreamAnswer),
    station.FromStation: Opener(station.StationSaid),
    station.ToStation: Opener(station.ControllerSaid),
}


@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "application"])
def test_the_bytes_on_the_page_are_read_as_the_message_they_show(name):
    body, message = bytes.fromhex(hex_blocks()[name]), EXAMPLES[name]
    (reader,) = [reader for base, reader in READERS.items() if isinstance(message, base)]
    assert as_hex(reader.unpack(body)) == as_hex(message)
    assert isinstance(msgpack.unpackb(body), dict)


def test_the_digest_on_the_page_is_that_of_the_application_on_the_page():
    application = bytes.fromhex(hex_blocks()["application"])
    assert application in bytes.fromhex(hex_blocks()["chunk"])
    header = msgpack.unpackb(bytes.fromhex(hex_blocks()["batch"]))
    assert header["digest"] == sha256(sha256(application).digest()).hexdigest()
    assert msgpack.packb(msgpack.unpackb(application)) == application


def test_the_kinds_of_receipt_and_which_are_final_stand_on_the_page():
    rows = {kind.strip("`"): text for kind, _, text in first_table(SECTIONS["Kinds of receipt"])}
    assert sorted(rows) == sorted(KINDS)
    assert {kind for kind, text in rows.items() if text.startswith("final")} == FINAL_KINDS


def test_each_verb_stands_on_the_page():
    verbs = [verb.strip("`") for verb, *_ in first_table(SECTIONS["Verbs"])]
    assert sorted(verbs) == sorted(commands.VERBS)


def test_each_act_stands_on_the_page_with_its_arguments():
    rows = first_table(parts(SECTIONS["Verbs"])["Acts of two people"])
    names = {int: "integer", str: "text"}
    for act, arguments, _ in rows:
        wants = ACTS[act.strip("`")][0]
        assert arguments == ", ".join(f"`{name}` {names[kind]}" for name, kind in wants.items())
    assert sorted(row[0].strip("`") for row in rows) == sorted(ACTS)


def test_each_decision_stands_on_the_page():
    sentence = re.search(r"^Decisions: (.*?)\. A card", SECTIONS["Verbs"], re.MULTILINE | re.DOTALL)
    assert sorted(re.findall(r"`(\w+)` \(", sentence[1])) == sorted(Decision)


def test_each_defect_code_stands_on_the_page():
    rows = first_table(SECTIONS["Defect codes"])
    wanted = [[f"`{one.code}`", one.step.value, one.zh, one.en] for one in DEFECTS.values()]
    assert rows == wanted


REFUSALS = (
    r"\"((?:wire|batch|chunk|cancel|correct|quota|review|decision|dispatch|act|stock|suspect|command|envelope|pack|arrival|"
    r"station|shift|return|case|post|campaign|trace|purge|reason|receipts|restored|right|glass|key|alarm|hold|forecast|whatif)\.[a-z_]+)\""
)
LIES = {
    f"station.{lie}"
    for lie in ("unknown_step", "other_step", "other_job", "other_sheets", "foreign_body", "too_many_words")
}
SETTINGS = {f"forecast.{one.name}" for one in dataclasses.fields(ForecastConfig)}
BETWEEN_PROCESSES = {"forecast.orphaned", "forecast.frame_too_long"}
# the end of the service, and what is only recorded
NOT_ANSWERED = {"stock.unbalanced", *LIES, *SETTINGS, *BETWEEN_PROCESSES}
IN_CODES_PAGE = {"batch.conflict", "batch.digest"}
ROOMS = ("", "core", "desk", "intake", "upkeep", "floor", "packing", "asking", "forecasting", "core/line")


def test_each_code_that_a_request_can_be_refused_with_stands_on_the_page():
    files = [path for room in ROOMS for path in (ROOT / "controller" / room).glob("*.py")]
    sources = [path.read_text("utf-8") for path in [*files, ROOT / "encoders" / "envelope.py"]]
    spoken = {code for source in sources for code in re.findall(REFUSALS, source)} - NOT_ANSWERED - IN_CODES_PAGE
    assert sorted(row[0].strip("`") for row in first_table(SECTIONS["Error codes"])) == sorted(spoken)


def test_the_limits_in_the_text_are_those_of_the_code():
    sockets = SocketConfig()
    assert f"{sockets.messages_per_s:,.0f} messages a second in the long run" in SECTIONS["Transport"]
    assert f"{sockets.burst_messages:,} at once" in SECTIONS["Transport"]
    assert f"{SocketLimits().lines_per_user} connections" in SECTIONS["Transport"]
    assert f"{wire.MAX_CHUNK_BYTES:,} bytes" in parts(SECTIONS["Upstream requests"])["chunk"]
    assert f"1 to {wire.MAX_APPLICATIONS_PER_CHUNK}," in parts(SECTIONS["Upstream requests"])["chunk"]
    assert f"1 to {wire.MAX_APPLICATIONS_PER_BATCH:,}" in parts(SECTIONS["Upstream requests"])["batch"]
    assert MAX_MESSAGE_BYTES == 4 << 20
    assert f"This is version {wire.VERSION}." in TEXT
    assert wire.VERSION == station.VERSION


def test_every_link_of_the_page_leads_somewhere():
    links = set(re.findall(r"\]\(([^)]+)\)", TEXT))
    assert {link[1:] for link in links if link.startswith("#")} <= anchors()
    assert all((ROOT / "docs" / link).exists() for link in links if not link.startswith("#"))
