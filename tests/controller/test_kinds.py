"""Two card kinds: taken by their dates, never mixed in a batch, made side by side on one floor to their end."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
import trio

from controller.asking.submission import batch_digest
from controller.clock import FloorClock, day_start_floor_s
from controller.config import Config, ConfigError, IntakeConfig, KindConfig, load_config
from controller.core import events as e
from controller.core.foreman import Foreman
from controller.core.moves import BatchOpened, JobStarted, RowVerdict, SheetImposed, Verdict
from controller.core.settings import CoreConfig
from controller.hosts.live import LiveHost
from controller.intake.intake import Intake
from controller.intake.judging import Judge, judge
from controller.intake.place import Place
from controller.ledger.store import open_ledger
from controller.vault.store import open_vault
from controller.wire import BatchState, Chunk, OpenBatch, Refusal
from controller.wiring import LedgerKeeper
from devices.defects import Step
from encoders.envelope import pack
from sims.heap_batches import Arrival
from sims.heap_floor import HeapFloor
from tests.controller.checks.samples import TODAY, context, good
from tests.controller.core.rough_floor import RoughFloor

DUE = "20260201"
ON = "2026-01-01"  # TODAY
BEFORE, AFTER = "2025-12-31", "2026-01-02"

# ---- dates -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dates", "kind", "is_made"),
    [
        ({}, "first", True),
        ({}, "second", True),
        ({"first_until": ON}, "first", True),
        ({"first_until": BEFORE}, "first", False),
        ({"first_until": BEFORE}, "second", True),
        ({"second_from": ON}, "second", True),
        ({"second_from": AFTER}, "second", False),
        ({"second_from": AFTER}, "first", True),
    ],
)
def test_a_kind_is_made_up_to_and_from_its_day(dates, kind, is_made):
    assert KindConfig(**dates).is_made(kind, TODAY) is is_made


@pytest.mark.parametrize("name", ["first_until", "second_from"])
@pytest.mark.parametrize("day", ["2026-02-29", "20260101", "soon", "2026-1-1", "２026-01-01"])
def test_a_day_that_is_none_is_refused_with_the_setting_s_name(tmp_path: Path, name, day):
    path = tmp_path / "config.toml"
    path.write_text(f'[kinds]\n{name} = "{day}"\n', "utf-8")
    with pytest.raises(ConfigError, match=rf"kinds\.{name}"):
        load_config(path)


def test_by_default_both_kinds_are_made_without_end():
    assert Config().kinds.dates_of("first") == Config().kinds.dates_of("second") == ""


# ---- at the door -----------------------------------------------------------------------------------------------


def number(sequence: int) -> str:
    return f"520000000000{TODAY}{sequence:05d}"


def application(sequence: int, kind: str) -> bytes:
    return pack(good(acceptance_number=f"52010200120251220{sequence:05d}", card_kind=kind))


@asynccontextmanager
async def door(folder: Path, kinds: KindConfig):
    """Give an intake on a ledger of its own, on TODAY."""
    async with open_ledger(folder) as ledger, open_vault(folder) as vault:
        clock = FloorClock(day_start_floor_s(TODAY) + 3_600, time.time())
        foreman = Foreman(CoreConfig())
        host = LiveHost(foreman, clock, LedgerKeeper(ledger), lambda action: None, lambda at, moves: None)
        judges = Judge(ledger, context().policy, host.post, kinds)
        workers = trio.CapacityLimiter(2)
        place = Place(clock, True)
        yield ledger, Intake(ledger, vault, judges, context(), place, IntakeConfig(), host.post, workers, kinds)


async def bring(intake: Intake, sequence: int, kind: str, sent: list[bytes]) -> BatchState | Refusal:
    header = OpenBatch(
        batch_number=number(sequence), due=DUE, count=len(sent), digest=batch_digest(sent), card_kind=kind
    )
    state = await intake.answer("north", header)
    if isinstance(state, BatchState) and state.state == "receiving" and state.missing:
        raw = [msgspec.Raw(one) for one in sent]
        await intake.answer("north", Chunk(batch_number=number(sequence), first=0, applications=raw))
    return state


@pytest.mark.parametrize(
    ("dates", "kind", "said"),
    [({"first_until": BEFORE}, "first", "first until 2025-12-31"), ({"second_from": AFTER}, "second", "2026-01-02")],
)
async def test_a_batch_outside_its_kind_s_dates_is_refused_as_a_whole_and_told_from_or_until_when(
    tmp_path, dates, kind, said
):
    async with door(tmp_path, KindConfig(**dates)) as (ledger, intake):
        answer = await bring(intake, 1, kind, [application(1, kind)])
        assert (answer.code, answer.field) == ("batch.kind_dates", "card_kind")
        assert said in answer.text
        assert ledger.reader.announced(number(1)) is None  # nothing is kept of it: its number is free
        other = "second" if kind == "first" else "first"
        assert isinstance(await bring(intake, 1, other, [application(1, other)]), BatchState)


async def test_a_batch_that_was_announced_in_time_gets_the_same_answer_when_the_kind_has_ended(tmp_path):
    sent = [application(1, "first")]
    async with door(tmp_path, KindConfig()) as (_, intake):
        first = await bring(intake, 1, "first", sent)
    async with door(tmp_path, KindConfig(first_until=BEFORE)) as (_, intake):
        again = await bring(intake, 1, "first", sent)
    assert (first.state, again.state) == ("receiving", "checking")


async def test_a_batch_is_judged_by_the_day_it_was_received_on(tmp_path):
    sent = [application(1, "first")]
    async with door(tmp_path, KindConfig()) as (ledger, intake):
        await bring(intake, 1, "first", sent)
        batch = ledger.reader.announced(number(1))
        codes, rows = judge(ledger.reader, batch, context().policy, KindConfig(first_until=ON))
        assert (codes, len(rows)) == ([], 1)
        codes, rows = judge(ledger.reader, batch, context().policy, KindConfig(first_until=BEFORE))
        assert (codes, rows) == (["batch.kind_dates"], [])


async def test_an_application_of_another_kind_than_its_batch_is_refused_and_the_others_go_on(tmp_path):
    sent = [application(1, "first"), application(2, "second")]
    async with door(tmp_path, KindConfig()) as (ledger, intake):
        await bring(intake, 1, "first", sent)
        batch = ledger.reader.announced(number(1))
        found = {row.index: row.codes for row in ledger.reader.rows(batch.batch_id)}
        assert "card_kind.other" not in found[0]
        assert "card_kind.other" in found[1]
        assert batch.card_kind == "first"


async def test_scope_and_fee_class_reach_the_verdict_also_after_a_stop(tmp_path):
    async with door(tmp_path, KindConfig()) as (ledger, intake):
        await bring(intake, 1, "second", [application(1, "second")])
        batch = ledger.reader.announced(number(1))
        _, [row] = judge(ledger.reader, batch, context().policy)
    assert (row.fee_class, row.in_scope, row.case_no) == ("standard", True, 0)
    async with open_ledger(tmp_path) as ledger:
        [again] = ledger.reader.verdicts(batch.batch_id)
    assert (again.fee_class, again.in_scope) == ("standard", True)


# ---- on the floor ----------------------------------------------------------------------------------------------


class KindArrival(Arrival):
    """A batch of first-generation cards."""

    def checked(self, batch_id: int) -> e.BatchChecked:
        return msgspec.structs.replace(super().checked(batch_id), card_kind="first")


def kinds_of_jobs(moves: list, kinds: dict[int, str]) -> Counter[tuple[str, str]]:
    """Count the sheets worked on, by card kind and step; `kinds` is by batch."""
    of_sheet: dict[int, str] = {}
    worked: Counter[tuple[str, str]] = Counter()
    for move in moves:
        if isinstance(move, SheetImposed):
            found = {kinds[card // 10_000] for card in move.cards if card}
            assert len(found) == 1, "a sheet holds cards of two kinds"
            of_sheet[move.sheet_id] = found.pop()
        elif isinstance(move, JobStarted):
            worked.update((of_sheet[sheet], move.step) for sheet in move.sheets)
    return worked


def test_both_kinds_run_at_once_on_the_default_floor_and_only_one_is_written():
    moves: list = []
    floor = HeapFloor(5, watch=[lambda at, move: moves.append(move)])
    kinds = {}
    for turn in range(6):
        kind = (Arrival, KindArrival)[turn % 2]
        units = tuple(f"52010200{place % 3}" for place in range(160))
        arrival = kind(at_floor_s=600.0 * turn, due_floor_s=1e6, units=units)
        kinds[floor.submit(arrival)] = "first" if turn % 2 else "second"
    floor.run(48 * 3_600.0)
    assert not floor.foreman.state.batches, "every batch comes to its end"
    worked = kinds_of_jobs(moves, kinds)
    assert worked["second", Step.WRITE] >= 60  # 480 cards
    assert worked["first", Step.WRITE] == 0
    for kind in ("first", "second"):
        assert all(worked[kind, step] >= 60 for step in (Step.PRINT, Step.LAMINATE, Step.PUNCH, Step.INSPECT))
    assert floor.foreman.state.stock.balanced()


@pytest.mark.parametrize("seed", range(4))
def test_both_kinds_run_at_once_on_a_rough_floor_under_every_law(seed):
    floor = RoughFloor(seed)
    kinds = {}
    for batch_id in range(1, 7):
        kinds[batch_id] = ("first", "second")[batch_id % 2]
        rows = [
            RowVerdict(index, f"{batch_id:017d}{index:05d}", f"5201020{index % 3:02d}", Verdict.OK)
            for index in range(24)
        ]
        at = 300.0 * batch_id
        event = e.BatchChecked(batch_id, f"{batch_id:025d}", "north", kinds[batch_id], at, at + 9e5, rows)
        floor.host.push(at, event)
    floor.run()
    worked = kinds_of_jobs([move for _, move in floor.log], _with_cases(kinds, floor))
    assert worked["first", Step.WRITE] == 0 < worked["second", Step.WRITE]
    assert floor.refolded() == floor.state


def _with_cases(kinds: dict[int, str], floor: RoughFloor) -> dict[int, str]:
    """Give the kinds of all batches, those of cards that came back among them."""
    opened = {move.batch_id: move.card_kind for _, move in floor.log if isinstance(move, BatchOpened)}
    assert opened.items() >= kinds.items()
    return opened
