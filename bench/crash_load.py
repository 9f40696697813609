"""The load of the crash bench: an upstream that never rests and a staff that looks after the floor, both in threads."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from bench.crash_diary import Announced, Diary, Stored, promise_of
from controller.asking.conversation import ClientError, Patience, Refused
from controller.asking.submission import batch_digest, encode_application
from controller.client import OperatorClient, UpstreamClient
from controller.ledger.receipts import ACCEPTED, BATCH_CLOSED, FINAL_KINDS, REFUSED
from controller.wire import READING
from devices import zlink
from devices.peers import UPSTREAM as UPSTREAM_ROLE
from sims.batches import BatchDraft, BatchPlan, Shares
from sims.demo.folder import KEEPERS, SUPERVISORS, UPSTREAM_NAME, DemoFolder
from sims.demo.staff import Office, StockKeepers, Supervisors

PATIENCE = Patience(answer_within_s=1.0, give_up_s=600.0)
PLANNED_CARDS, BATCH_CARDS, CHUNK_CARDS = 60_000, (8, 32), 12
SHARES = Shares(refuse=0.02, hold=0.02, note=0.0)
OPEN_CARDS = 240  # with more the upstream waits: the service shall always have something in every place, not all of it
CANCEL_SHARE, ACKNOWLEDGE_SHARE, AGAIN_SHARE = 0.15, 0.5, 0.1
LOOK_EVERY_S = 0.3
ORDERED_CARDS = 4_000  # by the keepers at first; they order more when the vault runs low


def hurry() -> None:
    """Let the peers of this process look for the service ten times a second, however long it is away.

    A life of the service lasts a second or two here: with the usual pauses most of it would pass unused.
    """
    zlink.RECONNECT_MAX_MS = zlink.RECONNECT_MS


class Load:
    """Upstream and staff of one folder, from `start` to `stop`; what they were promised stands in `diary`."""

    def __init__(self, folder: DemoFolder, seed: int) -> None:
        self.diary = Diary()
        self.failure: BaseException | None = None
        self._folder, self._seed = folder, seed
        self._ending, self._over = threading.Event(), threading.Event()
        self._threads = [
            threading.Thread(target=self._guard, args=(body,), name=f"crash {body.__name__}", daemon=True)
            for body in (self._upstream, self._staff)
        ]

    def start(self) -> None:
        """Begin."""
        hurry()
        for thread in self._threads:
            thread.start()

    def finish(self, within_s: float) -> bool:
        """Send no more; wait until every batch is closed, and give whether that came in time."""
        self._ending.set()
        self._threads[0].join(within_s)
        return not self._threads[0].is_alive() and self.failure is None

    def stop(self) -> None:
        """Let both go home."""
        self._ending.set()
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE.give_up_s)

    def _guard(self, body: Callable[[], None]) -> None:
        try:
            body()
        except Exception as error:  # noqa: BLE001  a thread begins here: whoever waits for it is told
            self.failure = self.failure or error

    # ---- upstream ----------------------------------------------------------------------------------------------

    def _upstream(self) -> None:
        folder = self._folder
        secret = folder.peers / UPSTREAM_ROLE / f"{UPSTREAM_NAME}.secret"
        endpoint = folder.endpoints["upstreams"]
        with UpstreamClient.connect(endpoint, folder.server_public, secret, patience=PATIENCE) as client:
            province = Province(client, self.diary, self._seed)
            while not self._over.is_set():
                if not self._ending.is_set() or not province.has_sent():
                    province.bring()
                elif province.is_done():
                    return
                province.take()
                if province.open_cards() >= OPEN_CARDS or self._ending.is_set():
                    self._over.wait(0.1)

    # ---- staff -------------------------------------------------------------------------------------------------

    def _staff(self) -> None:
        with ExitStack() as lines:
            people = [
                WrittenDown(lines.enter_context(self._folder.person(name)), name, self.diary)
                for name in (*KEEPERS, *SUPERVISORS)
            ]
            keepers = StockKeepers(people[0], people[1], ORDERED_CARDS)
            supervisors = BodyFinders(people[2], people[3], self._folder.root / FORGOTTEN)
            while not self._over.is_set():
                for look in (keepers.look, supervisors.look):
                    try:
                        look()
                    except ClientError as error:
                        if isinstance(error, Refused):
                            raise
                self._over.wait(LOOK_EVERY_S)


FORGOTTEN = "forgotten.jsonl"  # bodies under sheets whose result a press forgot, by sheet


class WrittenDown:
    """One person's line to the service; what it answers to a change is noted."""

    def __init__(self, client: OperatorClient, user: str, diary: Diary) -> None:
        self._client, self._user, self._diary = client, user, diary

    def command(self, verb: str, /, **args: Any) -> Any:
        """As `OperatorClient.command`."""
        result = self._client.command(verb, **args)
        promise = None if verb in READING else promise_of(self._user, verb, args, result)
        if promise is not None:
            self._diary.answers.append(promise)
        return result


