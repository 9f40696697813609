"""Does the floor decide in virtual time, through its real tasks and driver, what the bare heap decides?

A week of seven days, two shifts on five of them, faults and breakdowns as usual: played on trio (live host, floor,
station driver, link protocol, a task for each station, all on a clock that jumps) and on the heap, from one seed each.
Wanted is one digest.  Both are given the same constant for a commit; links of memory take no time.
"""

from collections.abc import Sequence
from typing import Any

from bench.result import Options, machine, show, whole_number, write_json
from sims.virtual_week import WEEK_S, Sample, Told, on_heap, on_trio

SHORT_ARGS: list[str] = ["--cards-per-hour", "40", "--days", "2"]
LONG_ARGS: list[str] = ["--cards-per-hour", "420", "--seeds", "2"]

DAY_S = WEEK_S / 7
COLUMNS = ("seed", "cards packed", "moves", "trio", "heap", "wake-ups", "digest")


def main(argv: Sequence[str]) -> int:
    """Play and compare; exit code 1 when a digest differs, or a station was given what no floor can do."""
    options = Options("virtual-week", "One week in virtual time on trio and on the bare heap: wanted is one digest.")
    options.add_argument("--cards-per-hour", type=whole_number(1, 2_500), default=60, help="that come (60)")
    options.add_argument("--days", type=whole_number(1, 365), default=7, help="of the floor (7)")
    options.add_argument("--seeds", type=whole_number(1, 1_000), default=1, help="from 1 on (1)")
    chosen = options.parse_args(argv)
    weeks = []
    for seed in range(1, chosen.seeds + 1):
        sample = Sample(seed=seed, cards_per_hour=chosen.cards_per_hour, until_floor_s=chosen.days * DAY_S)
        weeks.append(week_of(seed, on_trio(sample), on_heap(sample)))
    result = {
        "bench": "virtual-week",
        "machine": machine(),
        "weeks": weeks,
        "is_equal": all(one["is_equal"] for one in weeks),
    }
    title = f"{chosen.days} days in virtual time, {chosen.cards_per_hour} cards an hour"
    show(title, COLUMNS, [row_of(one) for one in weeks], chosen.json)
    return write_json(result, chosen.json) or int(not result["is_equal"])


def week_of(seed: int, trio: Told, heap: Told) -> dict[str, Any]:
    """Give the figures of one seed."""
    return {
        "seed": seed,
        "cards_packed": trio.packed,
        "moves": trio.head.seq,
        "digest": trio.head.hash.hex(),
        "is_equal": trio.head == heap.head and not trio.violations,
        "trio_wall_s": round(trio.took_s, 2),
        "heap_wall_s": round(heap.took_s, 2),
        "wake_ups": trio.jumps,
        "counts": dict(sorted(trio.counts.items())),
        "violations": sum(trio.violations.values()),
    }


def row_of(week: dict[str, Any]) -> tuple[str, ...]:
    """Give the row of one seed."""
    return (
        str(week["seed"]),
        f"{week['cards_packed']:,}",
        f"{week['moves']:,}",
        f"{week['trio_wall_s']:.1f} s",
        f"{week['heap_wall_s']:.1f} s",
        f"{week['wake_ups']:,}",
        week["digest"][:16] if week["is_equal"] else "DIFFERS",
    )
