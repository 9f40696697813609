"""Laws 2, 3, 7 and 8 under a second look at the shell of the ledger: what broke them, made again."""

from __future__ import annotations

import pytest
import trio

from controller import commands, service
from controller.audit.verification import verify_folder
from controller.backup.errors import BackupError
from controller.clock import FloorClock
from controller.config import Config, ServiceConfig, StorageConfig
from controller.core import events as e
from controller.core.cards import State
from controller.core.foreman import Foreman
from controller.core.moves import ConsignmentSent, RowVerdict, Verdict
from controller.core.settings import CoreConfig
from controller.desk.desk import Desk
from controller.encoding import Encoders
from controller.hosts.live import LiveHost
from controller.ledger.errors import LedgerError
from controller.ledger.store import open_ledger
from controller.personal_text import has_long_number
from controller.upkeep.books import encode_books, open_books
from controller.upkeep.snapshots import Snapshots
from controller.vault.errors import VaultError
from controller.wire import Command, Refusal
from controller.wiring import LedgerKeeper
from encoders.envelope import pack
from encoders.fonts.coverage import bundled_coverage
from tests.controller.checks.samples import good
from tests.controller.core.rough_floor import RoughFloor
from tests.controller.purge_centre import make_all, purged
from tests.controller.returning import BATCH, NUMBERS, centre
from tests.controller.test_restored_floor import Restored

CONFIG = Config()
NOON_S = 1_800_000_000.0


# ---- law 7: a snapshot is what the moves make ---------------------------------------------------------------------


async def _a_run_that_stops_in_order(folder) -> bytes:
    """Let a service live shortly, with books as it keeps them; give the books of all its moves, folded from none."""
    async with open_ledger(folder) as ledger:
        books = (await trio.to_thread.run_sync(open_books, ledger, CONFIG)).books
        clock = FloorClock(NOON_S, 0.0, 0.0)
        host = LiveHost(books.foreman, clock, LedgerKeeper(ledger), lambda action: None, books.count)
        host.start_after(books.last_floor_s)
        await host.post(e.ServiceBegan()).wait()
        await host.post(e.StationSeen("printer-1", "print", "some", 1, "idle", "")).wait()
        whole = encode_books((await trio.to_thread.run_sync(open_books, ledger, CONFIG)).books)
        await Snapshots(ledger, CONFIG, lambda: False, every_moves=1).store_at_stop(books)
    return whole


async def test_the_snapshot_of_an_orderly_stop_is_what_the_moves_make(tmp_path):
    whole = await _a_run_that_stops_in_order(tmp_path)
    async with open_ledger(tmp_path) as ledger:
        opened = await trio.to_thread.run_sync(open_books, ledger, CONFIG)
    assert opened.moves == 0  # from the snapshot alone
    assert encode_books(opened.books) == whole
    assert verify_folder(tmp_path, config=CONFIG).faults == []


async def test_after_an_orderly_stop_no_stamp_comes_before_the_last_one_of_the_ledger(tmp_path):
    await _a_run_that_stops_in_order(tmp_path)
    async with open_ledger(tmp_path) as ledger:
        last = max(at_floor_s for at_floor_s, _ in ledger.replay())
        opened = await trio.to_thread.run_sync(open_books, ledger, CONFIG)
    assert opened.books.last_floor_s == last


# ---- laws 1 and 2: a restored ledger makes nothing before it was compared -----------------------------------------


def test_a_restored_ledger_starts_no_job_again_that_a_station_says_it_never_saw():
    restored = Restored(0)
    jobs = [job for job in restored.state.jobs.values() if not job.cards]
    restored.begin()
    for job in jobs:
        restored.say(e.JobNeverSeen(job.station, job.job_id))  # given up meanwhile, and its cards made by other jobs
    assert jobs
    assert restored.state.reconciling
    assert [action for action in restored.actions if isinstance(action, e.StartJob)] == []


class WithBundles(Restored):
    """A backup taken while one bundle of a batch was packed and the rest still in making."""

    def __init__(self) -> None:
        self.lost = RoughFloor(0, trouble=0.0)
        units = [f"52010200{index % 4}" for index in range(96)]
        rows = [e.RowVerdict(index, "1" * 22, unit, 0) for index, unit in enumerate(units)]
        self.lost.host.push(1.0, e.BatchChecked(1, "1" * 25, "north", "second", 1.0, 9e5, rows))
        while not self.lost.state.bundles:
            self.lost.host.now_floor_s += 1.0
            self.lost.host.run(self.lost.host.now_floor_s)
        self.now_floor_s = self.lost.host.now_floor_s
        self.foreman, self.log, self.actions = Foreman(CoreConfig()), list(self.lost.log), []
        for at_floor_s, move in self.log:
            self.foreman.replay(at_floor_s, move)
        self.state = self.foreman.state


