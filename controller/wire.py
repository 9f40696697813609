"""The messages between the centre and its upstreams and operators; `docs/protocol.md` describes them byte by byte.

Every message is one frame: a msgpack map with a text key `type`.  A request carries a number of the peer's choice
in `request`; the answer repeats it.  Unknown keys are ignored, a missing optional key takes the default shown here.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from controller.intake.revision import REVISIONS_MAX
from devices.messages import NO_CONTROLS

VERSION = 1
MAX_APPLICATIONS_PER_CHUNK = 200
MAX_CHUNK_BYTES = 3_670_016  # 3.5 MiB
MAX_APPLICATIONS_PER_BATCH = 10_000
MAX_RECEIPTS_PER_PAGE = 1_000
MAX_LISTED, MAX_NAMED = 10_000, 64  # of an operator's command: members of a list, and of a map

ShortText = Annotated[str, msgspec.Meta(max_length=200, pattern=NO_CONTROLS)]
Ordinal = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
READING = frozenset(  # verbs that only look: they may be asked again, and need no certificate
    {
        *("status", "stations", "stock", "review", "stopped", "suspects", "acts", "report", "why"),
        *("piles", "consignments", "manifest", "campaign", "posts", "holds", "remakes"),
        *("batches", "batch", "card_holds", "alarms"),
        *("shift", "supplies", "forecast", "whatif", "open_ends", "trace", "purge_preview", "purges", "rights"),
        *("audit", "keys", "settings"),
    }
)


class Request(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    """What a peer asks."""

    request: Ordinal = 0


class Hello(Request, frozen=True, tag="hello"):
    """Asks for the version and the limits."""

    version: int


class OpenBatch(Request, frozen=True, tag="batch"):
    """Announces a batch, or asks again for one that was announced: the answer names what is missing.

    `digest`: hex SHA-256 over the SHA-256 digests (32 bytes each) of the applications' msgpack encodings
    as they are sent, in order.
    """

    batch_number: ShortText
    due: ShortText
    count: int
    digest: ShortText
    card_kind: ShortText = "second"
    upstream: ShortText = ""


class Chunk(Request, frozen=True, tag="chunk"):
    """Applications `first` to `first + len - 1` of a batch, each decoded on its own."""

    batch_number: ShortText
    first: Ordinal
    applications: Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MAX_APPLICATIONS_PER_BATCH)]


class AskBatch(Request, frozen=True, tag="status"):
    """Asks how far a batch is."""

    batch_number: ShortText


class FetchReceipts(Request, frozen=True, tag="receipts"):
    """Asks for receipts numbered above `after`."""

    after: Ordinal
    limit: Annotated[int, msgspec.Meta(ge=1, le=MAX_RECEIPTS_PER_PAGE)] = 500


class AcknowledgeReceipts(Request, frozen=True, tag="acknowledge"):
    """Says that all receipts up to and with `upto` are safe at the upstream."""

    upto: Ordinal


class CancelApplication(Request, frozen=True, tag="cancel"):
    """Asks to cancel an accepted application that is not yet on a sheet."""

    acceptance_number: ShortText
    reason: ShortText


class CorrectApplication(Request, frozen=True, tag="correct"):
    """Sends another content for an application that was refused or is held: its next revision, counted from 1."""

    acceptance_number: ShortText
    revision: Annotated[int, msgspec.Meta(ge=1, le=REVISIONS_MAX)]
    application: msgspec.Raw


class ExpressApplication(Request, frozen=True, tag="express"):
    """Asks that an application which is not yet on a sheet goes before the others."""

    acceptance_number: ShortText
    reason: ShortText


UpstreamRequest = (
    Hello
    | OpenBatch
    | Chunk
    | AskBatch
    | FetchReceipts
    | AcknowledgeReceipts
    | CancelApplication
    | CorrectApplication
    | ExpressApplication
)


class Answer(msgspec.Struct, frozen=True, tag_field="type", kw_only=True):
    """What the centre answers."""

    request: int = 0


class Limits(msgspec.Struct, frozen=True):
    """What the centre takes at most."""

    applications_per_chunk: int = MAX_APPLICATIONS_PER_CHUNK
    chunk_bytes: int = MAX_CHUNK_BYTES
    applications_per_batch: int = MAX_APPLICATIONS_PER_BATCH
    receipts_per_page: int = MAX_RECEIPTS_PER_PAGE


class Welcome(Answer, frozen=True, tag="welcome"):
    """Answers hello.  `floor_date` is the floor's day (`YYYYMMDD`), `scale` floor seconds per real second."""

    version: int
    you: str
    limits: Limits
    floor_date: str
    floor_s: float
    scale: float
    simulated: bool


