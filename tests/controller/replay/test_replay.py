"""A record replayed: equal under each run's own settings, and where somebody changed it, the first difference."""

from __future__ import annotations

import pytest
import trio

from controller.audit.verification import opened_ledger
from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.quality_moves import DriftSignalled
from controller.core.settings import CoreConfig
from controller.core.stock import Account
from controller.ledger.chain import head_of
from controller.ledger.journal import Recorded
from controller.replay import replay as room
from controller.replay.errors import NoBeginning, OtherSchema, SettingsUnreadable
from controller.replay.replay import CAME_OUT_DIFFERENTLY, Replayed, Until, replay_ledger, require_schema
from controller.replay.run import began, settings_of
from controller.replay.standing import standing_of
from encoders.envelope import pack
from tests.controller.replay.played import FIRST, NARROW, NERVOUS, record_of, tamper, write

RUNS = ((1_500.0, NARROW), (2_100.0, NERVOUS))


@pytest.fixture(scope="module")
def record() -> list[Recorded]:
    """Three runs: the first recorded no settings, as older programs did; the third has other limits of drift."""
    return record_of(3, RUNS)


@pytest.fixture(scope="module")
def written(record, tmp_path_factory):
    folder = tmp_path_factory.mktemp("written")
    trio.run(write, folder, record)
    return folder


@pytest.fixture
def folder(record, tmp_path):
    """A ledger of its own, to be changed."""
    trio.run(write, tmp_path, record[:200])
    return tmp_path


def replayed(folder, config: CoreConfig = FIRST, until: Until | None = None) -> Replayed:
    with opened_ledger(folder) as ledger:
        return replay_ledger(ledger, config, until)


def moves_of(record):
    return [(one.at_floor_s, move) for one in record for move in one.moves]


def at_event(record, kind) -> int:
    """Give the number of the last event of a kind among the first 200."""
    return max(number for number, one in enumerate(record[:200], 1) if isinstance(one.event, kind))


def test_every_run_is_replayed_under_the_settings_it_recorded_and_the_digest_is_the_ledgers(record, written):
    found = replayed(written)
    assert found.is_equal
    assert found.head == head_of(moves_of(record))
    assert (found.events, found.moves, found.runs, found.runs_untold) == (len(record), found.head.seq, 3, 1)
    assert any(isinstance(move, DriftSignalled) for _, move in moves_of(record)), "then no limit was ever asked"


async def test_the_record_is_replayed_from_both_engines(record, tmp_path, engine_url):
    await write(tmp_path, record[:150], engine_url)
    with opened_ledger(tmp_path, engine_url) as ledger:
        require_schema(ledger)
        found = await trio.to_thread.run_sync(replay_ledger, ledger, FIRST)
    assert found.is_equal
    assert found.events == 150


def test_a_run_without_settings_takes_those_that_are_given_and_others_come_out_differently(written):
    found = replayed(written, NARROW)
    assert not found.is_equal
    assert found.difference.why == CAME_OUT_DIFFERENTLY
    assert type(found.difference.recorded) is type(found.difference.again)
    assert len(found.difference.recorded.cards) > len(found.difference.again.cards) == NARROW.plan.encode_load


def test_new_limits_of_drift_need_the_charts_folded_anew(record, written, monkeypatch):
    began_at = next(number for number, one in enumerate(record, 1) if one.at_floor_s >= RUNS[1][0])
    monkeypatch.setattr(room, "_must_fold", lambda before, now: False)
    found = replayed(written)
    assert not found.is_equal
    assert found.difference.event_seq >= began_at


@pytest.mark.parametrize("until_s", [600.0, 1_500.0, 2_345.6])
def test_up_to_a_time_the_state_is_that_of_the_moves_until_then(record, written, until_s):
    found = replayed(written, until=Until(at_floor_s=until_s))
    before = [(at, move) for at, move in moves_of(record) if at <= until_s]
    assert found.is_equal
    assert found.head == head_of(before)
    foreman = Foreman(FIRST)
    for at, move in before:
        foreman.replay(at, move)
    standing = standing_of(found.state)
    assert standing == standing_of(foreman.state)
    assert sum(standing.cards.values()) + standing.accounts.get(Account.DISPATCHED, 0) > 600
    assert standing.balanced


def test_up_to_a_move_it_ends_with_the_last_whole_event(record, written):
    ends = [0]
    for one in record:
        ends.append(ends[-1] + len(one.moves))
    longest = max(range(1, len(ends)), key=lambda number: ends[number] - ends[number - 1])
    found = replayed(written, until=Until(move_seq=ends[longest] - 1))
    assert found.is_equal
    assert found.head.seq == ends[longest - 1] < ends[longest] - 1


