"""The examination of arrived applications: each is typed, checked and digested on its own, in a worker thread."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import msgpack
import msgspec
import simplejpeg

from controller.application import ACCEPTANCE_DIGITS, Application
from controller.checks.codes import Severity
from controller.checks.context import CheckContext
from controller.checks.days import age_years, is_day
from controller.checks.digests import person_digests
from controller.checks.finding import FINDINGS, Finding, verdict
from controller.checks.pixel_twin import Grey
from controller.checks.pixels import check_pixels
from controller.checks.portrait import HEIGHT_PX, WIDTH_PX
from controller.checks.reason import FEE_CLASSES
from controller.checks.record import type_findings
from controller.checks.rows import check_application
from controller.checks.validity import birth_of
from encoders.envelope import EnvelopeError, Opener

UNIT_DIGITS, REASON_DIGITS = 9, 2
EXPRESS = "2"  # production type (GA 214): 1 normal, 2 express

_application: Opener[Application] = Opener(Application)


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found of one application; nothing of it is personal but the keyed digests (law 8)."""

    acceptance_number: str  # this, unit and reason are empty when they are not numbers of the right length
    row_digest: bytes  # SHA-256 of the application as sent
    identity: bytes
    person: bytes
    unit: str
    express: bool
    reason: str
    fee_class: str  # one of the table, else empty
    in_scope: bool  # the campaign counts this person
    findings: tuple[Finding, ...]

    @property
    def severity(self) -> Severity:
        """Give the verdict of its own findings, duplicates left out."""
        return verdict(self.findings)


def examine(encoded: Sequence[bytes], context: CheckContext, site_key: bytes) -> list[Examined]:
    """Examine applications as they were sent.  For a worker thread; about 0.4 ms each, most of it the picture."""
    return [_examine(one, context, site_key) for one in encoded]


def _examine(encoded: bytes, context: CheckContext, site_key: bytes) -> Examined:
    findings: list[Finding] = []
    try:
        app = _application.unpack(encoded)
    except EnvelopeError:
        app, findings = _readable_part(encoded)
    if not findings:
        findings = check_application(app, context)
        if not any(one.group == "portrait" and one.severity is Severity.REFUSE for one in findings):
            findings += pixel_findings(app.portrait)
    identity, person = person_digests(app, site_key)
    return Examined(
        _number(app.acceptance_number, ACCEPTANCE_DIGITS),
        sha256(encoded).digest(),
        identity,
        person,
        _number(app.unit, UNIT_DIGITS),
        app.production_type == EXPRESS,
        _number(app.reason, REASON_DIGITS),
        app.fee_class if app.fee_class in FEE_CLASSES else "",
        in_scope(app, context),
        tuple(findings),
    )


def pixel_findings(picture: bytes) -> list[Finding]:
    """Give what the pixels of a portrait show, whose header was not refused.  Cost: 0.3 ms, most without the GIL."""
    return check_pixels(_grey(picture))


def in_scope(app: Application, context: CheckContext) -> bool:
    """Say whether the campaign counts somebody: of the age it begins with, on the day of application.

    That day stands in the acceptance number; the day of receipt stands in for one that cannot be read.
    """
    birth, applied = birth_of(app), app.acceptance_number[9:17]
    day = applied if is_day(applied) else context.today
    return bool(birth) and age_years(birth, day) >= context.policy.scope_age_years


def _number(text: str, digits: int) -> str:
    """Give a number of so many digits, and nothing for any other text: it might be a name in the wrong field."""
    return text if len(text) == digits and text.isascii() and text.isdigit() else ""


def _readable_part(encoded: bytes) -> tuple[Application, list[Finding]]:
    """Give what can be read of a record that cannot be typed, and what is wrong with it."""
    try:
        record = msgpack.unpackb(encoded, max_map_len=64, max_array_len=64, max_ext_len=0, strict_map_key=False)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException):  # TypeError: a list or map as a key
        return Application(), [FINDINGS["record.unreadable"]]
    findings = type_findings(record) or [FINDINGS["record.unreadable"]]
    texts = {
        name: record[name]
        for name in Application.__struct_fields__
        if isinstance(record, dict) and name != "portrait" and isinstance(record.get(name), str)
    }
    return msgspec.structs.replace(Application(), **texts), findings


class _Canvas(threading.local):
    """One picture's pixels for each thread: memory that is asked for anew for each picture costs a quarter more."""

    def __init__(self) -> None:
        self.pixels = bytearray(WIDTH_PX * HEIGHT_PX)


_canvas = _Canvas()


def _grey(picture: bytes) -> Grey | None:
    """Give the luma of a portrait whose header is in order, None when the decoder warns or fails.

    It holds until the next picture of this thread.
    """
    try:
        decoded: Grey = simplejpeg.decode_jpeg(
            picture, colorspace="GRAY", fastdct=True, strict=True, buffer=_canvas.pixels
        )
    except (ValueError, RuntimeError):
        return None
    return decoded[:, :, 0]
