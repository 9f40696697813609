"""Encoding: from an application in the vault to the record, portrait and face that the floor makes its card from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import thread_time
from typing import Protocol

import msgspec
import structlog
import trio

from controller.application import Application, batch_of, control_mark, index_of
from controller.checks.rows import normalised
from controller.core.events import CardsEncoded, Encode
from controller.vault.errors import KeyMissing, VaultError
from encoders import portrait
from encoders.background import flattened
from encoders.envelope import EnvelopeError, Opener, pack
from encoders.face import FaceError, FaceJob, lay_out
from encoders.fonts.coverage import FontCoverage
from encoders.portrait import PortraitError
from encoders.text_layout import TextFields, TextRecordError
from encoders.text_record import encode_records

log = structlog.get_logger()
ENCODER_FAILED = "encode.failed"  # an encoder raised what it never says: the card waits for a person

_application: Opener[Application] = Opener(Application)

Made = list[tuple[int, "MadeCard"]]
Failed = list[tuple[int, str]]


class MadeCard(msgspec.Struct, frozen=True, array_like=True):
    """What the floor makes one card from: the chip's 256 bytes, the portrait's at most 1,024, the face's job."""

    record: bytes
    portrait: bytes
    face: FaceJob  # without its portrait picture, which the application holds

    def __repr__(self) -> str:
        """Say that something is here, and nothing of it (law 8)."""
        return "<MadeCard>"


_made: Opener[MadeCard] = Opener(MadeCard)


class CardReader(Protocol):
    """Who gives sealed rows as they were stored."""

    def applications(self, batch_id: int, indexes: list[int]) -> list[bytes]:
        """Give applications as they were sent."""

    def cards(self, cards: list[int]) -> list[bytes]:
        """Give packed `MadeCard`s."""


class CardVault(CardReader, Protocol):
    """What encoding and printing need of the vault; the reading calls are for worker threads."""

    def at_hand(self, cards: list[int], *, with_applications: bool = False) -> CardReader | None:
        """Give a reader of these rows that never looks at the disk, for any task; None unless all are at hand."""

    async def store_cards(self, cards: list[tuple[int, bytes]]) -> None:
        """Keep packed `MadeCard`s; durable on return."""


def open_application(sealed: bytes) -> Application:
    """Give the application that was stored, as it is made.  Raises: EnvelopeError."""
    return normalised(_application.unpack(sealed))


def made_cards(vault: CardReader, cards: list[int]) -> list[MadeCard]:
    """Give what was encoded for these cards, in their order.  Raises: VaultError."""
    return [_made.unpack(packed) for packed in vault.cards(cards)]


def readable_cards(vault: CardReader, cards: list[int]) -> dict[int, MadeCard]:
    """Give what was encoded for those of these cards whose rows still open: the others must not end the service."""
    try:
        return dict(zip(cards, made_cards(vault, cards), strict=True))
    except (VaultError, EnvelopeError) as error:
        if len(cards) == 1:
            log.error("what was encoded of a card cannot be read", card=cards[0], code=error.code)
            return {}
    return {card: made for one in cards for card, made in readable_cards(vault, [one]).items()}


def readable_applications(vault: CardReader, cards: list[int]) -> dict[int, Application]:
    """Give the applications of those of these cards that still open: the others must not end the service."""
    found: dict[int, Application] = {}
    for batch_id in dict.fromkeys(map(batch_of, cards)):
        found |= _applications_of(vault, batch_id, [card for card in cards if batch_of(card) == batch_id])
    return found


def _applications_of(vault: CardReader, batch_id: int, cards: list[int]) -> dict[int, Application]:
    try:
        sealed = vault.applications(batch_id, [index_of(card) for card in cards])
        return dict(zip(cards, map(open_application, sealed), strict=True))
    except (VaultError, EnvelopeError) as error:
        if len(cards) == 1:
            log.error("the application of a card cannot be read", card=cards[0], code=error.code)
            return {}
    return {card: app for one in cards for card, app in _applications_of(vault, batch_id, [one]).items()}


def text_fields(app: Application) -> TextFields:
    """Give the fields that chip and face show."""
    return TextFields(
        name=app.name,
        sex=app.sex,
        ethnic=app.ethnic,
        birth=app.birth,
        address=app.address,
        identity_number=app.identity_number,
        authority=app.authority,
        valid_from=app.valid_from,
        valid_until=app.valid_until,
    )


