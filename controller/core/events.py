"""What reaches the foreman (events, stamped once at the door) and what it asks for (actions).

Events carry ids, counts, times and verdicts, never frames or bodies; each is recorded with its stamp, so that any run
can be replayed.  An action is released only after the commit of the moves it rests on.
"""

from __future__ import annotations

import msgspec

from controller.core.andon_events import AnyAndonEvent
from controller.core.event import Event
from controller.core.hold_events import AnyHoldEvent
from controller.core.key_events import AnyKeyEvent
from controller.core.moves import RowVerdict
from controller.core.rights_events import AnyRightsEvent


class ServiceBegan(Event, frozen=True, array_like=True, tag="began"):
    """The service started on this ledger: what was open must be asked for; its fields are for `controller.replay`."""

    settings: str = ""  # `CoreConfig` as JSON; empty in the record of older programs
    program: str = ""  # digest of the source that decides


class TimerFired(Event, frozen=True, array_like=True, tag="timer"):
    """A time the foreman asked for has come; its stamp is the time asked for, not the moment it was noticed."""


class BatchChecked(Event, frozen=True, array_like=True, tag="checked"):
    """A batch is whole and durable and every application has its verdict; with `codes` it is refused as a whole."""

    batch_id: int
    batch_number: str
    upstream: str
    card_kind: str
    received_floor_s: float
    due_floor_s: float
    rows: list[RowVerdict]
    codes: list[str] = []
    contests: list[tuple[int, int]] = []  # earlier card, and the row's here with its number, where neither may be made


class CardsEncoded(Event, frozen=True, array_like=True, tag="encoded"):
    """An encode job is durable in the vault; `failed` names cards and codes."""

    job_id: int
    failed: list[tuple[int, str]] = []


class StationSeen(Event, frozen=True, array_like=True, tag="seen"):
    """A station said hello."""

    station: str
    step: str
    model: str
    load_max: int
    state: str
    reason: str


class StationReported(Event, frozen=True, array_like=True, tag="reported"):
    """A station's state, or its silence (`silent`), changed."""

    station: str
    state: str
    reason: str
    since_floor_s: float


class StationSpokeNonsense(Event, frozen=True, array_like=True, tag="nonsense"):
    """A station said something that cannot be."""

    station: str
    code: str
    job_id: int


class SheetOutcome(msgspec.Struct, frozen=True, array_like=True):
    """One sheet of a load, as the station saw it, read-back already compared: codes and chip numbers by position."""

    sheet_id: int
    fate: str
    code: str
    body: int = 0
    codes: list[str] = []
    blanks: list[int] = []


class StepDone(Event, frozen=True, array_like=True, tag="done"):
    """A station's result for a load of sheets."""

    station: str
    job_id: int
    started_floor_s: float
    ended_floor_s: float
    sheets: list[SheetOutcome]


class BundlePacked(Event, frozen=True, array_like=True, tag="packed"):
    """A packer's result: the blanks it scanned."""

    station: str
    job_id: int
    started_floor_s: float
    ended_floor_s: float
    blanks: list[int]


class JobNeverSeen(Event, frozen=True, array_like=True, tag="never_seen"):
    """The station never got this job."""

    station: str
    job_id: int


class JobForgotten(Event, frozen=True, array_like=True, tag="forgotten"):
    """The station cannot say what became of this job."""

    station: str
    job_id: int


class DecisionMade(Event, frozen=True, array_like=True, tag="decision"):
    """One person decided about one card; `decision` is one of `core.cards.Decision`."""

    card: int
    decision: str
    by: str
    reason: str


class ApplicationLooked(Event, frozen=True, array_like=True, tag="looked"):
    """A person asks to be shown fields of an application, and says why; the desk has seen that there is such a card."""

    card: int
    fields: list[str]
    by: str
    reason: str


class ExpressAsked(Event, frozen=True, array_like=True, tag="express"):
    """An upstream wants an application of its own to go before the others."""

    card: int
    by: str
    reason: str


class ActAsked(Event, frozen=True, array_like=True, tag="act"):
    """A person asks for an act that takes two people."""

    verb: str
    args: dict[str, int | str]
    by: str


class ActSeconded(Event, frozen=True, array_like=True, tag="seconded"):
    """A second person agrees to an act."""

    act_id: int
    by: str


class ActWithdrawn(Event, frozen=True, array_like=True, tag="withdrawn"):
    """A person takes an open proposal back, its own or another's."""

    act_id: int
    by: str


class DispatchAsked(Event, frozen=True, array_like=True, tag="dispatch"):
    """A person sends off what is bundled of a batch; `scanned` names the bundles read at the door, empty: none were."""

    batch_id: int
    by: str
    scanned: list[int] = []


class ArrivalReported(Event, frozen=True, array_like=True, tag="arrived"):
    """A person says how many cards of a consignment a police station counted; `sent` were for it by the ledger."""

    consignment_id: int
    unit: str
    sent: int
    cards: int
    by: str


class HoldAsked(Event, frozen=True, array_like=True, tag="hold"):
    """A person wants a station to get no more work; `code` is a short word that says why."""

    station: str
    code: str
    by: str


