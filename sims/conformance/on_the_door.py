"""Scenarios of the door: versions, frames that are none, limits, floods, and who speaks."""

from __future__ import annotations

from random import Random
from typing import Any

from devices.keys import curve_keypair
from encoders.envelope import pack
from sims.conformance import promises as p
from sims.conformance.cast import Batch
from sims.conformance.line import NOTHING, Line, is_let_in
from sims.conformance.report import brief
from sims.conformance.stage import WINDOW, Stage

FLOOD_CHUNKS = 48  # at once; the page allows four
FLOOD_BATCHES = 160  # announced with nothing sent
FRAME_BYTES, HANG_UP_BYTES = 4 << 20, (4 << 20) + (64 << 10)
LARGEST_NUMBER = 2**53
QUIET_S = 1.0
NESTED = b"\x83" + pack({"type": "hello", "version": 1})[1:] + b"\xa1x" + b"\x91" * 100_000 + b"\x01"


def unknown_version(stage: Stage) -> None:
    """A hello of this version, of others, and of none; the number of a request comes back with its answer."""
    for number in (1, 77, LARGEST_NUMBER):
        answer = stage.line.ask({"type": "hello", "version": 1, "request": number})
        stage.report.expect_equal(p.ANSWER_REPEATS, number, answer.get("request"), "the number of the request")
    welcome = stage.line.ask({"type": "hello", "version": 1, "colour": "red"})
    stage.expect_type(p.UNKNOWN_KEYS, welcome, "welcome", "a hello with a key of no table")
    for version in (0, 2, 99):
        answer = stage.line.ask({"type": "hello", "version": version})
        stage.expect_error(p.VERSION, answer, "wire.version", f"version {version}")
    stage.line.say(pack({"type": "hello", "request": 5}))
    stage.expect_error(p.TYPE, stage.line.hear(), "envelope.type", "no version")


