"""What a pretend line is taken for where the ledger says little: weak guesses of the trade, each with its weight."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from controller.core.line.people_record import HELD, HOLD, OVERRIDE, RECONCILE, RELEASE, REPACK, SETTLE, STOPPED
from controller.core.line.spread import Guess
from controller.core.line.stock_record import DELIVERY, SUPPLY
from devices.defects import Step

MINUTE_S, HOUR_S = 60.0, 3_600.0

# how a load's floor seconds begin, and grow with its sheets (packing: cards): machines of a provincial centre
PACES: Mapping[Step, tuple[float, float]] = MappingProxyType(
    {
        Step.PRINT: (0.0, 30.0),
        Step.LAMINATE: (1_200.0, 0.0),
        Step.PUNCH: (0.0, 9.0),
        Step.WRITE: (0.0, 48.0),
        Step.INSPECT: (0.0, 12.0),
        Step.PACK: (0.0, 3.0),
    }
)
PACE_DOUBT = 0.3  # standard deviation of the logarithm of a pace that was never seen
OWN_DOUBT = 0.1  # … of a station's own pace, against the others of its step
SEEN_LOADS = 4  # clean loads after which a station's own pace counts

RATIO = Guess(1.0, 0.15, 3.0)
DOWN_S = Guess(12 * MINUTE_S, 1.2, 2.0)
OFF_S = Guess(30 * MINUTE_S, 2.0, 1.0)
RETURN_S = Guess(3 * MINUTE_S, 2.0, 1.0)  # a station that is not heard since the service began
CLEAR_S = Guess(3 * MINUTE_S, 1.0, 1.0)
EMPTY_S = Guess(5 * MINUTE_S, 1.5, 1.0)
ENCODE_CARD_S = Guess(0.03, 2.0, 0.2)
# seconds of their hours that people take
WAITS: Mapping[str, Guess] = MappingProxyType(
    {
        SETTLE: Guess(10 * MINUTE_S, 2.0, 0.5),
        RELEASE: Guess(15 * MINUTE_S, 1.5, 0.5),
        STOPPED: Guess(15 * MINUTE_S, 2.0, 0.5),
        HELD: Guess(1 * HOUR_S, 2.0, 0.5),
        OVERRIDE: Guess(2 * HOUR_S, 2.0, 0.5),
        HOLD: Guess(4 * HOUR_S, 2.0, 0.5),
        RECONCILE: Guess(2 * HOUR_S, 1.5, 0.5),
        REPACK: Guess(15 * MINUTE_S, 2.0, 0.5),
        SUPPLY: Guess(5 * MINUTE_S, 1.5, 0.5),
        DELIVERY: Guess(4 * HOUR_S, 2.0, 0.5),  # of blanks, where none came after the first
    }
)
FINDINGS: Mapping[str, Mapping[str, float]] = MappingProxyType(
    {
        SETTLE: {"spoiled": 0.4, "missing": 0.01},
        STOPPED: {"refuse_late": 0.3, "resume": 0.2},
        HELD: {"release": 0.3, "refuse": 0.2},
        OVERRIDE: {"release": 0.3, "refuse": 0.2},
    }
)

TOGETHER = (1.5, 0.5)  # decisions of a batch's cards that come at once, and in another visit

# (events, exposure): as if so many had been seen in so much
STOPS = (1.0, 4 * HOUR_S)  # of busy time
OFFS = (0.05, 40 * HOUR_S)
DEFECTS = (0.5, 25.0)  # of sheets
JAMS_SPOILED = (0.05, 100.0)  # of loads
JAMS_RETURNED = (0.05, 100.0)
UNKNOWN = (0.01, 1_000.0)
SUSPECTS = (0.01, 100.0)  # of sheets
STOP_FATES = (2.0, 0.3, 0.1)  # a stopped load goes on, comes back as it was, is spoiled
ALIKE = 6.0  # for how many events of its own a step's rate stands in for a station's
DELIVERY_SHEETS = 1_000  # of eight, where none was ever seen
FILL_LOADS = (2, 4)  # a magazine is filled when it holds so many loads, with so many
HOURS_ALIKE = 4.0  # for how many batches the mean of all hours stands in for an hour's
EARLY_BATCHES = 0.3  # as if so many had come before the first