def encode_cards(
    cards: list[int],
    apps: list[Application],
    glyphs: FontCoverage,
    *,
    flatten: bool = False,
    spend: Callable[[float], object] = lambda cpu_s: None,
) -> tuple[Made, Failed]:
    """Give what can be made, and the cards that cannot with their codes.  For a worker thread: kernels free the GIL.

    `flatten`: the background of the chip's portrait is flattened (`encoders.background`).  `spend` is told the
    processor seconds of each portrait.
    """
    faces: dict[int, FaceJob] = {}
    pictures: dict[int, bytes] = {}
    failed: Failed = []
    for card, app in zip(cards, apps, strict=True):
        try:
            faces[card] = lay_out(text_fields(app), glyphs, control_mark=control_mark(card))
            began_s = thread_time()
            pixels = portrait.prepare(app.portrait)
            pictures[card] = portrait.encode(flattened(pixels) if flatten else pixels)
            spend(thread_time() - began_s)
        except (FaceError, PortraitError) as error:
            failed.append((card, error.code))
    people = {card: text_fields(app) for card, app in zip(cards, apps, strict=True) if card in pictures}
    records = _records(people, failed)
    return [(card, MadeCard(record, pictures[card], faces[card])) for card, record in records.items()], failed


def _records(people: dict[int, TextFields], failed: Failed) -> dict[int, bytes]:
    """Give the chip records, all in one call; who does not fit joins `failed`, and the rest is encoded again."""
    while people:
        try:
            records = encode_records(list(people.values()))
        except TextRecordError as error:
            card = list(people)[error.index]
            failed.append((card, error.code))
            del people[card]
        else:
            return {card: record.tobytes() for card, record in zip(people, records, strict=True)}
    return {}


class Encoders:
    """The worker threads: `encode` takes one job of the foreman and tells it when the result is durable."""

    def __init__(
        self,
        vault: CardVault,
        glyphs: FontCoverage,
        limiter: trio.CapacityLimiter,
        tell: Callable[[CardsEncoded], object],
        observe: Callable[[float, Sequence[int]], None],
        *,
        flatten: bool = False,
        spend: Callable[[float], None] = lambda cpu_s: None,
    ) -> None:
        """`observe` hears real seconds and cards of each job.

        `spend` hears the processor seconds of each portrait when it is made, in its worker thread: told at the end of
        a job, some hundred cards under way would blur what is read in between.
        """
        self._vault, self._glyphs, self._tell, self._observe = vault, glyphs, tell, observe
        self._limiter, self._flatten, self._spend = limiter, flatten, spend

    async def encode(self, job: Encode) -> None:
        """Do one job.  Cancelled, nothing is told: the job is given again after the next start."""
        started_s = trio.current_time()
        made, failed = await trio.to_thread.run_sync(self._work, job.cards, limiter=self._limiter)
        try:
            await self._vault.store_cards(made)
        except KeyMissing as error:  # purged meanwhile: its cards ended long ago
            failed = failed + [(card, error.code) for card, _ in made]
        self._observe(trio.current_time() - started_s, job.cards)
        if failed:
            log.warning("cards cannot be encoded", job_id=job.job_id, codes=sorted({code for _, code in failed}))
        self._tell(CardsEncoded(job.job_id, failed))

    def _work(self, cards: list[int]) -> tuple[list[tuple[int, bytes]], Failed]:
        """Give what was made, packed, and what cannot be made: one bad card never costs its neighbours their cards."""
        apps: dict[int, Application] = {}
        failed: Failed = []
        for batch_id in dict.fromkeys(map(batch_of, cards)):
            mine = [card for card in cards if batch_of(card) == batch_id]
            apps |= self._open(batch_id, mine, failed)
        try:
            listed = list(apps), list(apps.values())
            made, unmade = encode_cards(*listed, self._glyphs, flatten=self._flatten, spend=self._spend)
        except Exception:  # noqa: BLE001  a task begins here: the fault of one card must not end the service
            made, unmade = self._one_by_one(apps)
        return [(card, pack(one)) for card, one in made], failed + unmade

    def _open(self, batch_id: int, cards: list[int], failed: Failed) -> dict[int, Application]:
        """Give the applications of one batch's cards; those that do not open join `failed`."""
        try:
            found = self._vault.applications(batch_id, [index_of(card) for card in cards])
            return {card: open_application(sealed) for card, sealed in zip(cards, found, strict=True)}
        except (VaultError, EnvelopeError) as error:
            if len(cards) == 1:
                failed.append((cards[0], error.code))
                return {}
        opened: dict[int, Application] = {}
        for card in cards:
            opened |= self._open(batch_id, [card], failed)
        return opened

    def _one_by_one(self, apps: dict[int, Application]) -> tuple[Made, Failed]:
        """Encode each card alone, to find the one at which an encoder breaks."""
        made: Made = []
        failed: Failed = []
        for card, app in apps.items():
            try:
                one, unmade = encode_cards([card], [app], self._glyphs, flatten=self._flatten)
            except Exception as error:  # noqa: BLE001  as above; the error's text may repeat a value
                log.error("an encoder failed", card=card, error=type(error).__name__)
                one, unmade = [], [(card, ENCODER_FAILED)]
            made += one
            failed += unmade
        return made, failed
