"""The moves: every recorded change of one thing on the floor; state is a fold of them, and nothing else counts.

A move is small, names things by number and carries no personal field (law 8).  Decisions and moves are per sheet and
step; exceptions are per position.  A set of positions is a *mask*: bit p stands for position p, 0 to 7.
The tag of a move is part of the ledger's digest: a tag is never given a second meaning.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

import msgspec

from controller.core.andon_moves import AnyAndonMove
from controller.core.hold_moves import AnyHoldMove
from controller.core.key_moves import AnyKeyMove
from controller.core.move import Move
from controller.core.quality_moves import AnyQualityMove
from controller.core.record_moves import AnyRecordMove
from controller.core.review_moves import AnyReviewMove
from controller.core.rights_moves import AnyRightsMove
from controller.core.stock_moves import AnyStockMove


class Verdict(IntEnum):
    """What the checks say of one application."""

    OK = 0
    NOTE = 1  # made, and upstream is told
    HOLD = 2  # a person decides
    REFUSE = 3


class Mark(StrEnum):
    """Why positions of a sheet changed: the card's state and the blank's account follow from it (`core.cards`)."""

    FILM_SPOILED = "film_spoiled"  # before lamination: costs no blank
    UNUSED = "unused"  # an empty or known-bad position's blank
    SPOILED = "spoiled"
    PASSED = "passed"
    QUARANTINED = "quarantined"
    SUSPECTED = "suspected"  # fate unknown
    FOUND_GOOD = "found_good"
    FOUND_SPOILED = "found_spoiled"
    FOUND_MISSING = "found_missing"


class RowVerdict(msgspec.Struct, frozen=True, array_like=True):
    """One application's verdict: its place in the batch, its number, where it goes, the codes found."""

    index: int
    acceptance_number: str
    unit: str
    verdict: Verdict
    codes: list[str] = []
    fields: list[str] = []
    express: bool = False
    case_no: int = 0  # 0 the first making; 1 … a card that came back bad
    fee_class: str = ""  # as the application says it
    in_scope: bool = False  # the campaign counts this person (aged 16 or over)


class ServiceStarted(Move, frozen=True, array_like=True, tag="run"):
    """The service began its `run`-th run on this ledger."""

    run: int


# ---- batches and cards ----------------------------------------------------------------------------------------


class BatchOpened(Move, frozen=True, array_like=True, tag="batch"):
    """A whole batch got its verdicts: accepted and held applications are cards from here on."""

    batch_id: int
    batch_number: str
    upstream: str
    card_kind: str
    received_floor_s: float
    due_floor_s: float
    rows: list[RowVerdict]
    express_due_floor_s: float = 0.0  # of its express cards, when that is earlier; 0: the batch's holds for all


class BatchRefused(Move, frozen=True, array_like=True, tag="batch_refused"):
    """A batch was refused as a whole."""

    batch_id: int
    batch_number: str
    upstream: str
    codes: list[str]


class BatchClosed(Move, frozen=True, array_like=True, tag="batch_closed"):
    """Nothing of the batch is open any more; `counts` as in law 4."""

    batch_id: int
    received: int
    refused: int
    cancelled: int
    refused_late: int
    dispatched: int


class CardDecided(Move, frozen=True, array_like=True, tag="decided"):
    """A person decided, or two did: `decision` is one of `core.cards.Decision`."""

    card: int
    decision: str
    by: str
    reason: str
    second: str = ""  # where it took two people


class CardStopped(Move, frozen=True, array_like=True, tag="stopped"):
    """A card waits for a person: too many attempts, or it could not be encoded."""

    card: int
    code: str


class EncodeStarted(Move, frozen=True, array_like=True, tag="encode"):
    """Cards were handed to the encoders."""

    job_id: int
    cards: list[int]


class EncodeEnded(Move, frozen=True, array_like=True, tag="encoded"):
    """Records, portraits and faces of a job's cards are durable, but for those that failed with a code."""

    job_id: int
    failed: list[tuple[int, str]] = []


# ---- sheets and jobs ------------------------------------------------------------------------------------------


class SheetImposed(Move, frozen=True, array_like=True, tag="sheet"):
    """Eight places of a new sheet were filled; 0 is an empty place."""

    sheet_id: int
    cards: list[int]
    because: str = ""  # the rule that closed it: see `core.plan`
    places: int = 8  # 1: it is for a single body, and position 0 alone is used


class SheetEnd(msgspec.Struct, frozen=True, array_like=True):
    """What became of one sheet in a job: its fate, the station's code, the positions worked on."""

    sheet_id: int
    fate: str
    code: str
    worked: int


class JobStarted(Move, frozen=True, array_like=True, tag="job"):
    """A load was given to a station: the intent, durable before the station hears of it."""

    job_id: int
    station: str
    step: str
    sheets: list[int]
    bundle_id: int = 0
    cards: list[int] = []  # pack only
    because: str = ""  # the rule that chose this load now: see `core.plan`
    beaten: list[str] = []  # up to three others it was chosen before