def test_a_restored_ledger_sends_nothing_off_before_it_was_compared():
    restored = WithBundles()
    began = len(restored.log)
    restored.begin()
    restored.settle_all()
    for number, card in list(restored.state.cards.items()):  # step 4 of docs/backup.md
        if card.state in (State.ACCEPTED, State.READY):
            restored.say(e.DecisionMade(number, "refuse_late", "ann", "made before the restore"))
    assert restored.state.reconciling
    assert restored.state.bundles
    assert not any(isinstance(move, ConsignmentSent) for _, move in restored.log[began:])


# ---- law 3: a database that is gone is said, never begun anew beside the other ------------------------------------


@pytest.mark.parametrize("gone", ["ledger.db", "vault.db"])
async def test_no_service_starts_when_one_of_its_two_databases_is_gone(tmp_path, monkeypatch, gone):
    async with centre(tmp_path) as made:
        await made.bring()  # acknowledged, and not yet judged
    for path in tmp_path.glob(f"{gone}*"):
        path.unlink()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    started = []

    async def run(*arguments):
        started.append(arguments)

    monkeypatch.setattr(service, "_run", run)
    for warm in (service.portrait, service.text_record):
        monkeypatch.setattr(warm, "warm_up", lambda: None)
    config = Config(service=ServiceConfig(folder=str(tmp_path)), storage=StorageConfig(free_min_mib=0, reserve_mib=0))
    with pytest.raises((LedgerError, VaultError, BackupError)):
        await service.serve(config)
    assert started == []
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()} == before


# ---- law 8 ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["as 110105194912310021 in 2025", "as 110105194912310021 2025", "110105491231002 2025010"]
)
def test_an_identity_number_is_found_also_beside_digits_that_would_make_it_an_acceptance_number(text):
    assert has_long_number(text, joined=True)


@pytest.mark.parametrize("hidden", [{"reason": "fine"}, {"card": 0}])
async def test_a_reason_is_looked_at_also_when_an_argument_of_the_same_name_hides_it_or_its_card(tmp_path, hidden):
    name = "欧阳守望"
    async with centre(tmp_path) as made:
        sent = [pack(good(acceptance_number=NUMBERS[0], name=name))]
        await made.vault.store_applications(1, list(enumerate(sent)))
        rows = [RowVerdict(0, NUMBERS[0], "520102001", Verdict.HOLD)]
        await made.host.post(e.BatchChecked(1, BATCH, "north", "second", 1.0, 9e9, rows)).wait()
        desk = Desk(
            made.ledger,
            made.host.foreman.state,
            made.tally,
            made.clock,
            True,
            4_000.0,
            made.host.post,
            vault=made.vault,
        )
        args = {"card": 10_000, "decision": "refuse", "reason": f"it is not {name}", "args": hidden}
        answer = await commands.answer(desk, "ann", Command(request=1, verb="decide", args=args))
        assert isinstance(answer, Refusal)
        assert answer.code in ("reason.personal", "command.argument")
        assert not any(name in repr(event) for _, event in made.ledger.events())


async def test_an_encode_job_that_outlived_its_batch_puts_nothing_into_a_vault_that_was_purged_meanwhile(tmp_path):
    async with centre(tmp_path) as made:
        mixed, _, _ = await make_all(made)
        vault, told = made.vault, []
        encoders = Encoders(vault, bundled_coverage(), trio.CapacityLimiter(1), told.append, lambda *_: None)
        opened = vault.applications

        def read_and_be_purged(batch_id, indexes):
            """The job reads, and before it has stored what it made, the batch is purged."""
            found = opened(batch_id, indexes)
            trio.from_thread.run(purged, made)
            return found

        vault.applications = read_and_be_purged
        await encoders.encode(e.Encode(999, [mixed * 10_000 + 2]))  # and the service does not end of it
        del vault.applications
        assert made.ledger.reader.batch(mixed).purged_floor_s > 0
        assert mixed not in vault.batches()
        with pytest.raises(VaultError):
            vault.cards([mixed * 10_000 + 2])
