"""A province that sends batches and follows its receipts: the body of `cardmill-sim upstream`."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec

from controller.asking.conversation import PATIENCE, Patience, Refused
from controller.asking.exchanges import RECEIVING
from controller.asking.submission import encode_application
from controller.client import UpstreamClient
from controller.wire import MAX_RECEIPTS_PER_PAGE, Receipt
from devices.keys import KeyPair
from sims.answers import Answers
from sims.batches import BatchDraft, BatchPlan, Shares, encode_planted
from sims.errors import UpstreamError
from sims.receipt_file import ReceiptFile

PORTRAITS_KEPT = 24
PROGRESS_S = 1.0
REST_S = 0.25  # between two looks for receipts

Say = Callable[[dict[str, Any]], None]


class Run(msgspec.Struct, frozen=True):
    """What fixes all batches of a run, kept in its folder so that one that was killed goes on with the same."""

    seed: int
    cards: int
    bad_share: float
    hold_share: float
    note_share: float
    sizes: tuple[int, int]
    today: str = ""  # the floor's day when the run began


def run_upstream(
    endpoint: str,
    server_public: str | Path,
    secret: KeyPair | Path,
    out: Path,
    *,
    cards: int = 6_000,
    seed: int = 1,
    bad_share: float = 0.03,
    hold_share: float = 0.01,
    note_share: float = 0.01,
    sizes: tuple[int, int] = (50, 1_200),
    patience: Patience = PATIENCE,
    receipt_keys: Path | None = None,
    first_due_today: bool = False,
    say: Say | None = None,
) -> dict[str, Any]:
    """Send `cards` applications, take receipts until every batch is closed or refused, and give `upstream.json`.

    Called again with the same folder it goes on where it was stopped, also by a kill: the batches are the same, and
    receipts in the folder are not fetched again.

    Args:
        endpoint, server_public, secret, receipt_keys: as `UpstreamClient.connect`.
        out: folder for `run.json`, `planted.json` (never sent), `receipts.jsonl`, `upstream.json` and `portraits/`.
        bad_share, hold_share, note_share: parts of the applications that get a fault of that weight.
        sizes: least and most applications of a batch.
        first_due_today: the first batch is due on the floor's day when the run began.
        say: takes a line of progress about once a second; without it each is printed as JSON.
    Raises: ClientError; UpstreamError: the folder holds another run; ValueError: a number is out of its range.
    """
    began_s = time.monotonic()
    wanted = Run(seed, cards, bad_share, hold_share, note_share, sizes)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UpstreamError(f"{out} cannot be made a folder ({error.strerror}): choose another one") from None
    connect = partial(UpstreamClient.connect, endpoint, server_public, secret)
    with connect(patience=patience, receipt_keys=receipt_keys) as client:
        welcome = client.hello()
        run, resumed = _same_run(out / "run.json", wanted, welcome.floor_date)
        plan = BatchPlan(seed, cards, run.today, Shares(bad_share, hold_share, note_share), sizes, first_due_today)
        _write(out / "planted.json", encode_planted(plan.planted))
        with ReceiptFile(out / "receipts.jsonl") as file:
            province = _Province(client, plan, file, say or _print_line)
            province.send(province.unsent() if resumed else list(plan))
            province.follow()
    report = {"seed": seed, "cards": cards, "today": run.today, **province.answers.report()}
    report["wall_s"] = round(time.monotonic() - began_s, 3)
    write_portraits(plan, province.answers, out / "portraits")
    _write(out / "upstream.json", msgspec.json.format(msgspec.json.encode(report)))
    return report


def write_portraits(plan: BatchPlan, answers: Answers, folder: Path) -> None:
    """Write the portraits of the first accepted applications as `01.jpg` and so on: drawn anew, for none was kept."""
    folder.mkdir(exist_ok=True)
    drafts = {draft.batch_number: draft for draft in plan}
    for number, (batch_number, index) in enumerate(islice(answers.accepted(), PORTRAITS_KEPT), 1):
        (folder / f"{number:02d}.jpg").write_bytes(drafts[batch_number].application(index).portrait)


class _Province:
    """One run under way."""

    def __init__(self, client: UpstreamClient, plan: BatchPlan, file: ReceiptFile, say: Say) -> None:
        self._client, self._plan, self._file, self._say = client, plan, file, say
        self.answers = Answers({draft.batch_number: draft.count for draft in plan}, plan.planted)
        for receipt in file.kept:
            self.answers.take(receipt)
        file.kept.clear()
        self._pages = client.follow_receipts(file.last, limit=MAX_RECEIPTS_PER_PAGE, rest_s=REST_S)
        self._sent = self._sent_batches = 0
        self._said_s, self._began_s = 0.0, time.monotonic()

    def unsent(self) -> list[BatchDraft]:
        """Give the batches that the service does not have whole; it is asked, since this run was stopped before."""
        left = []
        for draft in self._plan:
            if self.answers.batches[draft.batch_number].over or self._is_whole(draft.batch_number):
                self._sent += draft.count
                self._sent_batches += 1
            else:
                left.append(draft)
        return left

    def send(self, drafts: list[BatchDraft]) -> None:
        """Bring the batches, each prepared while the one before is on its way, and take receipts in between."""
        for draft, encoded in _prepared(drafts):
            try:
                self._client.submit_batch(draft.batch_number, draft.due, encoded, told=self._tell)
            except Refused as refused:
                self.answers.refuse_batch(draft.batch_number, refused.code)
            self._sent += draft.count
            self._sent_batches += 1
            while self._take(next(self._pages)) == MAX_RECEIPTS_PER_PAGE:
                self._tell()
            self._tell()

    def follow(self) -> None:
        """Take receipts until every batch is over."""
        while not self.answers.over():
            self._take(next(self._pages))
            self._tell()
        if self._file.last:
            self._client.acknowledge(self._file.last)
        self._say(self._progress(0))

    def _is_whole(self, batch_number: str) -> bool:
        try:
            return self._client.status(batch_number).state != RECEIVING
        except Refused:  # never announced
            return False

    def _take(self, page: Iterable[Receipt]) -> int:
        """Keep a page safe, and only then let the next one acknowledge it."""
        receipts = list(page)
        for receipt in self._file.keep(receipts):
            self.answers.take(receipt)
        return len(receipts)

    def _tell(self, stored: int = 0, _: int = 0) -> None:
        """Say how far the run is, about once a second; `stored` applications of the present batch are there."""
        now_s = time.monotonic()
        if now_s - self._said_s >= PROGRESS_S:
            self._said_s = now_s
            self._say(self._progress(stored))

    def _progress(self, stored: int) -> dict[str, Any]:
        batches = self.answers.batches.values()
        return {
            "batches": len(self._plan),
            "batches_sent": self._sent_batches,
            "batches_over": sum(batch.over for batch in batches),
            "applications": self._plan.cards,
            "submitted": self._sent + stored,
            "receipts": self._file.last,
            "by_kind": dict(self.answers.kinds),
            "wall_s": round(time.monotonic() - self._began_s, 1),
        }


def _prepared(drafts: list[BatchDraft]) -> Iterator[tuple[BatchDraft, list[bytes]]]:
    """Give each batch encoded, the next one made in a thread meanwhile; so two at most are in memory."""
    with ThreadPoolExecutor(1) as thread:
        coming: Future[list[bytes]] | None = None
        for at, draft in enumerate(drafts):
            encoded = (coming or thread.submit(_encode, draft)).result()
            coming = thread.submit(_encode, drafts[at + 1]) if at + 1 < len(drafts) else None
            yield draft, encoded


def _encode(draft: BatchDraft) -> list[bytes]:
    return [encode_application(application) for application in draft.applications()]


def _same_run(path: Path, wanted: Run, floor_date: str) -> tuple[Run, bool]:
    """Give the run of the folder and whether it was begun before.  Raises: UpstreamError."""
    if not path.exists():
        run = msgspec.structs.replace(wanted, today=floor_date)
        _write(path, msgspec.json.encode(run))
        return run, False
    try:
        kept = msgspec.json.decode(path.read_bytes(), type=Run)
    except msgspec.MsgspecError:
        raise UpstreamError(f"{path} is not a run that was kept here: choose another folder") from None
    if msgspec.structs.replace(kept, today="") != wanted:
        raise UpstreamError(f"{path} keeps a run with other numbers: repeat those, or choose another folder")
    return kept, True


def _write(path: Path, content: bytes) -> None:
    """Put a file in place whole, or not at all."""
    unfinished = path.with_name(f".{path.name}.new")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


def _print_line(progress: dict[str, Any]) -> None:
    """Print one line of JSON at once."""
    sys.stdout.write(msgspec.json.encode(progress).decode() + "\n")
    sys.stdout.flush()