def broken_frames(stage: Stage) -> None:
    """Bytes that are no message: each gets one coded error without a number, and the door stays open."""
    rng, batch = Random(stage.report.seed), stage.cast.good(1)
    whole = pack({**batch.chunk(0), "request": 1})
    broken = {
        "no bytes": b"",
        "a chunk cut in the middle": whole[: len(whole) // 2],
        "a map that says more than follows": b"\xdf\xff\xff\xff\xff",
        "100,000 nested arrays": NESTED,
        "noise": b"\xc1" + rng.randbytes(200),
    }
    for about, frame in broken.items():
        stage.line.say(frame)
        answer = stage.line.hear()
        stage.expect_error(p.MALFORMED, answer, "envelope.malformed", about)
        stage.report.expect_equal(p.UNREAD, 0, answer.get("request", 0), f"{about}: no request is named")
    mistyped: dict[str, Any] = {
        "a text for a count": batch.header(count="1"),
        "U+0000 in a text": batch.header(due="2026\x000302"),
        "U+001B in a text": batch.header(due="2026\x1b[2J0302"),
        "a type of no table": {"type": "make_it_so"},
        "a limit of 0": {"type": "receipts", "after": 0, "limit": 0},
        "a cursor below 0": {"type": "receipts", "after": -1, "limit": 5},
    }
    for about, message in mistyped.items():
        stage.line.say(pack({**message, "request": 5}))
        promise = p.NO_CONTROLS if "U+00" in about else p.TYPE
        stage.expect_error(promise, stage.line.hear(), "envelope.type", about)
    stage.line.dealer.send_frames([pack({"type": "hello", "version": 1, "request": 9})] * 2, 5.0)
    heard = stage.line.hear(QUIET_S)
    stage.report.expect(p.SEVERAL_FRAMES, "two frames in one message: silence", brief(heard), held=heard is NOTHING)
    _expect_door_open(stage, "after all of it")


def long_frames(stage: Stage) -> None:
    """Frames over 4 MiB: told, or hung up on; then the same socket is welcome again."""
    filler = {"type": "hello", "version": 1, "filler": bytes(FRAME_BYTES)}
    stage.line.say(pack(filler))
    stage.expect_error(p.LONG_FRAME, stage.line.hear(), "envelope.too_long", "a frame of 4 MiB and some bytes")
    before = stage.line.dealer.hung_up
    stage.line.say(pack({**filler, "filler": bytes(HANG_UP_BYTES + 1)}))
    stage.line.hear(QUIET_S)
    _expect_door_open(stage, "after a frame of over 4 MiB + 64 KiB")
    hung_up = stage.line.dealer.hung_up - before
    stage.report.expect(p.LONG_FRAME, "the connection is ended once", f"{hung_up} times", held=hung_up == 1)


def limits(stage: Stage) -> None:
    """Batches and chunks beyond their limits, and headers that cannot be: refused with a code, nothing kept."""
    most, most_bytes = stage.limits["applications_per_chunk"], stage.limits["chunk_bytes"]
    faults: dict[str, dict[str, Any]] = {
        "batch.number": {"batch_number": "52010200000020260302000"},
        "batch.date": {"batch_number": stage.cast.good(1).number[:12] + "20260231" + "00001"},
        "batch.sequence": {"batch_number": stage.cast.good(1).number[:20] + "00000"},
        "batch.limit": {"count": stage.limits["applications_per_batch"] + 1},
        "batch.due": {"due": "20260231"},
        "batch.card_kind": {"card_kind": "third"},
        "batch.digest": {"digest": "0A" * 32},
    }
    for code, change in faults.items():
        answer = stage.announce(stage.cast.good(1), **change)
        stage.expect_error(p.HEADER_CODES, answer, code, f"{next(iter(change))} that cannot be")
    batch = stage.cast.good(2)
    stage.expect_error(p.OWN_BATCHES, stage.line.ask(batch.chunk(0)), "batch.unknown", "a chunk before its batch")
    stage.expect_error(p.OWN_BATCHES, stage.line.ask(batch.status()), "batch.unknown", "the state of no batch")
    stage.announce(batch)
    beyond = {**batch.chunk(0, 2), "first": 1}
    none = {**batch.chunk(0), "applications": []}
    many = {**batch.chunk(0), "applications": [b"\xc0"] * (most + 1)}
    heavy = {**batch.chunk(0), "applications": [bytes(most_bytes)]}
    for about, message in (("beyond the count", beyond), ("none at all", none), ("too many", many), ("heavy", heavy)):
        stage.expect_error(p.CHUNK_LIMIT, stage.line.ask(message), "chunk.limit", f"a chunk: {about}")
    missing = stage.line.ask(batch.status()).get("missing")
    stage.report.expect_equal(p.CHUNK_LIMIT, [[0, 2]], missing, "nothing of it is stored")
    stage.expect_verdicts(batch, stage.bring(batch))


def flood(stage: Stage) -> None:
    """Far more at once than the page allows: each request is done or told `busy`, and then nothing of it was done."""
    batch = stage.cast.good(FLOOD_CHUNKS)
    stage.announce(batch)
    answers = stage.line.ask_together(batch.chunk(index) for index in range(batch.count))
    kinds = [answer["type"] for answer in answers]
    told = {kind: kinds.count(kind) for kind in sorted(set(kinds))}
    held = set(kinds) <= {"chunk_stored", "busy"}
    stage.report.expect(p.BUSY, f"{batch.count} chunks at once: each is stored or told `busy`", told, held=held)
    waits = [answer.get("retry_after_s", 0) for answer in answers if answer["type"] == "busy"]
    stage.report.expect(p.BUSY, "each `busy` names a time above 0", sorted(set(waits)), held=all(s > 0 for s in waits))
    busy = {index for index, kind in enumerate(kinds) if kind == "busy"}
    ranges = stage.line.ask(batch.status()).get("missing") or []
    missing = {index for first, count in ranges for index in range(first, first + count)}
    stage.report.expect_equal(p.BUSY, busy, missing, "what was told `busy` is missing, and nothing else")
    stage.expect_verdicts(batch, stage.bring(batch, size=1))
    _flood_of_batches(stage)


def _flood_of_batches(stage: Stage) -> None:
    """Announce batches and send nothing, until the door says `busy`; then bring all of them to their end."""
    taken: list[Batch] = []
    for batch in (stage.cast.good(1) for _ in range(FLOOD_BATCHES)):
        answer = stage.line.ask_once(batch.header())
        if answer["type"] == "busy":
            state = stage.line.ask(batch.status())
            stage.expect_error(p.BUSY, state, "batch.unknown", f"the batch told `busy` after {len(taken)} others")
            break
        stage.expect_type(p.BUSY, answer, "batch_state", f"batch {len(taken) + 1} with nothing sent")
        taken.append(batch)
    for at in range(0, len(taken), WINDOW):
        stage.line.ask_together(one.chunk(0) for one in taken[at : at + WINDOW])
    for one in taken:
        stage.send_missing(one)
    all(stage.verdicts(one) for one in taken)  # batches are judged in no promised order
    stage.expect_one_verdict_each(taken)
    stage.expect_type(p.BUSY, stage.announce(taken[0]), "batch_state", "when the flood is over")


def who_speaks(stage: Stage) -> None:
    """Another key sees nothing of a batch, and a key that nobody listed does not get in."""
    let_in = is_let_in(stage.target, curve_keypair())
    stage.report.expect(p.UNLISTED_KEY, "a fresh key: no", "let in" if let_in else "no", held=not let_in)
    batch = stage.cast.good(1)
    answer = stage.announce(batch, upstream="somebody-else")
    stage.expect_error(p.OTHER_UPSTREAM, answer, "batch.upstream", "another one's name")
    stage.bring(batch)
    if stage.other is None:
        stage.report.untried["who-speaks, of another upstream"] = "name a second one's secret with --other-secret"
        return
    with Line(stage.target, stage.other) as other:
        stage.expect_error(p.OWN_BATCHES, other.ask(batch.status()), "batch.unknown", "its state, asked by another")
        stage.expect_error(p.OWN_BATCHES, other.ask(batch.chunk(0)), "batch.unknown", "its chunk, sent by another")
        stage.expect_error(p.CONFLICT, other.ask(batch.header()), "batch.conflict", "announced by another")
        cancel = {"type": "cancel", "acceptance_number": batch.acceptance_number(0), "reason": "not mine"}
        stage.expect_error(p.CANCEL_UNKNOWN, other.ask(cancel), "cancel.unknown", "cancelled by another")
        items = other.ask({"type": "receipts", "after": 0, "limit": 1_000}).get("items") or []
        foreign = [one for one in items if one.get("batch_number") == batch.number]
        stage.report.expect_equal(p.YOUR_KEY, [], foreign, "receipts that another gets of it")


def _expect_door_open(stage: Stage, about: str) -> None:
    answer = stage.line.ask({"type": "hello", "version": 1})
    stage.expect_type(p.ASKED_AGAIN, answer, "welcome", f"a hello {about}")
