"""What users suffered elsewhere, and shall not suffer here: complaints 1, 2, 3 and 14, told to the real service."""

from __future__ import annotations

import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from random import Random

import pytest
import trio

from bench.crash_owners import orphans
from controller import encoding
from controller.asking.conversation import ClientError
from controller.asking.submission import batch_digest, encode_application
from controller.core.events import CardsEncoded, Encode
from controller.core.fold import apply
from controller.core.state import SILENT, FloorState
from controller.encoding import ENCODER_FAILED, Encoders
from controller.ledger import tables
from controller.ledger.engine import reader_engine
from controller.ledger.journal import open_move, read_rows
from controller.ledger.receipts import ACCEPTED, FINAL_KINDS, REFUSED
from controller.ledger.store import DATABASE_NAME
from controller.metrics import OF_THE_PROCESS
from controller.vault.store import DATABASE_NAME as VAULT_NAME
from encoders.envelope import pack
from encoders.fonts.coverage import bundled_coverage
from sims.demo.staff import StockKeepers, Supervisors
from sims.faces import FaceSource
from sims.floor import DEFAULT_FLOOR
from sims.people import Population
from tests.whole.centre import Centre, run_cli
from tests.whole.worked import start

WITHIN_S = 600.0
CARDS, KILLS = 96, 3
PAUSE = threading.Event()  # never set: it only waits
PEOPLE = ("keeper-1", "keeper-2", "supervisor-1", "supervisor-2")


def applications(count: int, today: str, first: int = 0) -> list[bytes]:
    population = Population(21, faces=FaceSource(21))
    return [encode_application(population.application(index, today)) for index in range(first, first + count)]


def number_of(today: str, sequence: int) -> str:
    return f"520000000000{today}{sequence:05d}"


def within(is_so, text: str, pause_s: float = 0.1):
    """Wait for something another process does, and give what `is_so` gives then."""
    deadline = time.monotonic() + WITHIN_S
    while not (found := is_so()):
        assert time.monotonic() < deadline, text
        PAUSE.wait(pause_s)
    return found


def folded(centre: Centre) -> FloorState:
    """Fold what is durable, beside the running service."""
    state, engine = FloorState(), reader_engine(centre.data / DATABASE_NAME)
    try:
        for row in read_rows(engine, tables.move):
            apply(state, row.at_floor_s, open_move(row))
    finally:
        engine.dispose()
    return state


# ---- complaint 1: kill -9 at any moment ----------------------------------------------------------------------------


@dataclass
class Seen:
    """What was found after one kill, with the stations stopped so that nothing moves."""

    in_progress: int  # jobs of stations
    orphans: list[str]
    stations: dict[str, int]  # job of each, as an operator sees it
    jobs: dict[str, int]  # and as the ledger has it
    silent: bool
    unknown: list[int]  # cards of which `why` knows nothing
    working: dict[str, int]
    sheets: dict[str, int]


