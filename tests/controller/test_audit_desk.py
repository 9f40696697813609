"""The audit at the desk: a page at a time, by group, person and time, with what cannot be asked refused by name."""

from __future__ import annotations

import pytest

from controller import commands
from controller.audit import history
from controller.audit.groups import EVERYTHING, GROUPS
from controller.config import Config, StorageConfig
from controller.core import events as e
from controller.core.record_moves import TablesFolded
from controller.desk.settings import settings_rows, unit_of
from controller.ledger.chain import head_of
from controller.wire import Command, Done, Refusal
from tests.controller.console.floor_console import FloorDesk
from tests.controller.core.keepers_floor import KeepersFloor


@pytest.fixture
def office():
    floor = KeepersFloor(2, trouble=0.1)
    floor.submit(1.0, 1, cards=30)
    floor.run()
    floor.say(e.ActAsked("lost_blank", {"blank": next(iter(floor.state.stock.spoiled))}, "cat"))
    return FloorDesk(floor)


async def ask(office, verb="audit", /, **args) -> Done | Refusal:
    return await commands.answer(office.desk, "ann", Command(verb=verb, args=args))


async def test_the_head_is_that_of_the_chain_and_the_rows_begin_at_it(office):
    told = (await ask(office, group=EVERYTHING, limit=3)).result
    head = head_of(office.floor.log)
    assert told["head"] == {"seq": head.seq, "hash": head.hash.hex()}
    assert [row["seq"] for row in told["rows"]] == [head.seq, head.seq - 1, head.seq - 2]
    assert told["older"] == head.seq - 2


@pytest.mark.parametrize("group", GROUPS)
async def test_the_pages_of_a_group_together_are_all_its_moves_once(office, group, monkeypatch):
    monkeypatch.setattr(history, "PAGE_WALK", 70)  # so that pages end in between, too
    seen, before = [], 0
    while True:
        told = (await ask(office, group=group, limit=20, before=before)).result
        seen += [row["seq"] for row in told["rows"]]
        before = told["older"]
        if not before:
            break
    kinds = set(GROUPS[group])
    wanted = [seq for seq, (_, move) in enumerate(office.floor.log, 1) if type(move) in kinds]
    if group == "people":
        named = {seq for seq, (_, move) in enumerate(office.floor.log, 1) if any(_people(move))}
        wanted = [seq for seq in wanted if seq in named]
    assert seen == wanted[::-1]


def _people(move):
    return [getattr(move, field, "") for field in ("by", "second", "operator")]


async def test_moves_of_a_person_and_no_others(office):
    told = (await ask(office, by="cat")).result
    assert told["rows"]
    assert {tuple(row["people"]) for row in told["rows"]} == {("cat",)}
    assert (await ask(office, by="nobody-here")).result["rows"] == []


async def test_moves_that_were_not_after_a_time(office):
    until = office.floor.log[len(office.floor.log) // 2][0]
    told = (await ask(office, group=EVERYTHING, until_floor_s=until, limit=1)).result
    last = max(seq for seq, (at, _) in enumerate(office.floor.log, 1) if at <= until)
    assert told["rows"][0]["seq"] == last


async def test_the_daily_heads_are_named_with_the_hash_that_the_chain_had(office):
    for day in ("20260301", "20260302"):
        office.floor.log.append((office.floor.log[-1][0], TablesFolded(day, 1, b"x" * 32, [], [])))
    office.keep()
    told = (await ask(office)).result
    heads = [head_of(office.floor.log[:seq]) for seq in (len(office.floor.log), len(office.floor.log) - 1)]
    assert [(one["day"], one["seq"], one["hash"]) for one in told["days"]] == [
        (day, head.seq, head.hash.hex()) for day, head in zip(("20260302", "20260301"), heads, strict=True)
    ]


@pytest.mark.parametrize(
    ("args", "field"),
    [
        ({"group": "secrets"}, "group"),
        ({"group": ["people"]}, "group"),
        ({"by": 7}, "by"),
        ({"by": "x" * 33}, "by"),
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"before": -1}, "before"),
        ({"before": True}, "before"),
        ({"until_floor_s": "noon"}, "until_floor_s"),
        ({"until_floor_s": float("nan")}, "until_floor_s"),
        ({"until_floor_s": -1}, "until_floor_s"),
    ],
)
async def test_what_cannot_be_asked_is_refused_by_name(office, args, field):
    said = await ask(office, **args)
    assert (said.code, said.field) == ("command.argument", field)


def test_an_address_with_a_password_is_never_in_the_settings_that_are_shown():
    rows = settings_rows(Config(storage=StorageConfig(url="postgresql://mill:hunter2@db/cardmill")))
    assert "hunter2" not in repr(rows)
    [row] = [row for row in rows if (row["section"], row["name"]) == ("storage", "url")]
    assert (row["changed"], row["hidden"]) == (True, True)


@pytest.mark.parametrize(
    ("name", "value", "unit"),
    [
        ("second_within_s", 1.0, "s"),
        ("messages_per_s", 1.0, "per_s"),
        ("free_min_mib", 1, "mib"),
        ("retention_days", 1, "days"),
        ("acceptance_percent", 98.0, "percent"),
        ("sheets_max", 1, ""),
        ("insecure", True, ""),
        ("weekdays_s", "12345", ""),
    ],
)
def test_a_setting_s_name_ends_in_its_unit(name, value, unit):
    assert unit_of(name, value) == unit