class JobEnded(Move, frozen=True, array_like=True, tag="job_ended"):
    """The station's last word on a job; `answer` is done or unknown."""

    job_id: int
    station: str
    step: str
    answer: str
    started_floor_s: float
    ended_floor_s: float
    sheets: list[SheetEnd] = []
    cards: int = 0  # pack only


class SheetBound(Move, frozen=True, array_like=True, tag="bound"):
    """The laminate station drew a body sheet for a film: its eight blanks belong to these positions now."""

    sheet_id: int
    body: int
    station: str


class PositionsMarked(Move, frozen=True, array_like=True, tag="mark"):
    """Positions of one sheet changed for one cause.

    `caused_at` and `found_at` are steps; `by` and `second` name the people of a settled suspect.
    """

    sheet_id: int
    mask: int
    mark: Mark
    code: str
    station: str
    caused_at: str
    found_at: str
    by: str = ""
    second: str = ""


# ---- packing --------------------------------------------------------------------------------------------------


class BundleMade(Move, frozen=True, array_like=True, tag="bundle"):
    """Cards of one police station were scanned into a bundle: they are made."""

    bundle_id: int
    batch_id: int
    unit: str
    cards: list[int]
    station: str


class BundleStopped(Move, frozen=True, array_like=True, tag="bundle_stopped"):
    """A bundle came to nothing: its cards go back to their pile, which waits for a person when the scan was wrong."""

    bundle_id: int
    cards: list[int]
    code: str
    missing: int
    foreign: int
    station: str = ""
    missing_cards: list[int] = []  # expected, not scanned
    foreign_blanks: list[int] = []  # serials scanned that were not expected, or expected once and scanned twice
    waits: bool = False


class PileRepacked(Move, frozen=True, array_like=True, tag="repack"):
    """Two people looked at a stopped pile: it is packed anew."""

    batch_id: int
    unit: str
    by: str
    second: str


class CardMissing(Move, frozen=True, array_like=True, tag="missing"):
    """Two people could not find a good card: its blank is missing, and the card is made again."""

    card: int
    blank: int
    code: str
    by: str
    second: str


class ConsignmentSent(Move, frozen=True, array_like=True, tag="sent"):
    """Bundles left together.

    `box_max` is how many of them a box held.  Which bundle lay in which box follows from it
    (`controller.packing.manifest`); it is recorded, not looked up, so that a setting that changes later does not
    change what a manifest said.
    """

    consignment_id: int
    batch_id: int
    bundles: list[int]
    by: str
    scanned: bool = False  # at the door, bundle by bundle, and nothing lacked, came twice or was foreign
    box_max: int = 10


class ArrivalCounted(Move, frozen=True, array_like=True, tag="arrived"):
    """A police station counted `cards` in a consignment that held `sent` for it; its last count holds."""

    arrival_id: int
    consignment_id: int
    unit: str
    sent: int
    cards: int
    by: str


# ---- stations and acts ----------------------------------------------------------------------------------------


class StationJoined(Move, frozen=True, array_like=True, tag="joined"):
    """A station said hello: what it does and how much it takes at once."""

    station: str
    step: str
    model: str
    load_max: int


class StationChanged(Move, frozen=True, array_like=True, tag="station"):
    """A station's PackML state changed; `silent` is the controller's own word for a lost link."""

    station: str
    state: str
    reason: str
    since_floor_s: float


class StationLied(Move, frozen=True, array_like=True, tag="lied"):
    """A station said what cannot be; nothing followed from it."""

    station: str
    code: str
    job_id: int


class ActProposed(Move, frozen=True, array_like=True, tag="act"):
    """The first of two people asked for an act that takes two; `args` holds numbers and short words only."""

    act_id: int
    verb: str
    args: dict[str, int | str]
    by: str
    until_floor_s: float


class ActEnded(Move, frozen=True, array_like=True, tag="act_ended"):
    """A two-person act was done, or its time passed (`by` empty)."""

    act_id: int
    by: str
    done: bool


AnyMove = (
    ServiceStarted
    | BatchOpened
    | BatchRefused
    | BatchClosed
    | CardDecided
    | CardStopped
    | EncodeStarted
    | EncodeEnded
    | SheetImposed
    | JobStarted
    | JobEnded
    | SheetBound
    | PositionsMarked
    | BundleMade
    | BundleStopped
    | PileRepacked
    | CardMissing
    | ConsignmentSent
    | ArrivalCounted
    | StationJoined
    | StationChanged
    | StationLied
    | ActProposed
    | ActEnded
    | AnyStockMove
    | AnyQualityMove
    | AnyRecordMove
    | AnyReviewMove
    | AnyHoldMove
    | AnyRightsMove
    | AnyKeyMove
    | AnyAndonMove
)


def mask_of(cards: list[int]) -> int:
    """Give the mask of the positions that are not empty."""
    if all(cards):
        return (1 << len(cards)) - 1
    return sum([1 << position for position, card in enumerate(cards) if card])


def positions_in(mask: int) -> list[int]:
    """Give the positions (0 to 7) of a mask, in order."""
    return list(_POSITIONS[mask & 255])


_POSITIONS = [tuple(position for position in range(8) if mask >> position & 1) for mask in range(256)]
