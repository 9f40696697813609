"""How long does a chip text record take: the compiled kernel, its plain-Python twin, and `str.encode`?"""

import sys
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import numpy as np

from bench.result import Options, machine, median_and_spread, seconds_in_turn, show, whole_number, write_json
from encoders.text_kernel import pack_records
from encoders.text_layout import RECORD_UNITS, TextFields
from encoders.text_record import KERNEL_PLACES, code_points, encode_records, warm_up
from encoders.text_twin import encode_records_str, encode_records_twin

Encode = Callable[[Sequence[TextFields]], Any]

WAYS: dict[str, Encode] = {"kernel": encode_records, "twin": encode_records_twin, "str_encode": encode_records_str}
CHUNKS = (1, 25, 200, 1000)  # records a call; 200 is the longest chunk on the wire
ALONE_CHUNK = 200
SHORT_ARGS: list[str] = ["--n", "200", "--rounds", "5"]
LONG_ARGS: list[str] = ["--n", "10000", "--rounds", "31"]


def main(argv: Sequence[str]) -> int:
    """Compare the three ways over the same people and print the table.  Returns the exit code."""
    options = Options("record", "Encode N chip text records by kernel, twin and str.encode.")
    options.add_argument("--n", type=whole_number(1, 1_000_000), default=4000, help="records a round (4000)")
    options.add_argument("--rounds", type=whole_number(5, 1000), default=9, help="rounds of each way (9)")
    chosen = options.parse_args(argv)
    warm_up()
    people = sample_people(chosen.n)
    if len({bytes(encode(people)) for encode in WAYS.values()}) != 1:
        print("The three ways give different bytes: no speed is worth measuring.", file=sys.stderr)
        return 1
    result = measure(people, chosen.rounds)
    show(f"Chip text record, {chosen.n} records, {chosen.rounds} rounds", COLUMNS, rows_of(result), chosen.json)
    return write_json(result, chosen.json)


def measure(people: Sequence[TextFields], rounds: int) -> dict[str, Any]:
    """Medians per way at its best chunk size, ratios to the kernel, and their spreads."""
    settings = {(way, chunk): _job(encode, people, chunk) for way, encode in WAYS.items() for chunk in CHUNKS}
    jobs = {f"{way}/{chunk}": job for (way, chunk), job in settings.items()}
    jobs["compiled_part"] = _compiled_part(people)
    taken = seconds_in_turn(jobs, rounds)
    us = {name: [seconds / len(people) * 1e6 for seconds in times] for name, times in taken.items()}
    best = {way: min(CHUNKS, key=lambda size: median_and_spread(us[f"{way}/{size}"])[0]) for way in WAYS}
    result: dict[str, Any] = {"bench": "record", "machine": machine(), "n": len(people), "rounds": rounds}
    spread: dict[str, Any] = {"ratio": {}}
    result["ratio"] = {}
    for way, chunk in best.items():
        times = us[f"{way}/{chunk}"]
        median, width = median_and_spread(times)
        result[way] = {"us_per_record": median, "records_per_s": 1e6 / median, "chunk": chunk}
        spread[way] = {"us_per_record": width}
        ratios = [time / kernel for time, kernel in zip(times, us[f"kernel/{best['kernel']}"], strict=True)]
        result["ratio"][way], spread["ratio"][way] = median_and_spread(ratios)
    median, width = median_and_spread(us["compiled_part"])
    result["compiled_part"], spread["compiled_part"] = {"us_per_record": median}, {"us_per_record": width}
    return result | {"spread": spread}


COLUMNS = ("way", "best chunk", "us a record", "spread", "records/s", "x kernel")


def rows_of(result: dict[str, Any]) -> list[tuple[str, ...]]:
    """The table's rows: the three ways, and the share of the kernel's way that runs without the GIL."""
    rows = [
        (
            way.replace("_", "."),
            str(result[way]["chunk"]),
            f"{result[way]['us_per_record']:.2f}",
            f"{result['spread'][way]['us_per_record']:.2f}",
            f"{result[way]['records_per_s']:,.0f}",
            f"{result['ratio'][way]:.2f}",
        )
        for way in WAYS
    ]
    alone, width = (part["compiled_part"]["us_per_record"] for part in (result, result["spread"]))
    return [*rows, ("kernel, compiled", str(ALONE_CHUNK), f"{alone:.2f}", f"{width:.2f}", "", "")]


def sample_people(count: int, seed: int = 1) -> list[TextFields]:
    """`count` invented people with fields of usual lengths; the same for the same seed."""
    random = Random(seed)

    def ideographs(shortest: int, longest: int) -> str:
        return "".join(chr(random.randint(0x4E00, 0x9FA5)) for _ in range(random.randint(shortest, longest)))

    return [
        TextFields(
            name=ideographs(2, 4),
            sex=random.choice("12"),
            ethnic=f"{random.randint(1, 56):02}",
            birth=f"{random.randint(1940, 2009)}{random.randint(1, 12):02}{random.randint(1, 28):02}",
            address=f"{ideographs(8, 14)}{random.randint(1, 999)}号{random.randint(1, 30)}号楼{ideographs(1, 4)}室",
            identity_number="".join(random.choices("0123456789", k=17)) + random.choice("0123456789Xx"),
            authority=ideographs(5, 9) + "公安局",
            valid_from="20100307",
            valid_until=random.choice(("20150307", "20200307", "20300307", "长期")),
        )
        for _ in range(count)
    ]


def _job(encode: Encode, people: Sequence[TextFields], chunk: int) -> Callable[[], None]:
    chunks = [people[start : start + chunk] for start in range(0, len(people), chunk)]

    def encode_all() -> None:
        for some in chunks:
            encode(some)

    return encode_all


def _compiled_part(people: Sequence[TextFields]) -> Callable[[], None]:
    """The kernel alone, its input flattened beforehand: the part of the work that other threads do not wait for."""
    chunks = [people[start : start + ALONE_CHUNK] for start in range(0, len(people), ALONE_CHUNK)]
    prepared = [(code_points(some), np.empty((len(some), RECORD_UNITS), np.uint16)) for some in chunks]

    def pack_all() -> None:
        for codes, units in prepared:
            pack_records(codes, KERNEL_PLACES, units)

    return pack_all