class BatchState(Answer, frozen=True, tag="batch_state"):
    """How far a batch is.

    `state`: `receiving` (chunks are missing: `missing` lists them as [first, count]), `checking`, `open`
    (verdicts are out, cards are made), `closed`, `refused` (`codes` say why).  `counts` as in law 4.
    """

    batch_number: str
    state: str
    missing: list[tuple[int, int]] = []
    codes: list[str] = []
    counts: dict[str, int] = {}


class ChunkStored(Answer, frozen=True, tag="chunk_stored"):
    """The chunk is durable: it need never be sent again."""

    batch_number: str
    first: int
    count: int


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered message back upstream.

    `kind`: refused, held, accepted, made, spoiled_remaking, dispatched, cancelled, refused_late, batch_closed.
    Final ones of accepted cases are dispatched, cancelled and refused_late (law 4).  `chain` is the head of the
    audit chain (hex) at the commit the receipt rests on.  `revision`: 0 what was sent first, then each correction.
    The last four are filled when it is given: who gave it to whom, and the Ed25519 signature (64 bytes, empty: none) of
    the key that `signer` names.  `docs/receipts.md` says over which bytes.
    """

    number: int
    kind: str
    batch_number: str
    acceptance_number: str = ""
    index: int = -1
    case: int = 0
    codes: list[str] = []
    fields: list[str] = []
    texts: list[str] = []
    counts: dict[str, int] = {}
    at_floor_s: float
    chain: str = ""
    revision: int = 0
    centre: str = ""
    upstream: str = ""
    signer: str = ""
    signature: bytes = b""


class Corrected(Answer, frozen=True, tag="corrected"):
    """The revision is durable; what was sent before is not made.  Its verdict is a receipt of `batch_number`."""

    acceptance_number: str
    revision: int
    batch_number: str


class Receipts(Answer, frozen=True, tag="receipts"):
    """A page of receipts in order; `more` when another page is there now."""

    items: list[Receipt]
    more: bool


class Acknowledged(Answer, frozen=True, tag="acknowledged"):
    """All receipts up to and with `upto` are off the centre's hands."""

    upto: int


class Done(Answer, frozen=True, tag="done"):
    """What was asked is done and durable; an operator's result stands in `result`."""

    result: Any = None


class Busy(Answer, frozen=True, tag="busy"):
    """The centre takes no more for now: try again after `retry_after_s` real seconds."""

    retry_after_s: float


class Refusal(Answer, frozen=True, tag="error"):
    """What was asked is not done: a code of the table, a sentence that says what to do."""

    code: str
    text: str
    field: str = ""
    index: int = -1


UpstreamAnswer = Welcome | BatchState | ChunkStored | Corrected | Receipts | Acknowledged | Done | Busy | Refusal


Scalar = str | int | float | bool | None
Listed = Annotated[list[Scalar], msgspec.Meta(max_length=MAX_LISTED)]
Named = Annotated[dict[str, Scalar], msgspec.Meta(max_length=MAX_NAMED)]


class Command(Request, frozen=True, tag="command"):
    """What an operator asks: a verb of `controller.commands` and its arguments.

    An argument is a scalar, or one list or map of scalars: without a bound on depth and sizes a frame of 1 MiB that
    holds a million empty lists would stop the service for 0.6 s (measured).
    """

    verb: ShortText
    args: Annotated[dict[str, Scalar | Listed | Named], msgspec.Meta(max_length=MAX_NAMED)] = {}


OperatorRequest = Hello | Command
OperatorAnswer = Welcome | Done | Busy | Refusal