class Floor:
    """A small centre at work, that a test can stop, kill and look at."""

    def __init__(self, centre: Centre, stack: ExitStack) -> None:
        self.centre = centre
        for station in DEFAULT_FLOOR:
            centre.secret("station", station.name)
        secret = centre.secret("upstream", "north")
        centre.start()
        self.stations = start(
            *("stations", "--endpoint", centre.doors["stations"], "--server-key", str(centre.server_public)),
            *("--secrets", str(secret.parent)),
        )
        stack.callback(self.stations.wait, 30)
        stack.callback(self.stations.kill)
        self.people = [stack.enter_context(centre.operator(name)) for name in PEOPLE]
        self._staff = (StockKeepers(*self.people[:2], CARDS), Supervisors(*self.people[2:]))

    def look(self) -> dict[str, object]:
        """Let the staff look once, and give the status."""
        for one in self._staff:
            with suppress(ClientError):
                one.look()
        return self.people[0].command("status")

    def kill_and_look(self) -> Seen:
        """Stop the stations where they are, kill the service, start it again, and compare what it says."""
        self.stations.send_signal(signal.SIGSTOP)
        self.centre.kill()
        self.centre.start()
        ann = self.people[0]
        within(lambda: not ann.command("status")["unencoded"], "the encoders' jobs had no owner")
        status, shown = ann.command("status"), ann.command("stations")
        state = folded(self.centre)
        unknown = []
        for number in state.cards:
            try:
                ann.command("why", thing=f"card {number}")
            except ClientError:
                unknown.append(number)
        jobs = Counter(job.step.value for job in state.jobs.values() for _ in (job.sheets or [0]))
        seen = Seen(
            len(state.jobs),
            list(orphans(state)),
            {one["station"]: one["job_id"] for one in shown},
            {name: one.job_id for name, one in state.stations.items()},
            all(one["state"] in (SILENT, "execute") for one in shown),
            unknown,
            {step: of["working"] for step, of in status["steps"].items() if of["working"]},
            dict(jobs),
        )
        self.stations.send_signal(signal.SIGCONT)
        return seen


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A floor that was killed while stations worked, and then made all its cards: its looks, receipts and service."""
    centre = Centre(tmp_path_factory.mktemp("killed"), scale=600.0)
    with ExitStack() as stack:
        stack.callback(centre.close)
        floor = Floor(centre, stack)
        north = stack.enter_context(centre.upstream())
        today = north.hello().floor_date
        north.submit_batch(number_of(today, 1), today, applications(CARDS, today))
        luck, seen = Random(3), []
        while len(seen) < KILLS:

            def works(wanted=luck.randint(1, 4)):
                return sum(one["job_id"] > 0 for one in floor.look()["stations"]) >= wanted

            within(works, "the stations never worked", 0.05)
            seen.append(floor.kill_and_look())
        within(lambda: floor.look()["tally"]["batches_closed"] == 1, "the batch was never closed")
        receipts = north.receipts(0, 1_000).items
        floor.stations.terminate()
        floor.stations.wait(30)
        yield centre, seen, receipts


def test_after_a_kill_each_job_is_with_the_station_that_has_it_and_an_operator_sees_the_same(killed):
    _, seen, _ = killed
    assert sum(one.in_progress for one in seen) >= KILLS
    for one in seen:
        assert one.orphans == []
        assert one.stations == one.jobs
        assert one.working == one.sheets
        assert one.silent  # nobody is said to be idle who was not heard


def test_after_a_kill_every_card_is_somewhere_and_why_says_where(killed):
    _, seen, _ = killed
    assert [one.unknown for one in seen] == [[]] * KILLS


def test_after_kills_every_card_still_comes_to_exactly_one_end(killed):
    _, _, receipts = killed
    assert [one.number for one in receipts] == list(range(1, len(receipts) + 1))
    accepted = {one.index for one in receipts if one.kind == ACCEPTED}
    ends = Counter(one.index for one in receipts if one.kind in FINAL_KINDS)
    refused = {one.index for one in receipts if one.kind == REFUSED}
    assert set(ends) == accepted
    assert set(ends.values()) == {1}
    assert len(accepted) + len(refused) == CARDS


# ---- complaint 14: metrics survive a restart -----------------------------------------------------------------------

COUNTED = ("_total", "_bucket", "_count", "_sum")
# time passes and a start is recorded: these go on from where they were
GROWING = ("cardmill_floor_seconds_total", "cardmill_ledger_moves_total", "cardmill_station_down_seconds_total")


def counters(page: str) -> dict[str, float]:
    found = re.findall(r"^(cardmill_\w+(?:\{[^}]*\})?) (\S+)$", page, re.MULTILINE)
    return {
        name: float(value)
        for name, value in found
        if name.partition("{")[0].endswith(COUNTED) and not name.startswith(OF_THE_PROCESS)
    }


def test_complaint_14_counts_are_the_same_after_a_kill_and_none_ever_goes_back(killed):
    centre, _, receipts = killed
    before = counters(centre.metrics_page())
    assert before['cardmill_cards_total{outcome="dispatched"}'] == sum(one.kind == "dispatched" for one in receipts)
    assert before['cardmill_positions_total{step="print"}'] > 0
    assert before["cardmill_lead_time_seconds_count"] > 0
    centre.kill()
    centre.start()
    after = counters(centre.metrics_page())
    assert set(after) == set(before)
    assert [name for name in before if name.startswith(GROWING) and after[name] < before[name]] == []
    assert [name for name in before if not name.startswith(GROWING) and after[name] != before[name]] == []


def test_complaint_14_the_series_of_a_station_whose_key_was_taken_away_disappear_and_stay_away(killed):
    centre, _, _ = killed

    def named() -> set[str]:
        return set(re.findall(r'station="([\w-]+)"', centre.metrics_page()))

    assert named() == {spec.name for spec in DEFAULT_FLOOR}  # all are silent, and none of them was taken away
    (centre.data / "keys" / "allowed" / "station" / "p4.public").unlink()
    left = {spec.name for spec in DEFAULT_FLOOR} - {"p4"}
    assert named() == left
    centre.kill()
    centre.start()
    assert named() == left


# ---- complaint 2: two controllers ----------------------------------------------------------------------------------


def test_a_second_service_is_refused_while_the_first_lives_and_takes_over_when_it_was_killed(centre):
    centre.start()
    with centre.upstream() as north:
        today = north.hello().floor_date
        sent = applications(4, today)
        north.submit_batch(number_of(today, 1), today, sent)
        code, _, errors = run_cli("serve", "--config", str(centre.config))
        assert (code, "ledger.in_use" in errors) == (2, True)
        assert north.hello().you == "north"  # the first took no harm
        command = [sys.executable, "-m", "controller.cli", "serve", "--config", str(centre.config)]
        centre.kill()
        (centre.data / "endpoints.json").unlink()
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as second:
            try:
                within((centre.data / "endpoints.json").exists, "the second did not take over")
                state = north.submit_batch(number_of(today, 1), today, sent)
                assert state.batch_number == number_of(today, 1)
                accepted = within(lambda: _told(north, ACCEPTED) if len(_told(north, ACCEPTED)) == 4 else [], "no word")
                assert sorted(accepted) == [0, 1, 2, 3]  # each once: the batch came twice, to two services
            finally:
                second.terminate()


def _told(client, *kinds: str) -> list[int]:
    return [one.index for one in client.receipts(0, 1_000).items if one.kind in kinds]


# ---- complaint 3: every accepted record ends in exactly one final receipt ------------------------------------------


def tamper(centre: Centre, index: int) -> None:
    """Change a byte of a sealed application, as a bad disk or a hand would."""
    with sqlite3.connect(centre.data / VAULT_NAME, timeout=30) as vault:
        [(card, sealed)] = vault.execute("SELECT * FROM sealed_application WHERE application_id % 10000 = ?", [index])
        wrong = bytes(sealed[:-1]) + bytes([sealed[-1] ^ 1])
        vault.execute("UPDATE sealed_application SET blob = ? WHERE application_id = ?", [wrong, card])
    vault.close()


def test_a_row_that_does_not_decrypt_stops_its_card_alone_and_a_person_gives_it_its_one_end(running):
    with running.upstream() as north, running.operator() as ann:
        today = north.hello().floor_date
        sent = applications(5, today)
        number = number_of(today, 1)
        north.open_batch(number, today, 5, batch_digest(sent))
        north.send_chunk(number, 0, sent[:4])
        tamper(running, 2)
        north.send_chunk(number, 4, sent[4:])
        [stopped] = within(lambda: ann.command("stopped"), "the card was not stopped")
        assert (stopped["index"], stopped["code"]) == (2, "vault.tampered")
        within(lambda: not ann.command("status")["unencoded"], "the others were not encoded")
        assert "vault.tampered" in ann.command("why", thing=f"card {stopped['card']}")["facts"].values()
        running.kill()  # what stopped a card must not stop the service, and is still so after a restart
        running.start()
        assert [one["index"] for one in ann.command("stopped")] == [2]
        ann.command("decide", card=stopped["card"], decision="refuse_late", reason="its data cannot be read")
        for one in north.receipts(0, 1_000).items:
            if one.kind == ACCEPTED and one.index != 2:
                north.cancel(one.acceptance_number, "the test is over")
        within(lambda: _told(north, "batch_closed"), "the batch was not closed")
        assert sorted(_told(north, *FINAL_KINDS)) == [0, 1, 2, 3, 4]
        assert _told(north, "refused_late") == [2]


def test_a_record_that_is_no_record_and_a_portrait_that_breaks_are_refused_once_and_the_others_go_on(running):
    with running.upstream() as north:
        today = north.hello().floor_date
        population = Population(21, faces=FaceSource(21))
        good = [population.application(index, today) for index in range(3)]
        sent = [encode_application(one) for one in good]
        sent[0] = pack({"acceptance_number": 7, "portrait": {"no": "bytes"}})
        sent[1] = encode_application(type(good[1])(**{**_fields(good[1]), "portrait": good[1].portrait[:900]}))
        north.submit_batch(number_of(today, 1), today, sent)
        told = within(lambda: receipts if len(receipts := north.receipts(0).items) >= 3 else [], "no verdicts")
        assert sorted((one.index, one.kind) for one in told) == [(0, REFUSED), (1, REFUSED), (2, ACCEPTED)]


def _fields(application) -> dict[str, object]:
    return {name: getattr(application, name) for name in application.__struct_fields__}


class OneBatch:
    """A vault of one batch; what was made is kept."""

    def __init__(self, rows: list[bytes]) -> None:
        self.rows, self.made = rows, {}

    def applications(self, batch_id, indexes):
        return [self.rows[index] for index in indexes]

    async def store_cards(self, cards):
        self.made |= dict(cards)


async def test_an_encoder_that_breaks_at_one_card_costs_the_others_nothing_and_the_foreman_hears_of_it(monkeypatch):
    rows = applications(4, "20260302")
    usual = encoding.portrait.encode
    bad = encoding.portrait.prepare(encoding.open_application(rows[1]).portrait)

    def breaks(prepared):
        if (prepared == bad).all():
            raise ZeroDivisionError("a value of an application might stand here")
        return usual(prepared)

    monkeypatch.setattr(encoding.portrait, "encode", breaks)
    vault, told, spent = OneBatch(rows), [], []
    hears = told.append, lambda seconds, cards: None
    encoders = Encoders(vault, bundled_coverage(), trio.CapacityLimiter(1), *hears, spend=spent.append)
    await encoders.encode(Encode(1, [10_000, 10_001, 10_002, 10_003]))
    assert told == [CardsEncoded(1, [(10_001, ENCODER_FAILED)])]
    assert len(spent) == 1, "each portrait's time is told when it is made: here before the one that broke the job"
    assert sorted(vault.made) == [10_000, 10_002, 10_003]