def test_an_event_that_somebody_changed_is_named_with_both_moves(record, folder):
    number = at_event(record, e.StationReported)
    found = said_otherwise(folder, record, number, lambda event: replace_field(event, "reason", "nobody knows"))
    assert found.difference.event_seq == number
    assert f"event {number} was changed" in found.difference.why
    assert found.difference.event == "reported"
    assert found.difference.recorded.reason != "nobody knows" == found.difference.again.reason


def test_an_event_changed_in_what_leads_to_no_other_move_is_named_by_its_hash(record, folder):
    number = at_event(record, e.CardsEncoded)
    assert any(isinstance(one.event, e.CardsEncoded) for one in record)
    tamper(folder, f"UPDATE event SET hash = x'{'00' * 32}' WHERE seq = {number}")
    found = replayed(folder)
    assert found.difference.event_seq == number
    assert (found.difference.recorded, found.difference.again) == (None, None)


@pytest.mark.parametrize(
    ("change", "why", "place"),
    [
        ("DELETE FROM event WHERE seq = 60", "events 60 to 60 are missing", ("event", 61)),
        ("UPDATE event SET body = x'c1' WHERE seq = 60", "event 60 cannot be read", ("event", 60)),
        ("UPDATE event SET move_seq_after = move_seq_after + 1 WHERE seq = 60", "event 60 was changed", ("event", 60)),
        ("DELETE FROM move WHERE seq = 90", "move 90 is missing", ("move", 90)),
        ("UPDATE move SET hash = x'00' WHERE seq = 90", "move 90 does not carry the hash", ("move", 90)),
        ("UPDATE move SET at_floor_s = at_floor_s + 1 WHERE seq = 90", CAME_OUT_DIFFERENTLY, ("move", 90)),
        ("UPDATE move SET body = x'c1' WHERE seq = 90", CAME_OUT_DIFFERENTLY, ("move", 90)),
    ],
)
def test_what_is_missing_or_changed_is_the_first_difference(folder, change, why, place):
    tamper(folder, change)
    found = replayed(folder)
    assert why in found.difference.why
    assert getattr(found.difference, f"{place[0]}_seq") == place[1]


def test_a_ledger_whose_beginning_was_cut_off_is_no_ledger_to_replay_and_says_so(folder):
    tamper(folder, "DELETE FROM event WHERE seq < 10")
    with pytest.raises(NoBeginning, match="events 1 to 9 are not in this ledger"):
        replayed(folder)
    tamper(folder, "DELETE FROM event")
    assert replayed(folder).events == 0


def test_a_database_of_another_program_is_told_before_it_is_read(folder):
    tamper(folder, "UPDATE meta SET value = '1' WHERE key = 'schema'")
    with opened_ledger(folder) as ledger, pytest.raises(OtherSchema, match="schema 1"):
        require_schema(ledger)


def test_settings_come_back_as_they_were_recorded_and_impossible_ones_are_refused():
    for config in (FIRST, NARROW, NERVOUS):
        assert settings_of(began(config)) == config
    assert settings_of(e.ServiceBegan()) is None
    assert settings_of(e.ServiceBegan('{"plan": {"bundle_max": 7}}')).plan.bundle_max == 7
    for text in ('{"plan": {"bundle_max": 0}}', '{"plan": 7}', "not JSON"):
        with pytest.raises(SettingsUnreadable):
            settings_of(e.ServiceBegan(text))


async def test_runs_of_another_program_and_restores_are_counted(record, tmp_path):
    start = began(NARROW)
    other = e.ServiceBegan(start.settings, "ab" * 32)
    foreman, recorded = Foreman(FIRST), list(record[:100])
    for one in recorded:
        for move in one.moves:
            foreman.replay(one.at_floor_s, move)
    at_floor_s = recorded[-1].at_floor_s
    moves = sum(len(one.moves) for one in recorded)
    foreman = Foreman(NARROW, foreman.state)
    events = (e.RestoreAccepted(moves, 1_000, ["north"]), other)
    recorded += [Recorded(at_floor_s, event, list(foreman.handle(event, at_floor_s).moves)) for event in events]
    await write(tmp_path, recorded)
    found = await trio.to_thread.run_sync(replayed, tmp_path)
    assert found.is_equal
    assert (found.runs, found.runs_of_others, found.restores) == (2, 1, [moves])


def said_otherwise(folder, record, number, change) -> Replayed:
    """Replay a ledger in which an event says something else."""
    body = pack(change(record[number - 1].event))
    tamper(folder, f"UPDATE event SET body = x'{body.hex()}' WHERE seq = {number}")
    return replayed(folder)


def replace_field(event, name, value):
    return type(event)(**{**{one: getattr(event, one) for one in event.__struct_fields__}, name: value})