class ReleaseAsked(Event, frozen=True, array_like=True, tag="release"):
    """A person looked after a held station: it may work again."""

    station: str
    by: str


class SignedOn(Event, frozen=True, array_like=True, tag="signed_on"):
    """A person works at a station from now on (`operator` empty: nobody does); the certificate was looked at."""

    station: str
    operator: str
    until_floor_s: float


class CountTaken(Event, frozen=True, array_like=True, tag="count"):
    """A person counted a place of stock, without being told what should be there."""

    place: str
    counted: int
    by: str


class SupplyEntered(Event, frozen=True, array_like=True, tag="supply"):
    """A person loaded a station with a lot of film, ribbon or laminate, good for so many sheets."""

    station: str
    kind: str
    lot: str
    units: int
    by: str


class CardCameBack(Event, frozen=True, array_like=True, tag="came_back"):
    """A dispatched card came back bad: `opened` is the batch of one row that its next case is made in."""

    card: int
    blank: int
    code: str
    by: str
    opened: BatchChecked


class TablesDigested(Event, frozen=True, array_like=True, tag="digested"):
    """A floor day is over, and this is what the tables outside the chain hold: see `record_moves.TablesFolded`."""

    day: str
    event_seq: int
    event_hash: bytes
    batches: list[tuple[int, bytes]]
    cursors: list[tuple[str, int]]
    meta: list[tuple[str, str]] = []
    waiting: list[tuple[int, list[tuple[int, int]], bytes]] = []


class BatchesErased(Event, frozen=True, array_like=True, tag="erased"):
    """The keys and the ciphertext of these batches are gone for good: see `record_moves.BatchesPurged`."""

    purge_id: int
    batches: list[tuple[int, bytes]]
    is_last: bool
    unfinished: int = 0
    altered: list[int] = []


class VaultKeysTouched(Event, frozen=True, array_like=True, tag="keys_touched"):
    """The vault's keys were `rotated`, `exported`, `backed_up` or `restored`; or `receipts_rotated`: theirs."""

    what: str
    by: str


class AccountTouched(Event, frozen=True, array_like=True, tag="account_touched"):
    """Something happened to an account of the console, so many times: see `record_moves.AccountChanged`."""

    what: str
    account: str
    by: str
    times: int = 1


class RestoreAccepted(Event, frozen=True, array_like=True, tag="restore_accepted"):
    """The service starts on a ledger out of a backup that ended at move `at_seq`: see `core.restored`.

    `step`: how far numbers jump; `upstreams`: whose receipts do.
    """

    at_seq: int
    step: int
    upstreams: list[str]


AnyEvent = (
    ServiceBegan
    | TimerFired
    | BatchChecked
    | CardsEncoded
    | StationSeen
    | StationReported
    | StationSpokeNonsense
    | StepDone
    | BundlePacked
    | JobNeverSeen
    | JobForgotten
    | DecisionMade
    | ApplicationLooked
    | ExpressAsked
    | ActAsked
    | ActSeconded
    | ActWithdrawn
    | DispatchAsked
    | ArrivalReported
    | HoldAsked
    | ReleaseAsked
    | SignedOn
    | CountTaken
    | SupplyEntered
    | CardCameBack
    | TablesDigested
    | BatchesErased
    | VaultKeysTouched
    | AccountTouched
    | RestoreAccepted
    | AnyRightsEvent
    | AnyHoldEvent
    | AnyKeyEvent
    | AnyAndonEvent
)


# ---- actions --------------------------------------------------------------------------------------------------


class Action(msgspec.Struct, frozen=True):
    """Something the shell is to do once the moves it rests on are durable."""


class Encode(Action, frozen=True):
    """Encode these cards and put the result in the vault."""

    job_id: int
    cards: list[int]


class StartJob(Action, frozen=True):
    """Give a station its load: for each sheet its number and the card to work on at each position, 0 for none."""

    job_id: int
    station: str
    step: str
    sheets: list[tuple[int, list[int]]]
    bundle_id: int = 0
    unit: str = ""
    blanks: list[int] = []
    singles: list[int] = []  # those of its sheets that are for a single body


class AskJob(Action, frozen=True):
    """Ask a station what became of a job it was given before."""

    job_id: int
    station: str


class ReleaseJob(Action, frozen=True):
    """Tell a station that it may forget a job."""

    job_id: int
    station: str


class FillMagazine(Action, frozen=True):
    """Tell a laminate station which body sheets lie in its magazine by this issue, or were taken `out` of it."""

    station: str
    issue_id: int
    first_body: int
    sheets: int
    out: bool = False
    places: int = 8  # of each of them: 8 or 1


class Purge(Action, frozen=True):
    """Destroy the keys and the ciphertext of all batches that were closed, or never brought whole, before a time.

    `begun`: an earlier run of the service was at it.
    """

    purge_id: int
    closed_before_floor_s: float
    begun: bool = False


class KeepKeys(Action, frozen=True):
    """Make the folder of keys hold for a peer what the state has."""

    role: str
    name: str


AnyAction = Encode | StartJob | AskJob | ReleaseJob | FillMagazine | Purge | KeepKeys
