"""Quotas: what one upstream may bring; what is sent again costs nothing, and every `busy` says when to come back."""

from __future__ import annotations

import msgspec
import pytest
import trio

from controller.asking.submission import batch_digest
from controller.clock import FloorClock
from controller.config import IntakeConfig, UpstreamConfig, load_config
from controller.core.settings import SettingError
from controller.wire import BatchState, Busy, Chunk, ChunkStored, OpenBatch, Refusal
from tests.controller.correcting import DUE, application, doors, number


def header(sequence: int, sent: list[bytes]) -> OpenBatch:
    return OpenBatch(batch_number=number(sequence), due=DUE, count=len(sent), digest=batch_digest(sent))


def people(first: int, count: int) -> list[bytes]:
    return [application(sequence) for sequence in range(first, first + count)]


async def test_beyond_its_quota_an_upstream_is_told_to_come_back_on_the_next_floor_day(tmp_path):
    async with doors(tmp_path, upstreams=UpstreamConfig(applications_per_day=5)) as desk:
        await desk.bring(1, people(1, 3))
        busy = await desk.ask(header(2, people(4, 3)))
        assert isinstance(busy, Busy)
        assert busy.retry_after_s == pytest.approx(23 * 3_600, abs=300)  # the floor's clock stood at one o'clock
        assert isinstance(await desk.ask(header(3, people(4, 2))), BatchState)


async def test_what_never_fits_is_refused_with_a_code_and_charges_nothing(tmp_path):
    async with doors(tmp_path, upstreams=UpstreamConfig(applications_per_day=2)) as desk:
        refused = await desk.ask(header(1, people(1, 3)))
        assert isinstance(refused, Refusal)
        assert (refused.code, refused.field) == ("quota.never", "count")
        await desk.bring(2, people(1, 2))


async def test_what_is_sent_again_is_charged_once_also_after_a_start(tmp_path):
    limits = UpstreamConfig(applications_per_day=4)
    async with doors(tmp_path, upstreams=limits) as desk:
        sent = people(1, 3)
        await desk.bring(1, sent)
        for _ in range(3):
            assert isinstance(await desk.ask(header(1, sent)), BatchState)
        assert desk.intake._quota.left_today("north") == 1
    async with doors(tmp_path, upstreams=limits) as desk:
        assert desk.intake._quota.left_today("north") == 1
        assert isinstance(await desk.ask(header(1, sent)), BatchState)
        assert isinstance(await desk.ask(header(2, people(4, 2))), Busy)
        assert desk.intake._quota.left_today("north") == 1


async def test_the_same_new_batch_said_many_times_at_once_is_charged_once(tmp_path):
    async with doors(tmp_path, upstreams=UpstreamConfig(applications_per_day=4)) as desk:
        sent, heard = people(1, 3), []

        async def say():
            heard.append(await desk.ask(header(1, sent)))

        async with trio.open_nursery() as nursery:
            for _ in range(8):
                nursery.start_soon(say)
        assert all(isinstance(answer, BatchState) for answer in heard)
        assert desk.intake._quota.left_today("north") == 1


async def test_one_upstreams_quota_is_not_anothers_and_may_be_another_number(tmp_path):
    limits = UpstreamConfig(applications_per_day=2, quotas="south 4, east 1")
    async with doors(tmp_path, upstreams=limits) as desk:
        await desk.bring(1, people(1, 2))
        await desk.bring(2, people(11, 4), user="south")
        assert (await desk.ask(header(3, people(21, 2)), "east")).code == "quota.never"
        assert isinstance(await desk.ask(header(4, people(31, 1))), Busy)


async def test_the_next_floor_day_begins_anew(tmp_path):
    async with doors(tmp_path, upstreams=UpstreamConfig(applications_per_day=2)) as desk:
        await desk.bring(1, people(1, 2))
        assert isinstance(await desk.ask(header(2, people(3, 1))), Busy)
        clock: FloorClock = desk.centre.clock
        clock.epoch_floor_s += 86_400
        assert isinstance(await desk.ask(header(2, people(3, 1))), BatchState)
        assert desk.intake._quota.left_today("north") == 1


async def test_an_upstream_that_leaves_batches_unfinished_keeps_none_of_the_others_out(tmp_path):
    async with doors(tmp_path, upstreams=UpstreamConfig(batches_max=2)) as desk:
        for sequence in (1, 2):
            assert isinstance(await desk.ask(header(sequence, people(10 * sequence, 2))), BatchState)
        busy = await desk.ask(header(3, people(30, 2)))
        assert isinstance(busy, Busy)
        assert busy.retry_after_s == IntakeConfig().retry_after_s
        await desk.bring(4, people(40, 1), user="south")
        await desk.bring(1, people(10, 2))
        assert isinstance(await desk.ask(header(3, people(30, 2))), BatchState)


async def test_batches_left_unfinished_before_a_start_count_after_it(tmp_path):
    limits = UpstreamConfig(batches_max=1)
    async with doors(tmp_path, upstreams=limits) as desk:
        await desk.ask(header(1, people(1, 2)))
    async with doors(tmp_path, upstreams=limits) as desk:
        assert isinstance(await desk.ask(header(2, people(3, 1))), Busy)
        await desk.bring(1, people(1, 2))
        assert isinstance(await desk.ask(header(2, people(3, 1))), BatchState)


async def test_an_upstream_has_so_many_chunks_in_work_and_leaves_room_for_another(tmp_path):
    async with doors(tmp_path, upstreams=UpstreamConfig(chunks_max=1)) as desk:
        north, south = people(1, 2), people(11, 1)
        await desk.ask(header(1, north))
        await desk.ask(header(2, south), "south")
        heard: dict[str, object] = {}

        async def say(name: str, user: str, sequence: int, first: int, one: bytes) -> None:
            chunk = Chunk(batch_number=number(sequence), first=first, applications=[msgspec.Raw(one)])
            heard[name] = await desk.ask(chunk, user)

        in_work, go_on = trio.Event(), trio.Event()
        store = desk.intake._store

        async def slow(*args):
            in_work.set()
            await go_on.wait()
            return await store(*args)

        async with trio.open_nursery() as nursery:
            desk.intake._store = slow
            nursery.start_soon(say, "first", "north", 1, 0, north[0])
            await in_work.wait()
            desk.intake._store = store
            await say("second", "north", 1, 1, north[1])
            await say("other", "south", 2, 0, south[0])
            go_on.set()
        assert isinstance(heard["second"], Busy)
        assert heard["second"].retry_after_s > 0
        assert isinstance(heard["other"], ChunkStored)
        assert isinstance(heard["first"], ChunkStored)
        await say("again", "north", 1, 1, north[1])
        assert isinstance(heard["again"], ChunkStored)


@pytest.mark.parametrize(
    "wrong",
    [
        {"applications_per_day": 0},
        {"batches_max": 0},
        {"chunks_max": 257},
        {"quotas": "north"},
        {"quotas": "north many"},
        {"quotas": "north 5, north 6"},
        {"quotas": "north 0"},
    ],
)
def test_settings_that_cannot_be_are_refused_by_name(wrong):
    with pytest.raises(SettingError, match=f"upstreams.{next(iter(wrong))}"):
        UpstreamConfig(**wrong)


def test_the_settings_file_names_every_limit_with_its_default(tmp_path):
    path = tmp_path / "config.toml"
    path.write_text('[upstreams]\napplications_per_day = 7\nquotas = "a 1, b 2"\n', "utf-8")
    found = load_config(path).upstreams
    assert (found.applications_per_day, found.per_day(), found.chunks_max) == (7, {"a": 1, "b": 2}, 6)