class BodyFinders(Supervisors):
    """Supervisors who look under a suspect film which body sheet it lies on."""

    def __init__(self, first: Office, second: Office, forgotten: Path) -> None:
        super().__init__(first, second)
        self._forgotten = forgotten

    def _both(self, verb: str, args: Any) -> bool:
        if verb == "settle":
            body = self._bodies().get(str(args["sheet_id"]))
            if body and super()._both(verb, {**args, "body": body}):
                return True
        return super()._both(verb, args)

    def _bodies(self) -> dict[str, int]:
        if not self._forgotten.exists():
            return {}
        found: dict[str, int] = {}
        for line in self._forgotten.read_text("ascii").splitlines():
            found |= json.loads(line)
        return found


class Province:
    """Brings batch after batch, cancels now and then, keeps every receipt; from a seed, but for when things happen."""

    def __init__(self, client: UpstreamClient, diary: Diary, seed: int) -> None:
        self._client, self._diary, self._luck = client, diary, Random(f"province {seed}")
        today = client.hello().floor_date
        self._drafts: Iterator[BatchDraft] = iter(BatchPlan(seed, PLANNED_CARDS, today, SHARES, BATCH_CARDS))
        self._sent = self._closed = self._ended = self._read = 0
        self._sent_batches = 0
        self._accepted: dict[str, None] = {}  # not yet at their end

    def open_cards(self) -> int:
        """Give how many applications have no last word yet."""
        return self._sent - self._ended

    def has_sent(self) -> bool:
        """Say whether at least one batch was brought: a run without any would show nothing."""
        return self._sent_batches > 0

    def is_done(self) -> bool:
        """Say whether every batch is closed."""
        return self._closed == self._sent_batches

    def bring(self) -> None:
        """Bring the next batch whole, unless there is enough to do."""
        draft = next(self._drafts, None) if self.open_cards() < OPEN_CARDS else None
        if draft is None:
            return
        encoded = [encode_application(one) for one in draft.applications()]
        digest = batch_digest(encoded)
        self._client.open_batch(draft.batch_number, draft.due, draft.count, digest)
        self._diary.announced.append(Announced(draft.batch_number, draft.count, digest))
        for first in range(0, draft.count, CHUNK_CARDS):
            chunk = encoded[first : first + CHUNK_CARDS]
            self._client.send_chunk(draft.batch_number, first, chunk)
            digests = [sha256(one).digest() for one in chunk]
            self._diary.stored.append(Stored(draft.batch_number, first, digests))
        self._sent += draft.count
        self._sent_batches += 1

    def take(self) -> None:
        """Fetch what is new, now and then what was fetched before, acknowledge, and cancel somebody."""
        diary, luck = self._diary, self._luck
        after = len(diary.receipts)
        if luck.random() < AGAIN_SHARE:
            after = luck.randrange(after + 1)
        diary.take_receipts(self._client.receipts(after).items)
        for receipt in diary.receipts[self._read :]:
            number = receipt.acceptance_number
            if receipt.kind == ACCEPTED:
                self._accepted[number] = None
            elif receipt.kind in FINAL_KINDS or receipt.kind == REFUSED:
                self._ended += 1
                self._accepted.pop(number, None)
            self._closed += receipt.kind == BATCH_CLOSED or (receipt.kind == REFUSED and receipt.index < 0)
        self._read = len(diary.receipts)
        if luck.random() < ACKNOWLEDGE_SHARE and self._read:
            diary.cursor = self._client.acknowledge(self._read).upto
        if luck.random() < CANCEL_SHARE and self._accepted:
            self._cancel(next(reversed(self._accepted)))

    def _cancel(self, number: str) -> None:
        try:
            self._client.cancel(number, "the holder withdrew")
        except Refused:
            return  # it is on a sheet already
        self._diary.cancelled.append(number)
