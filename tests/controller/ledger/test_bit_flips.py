"""One bit of any row of any table or index, in ledger or vault: each flip is found (law 9).

Left out by name: the 100-byte header of a file, and bytes in pages that hold nothing.
"""

from __future__ import annotations

import random
from collections import Counter
from itertools import pairwise
from pathlib import Path

from tests.controller.ledger.audited import audit, copy_of_centre
from tests.controller.ledger.used_bytes import HEADER_BYTES, UsedBytes

FLIPS = 1_000
OF_EACH_TREE = 6  # at least, of those flips: small tables are met too
SEED = 20_260_101
FILES = ("ledger.db", "vault.db")


def flip(path: Path, at: int, bit: int) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        [byte] = file.read(1)
        file.seek(at)
        file.write(bytes([byte ^ 1 << bit]))


def drawn(folder: Path) -> list[tuple[str, str, int, int]]:
    """Give file, table or index, byte and bit of each flip; a bit is as likely as any other of what is drawn from."""
    spans = [(name, span) for name in FILES for span in UsedBytes(folder / name).spans]
    luck, chosen = random.Random(SEED), []
    trees = sorted({(name, span.tree) for name, span in spans})
    shares = [[one for one in spans if (one[0], one[1].tree) == tree] for tree in trees for _ in range(OF_EACH_TREE)]
    shares += [spans] * (FLIPS - len(shares))
    for share in shares:
        lengths = [span.end - span.begin for _, span in share]
        if sum(lengths):
            [(name, span)] = luck.choices(share, lengths)
            chosen.append((name, span.tree, luck.randrange(span.begin, span.end), luck.randrange(8)))
    return chosen


def test_each_of_a_thousand_flips_in_any_table_or_index_is_found(tmp_path):
    folder, _ = copy_of_centre(tmp_path)
    assert audit(folder).faults == []
    chosen, missed = drawn(folder), []
    assert len(chosen) == FLIPS
    assert all(at >= HEADER_BYTES for _, _, at, _ in chosen)
    for name, tree, at, bit in chosen:
        flip(folder / name, at, bit)
        if audit(folder).sound:
            missed.append((name, tree, at, bit))
        flip(folder / name, at, bit)
    for (name, tree), count in sorted(Counter((name, tree) for name, tree, _, _ in chosen).items()):
        print(f"{name:<10} {tree:<40} {count:>5} flips found")
    assert missed == []
    assert audit(folder).faults == []


def test_what_is_used_of_a_file_is_most_of_it_and_nothing_twice(tmp_path):
    folder, _ = copy_of_centre(tmp_path)
    for name in FILES:
        used = UsedBytes(folder / name)
        spans = sorted((span.begin, span.end) for span in used.spans)
        assert all(end <= begin for (_, end), (begin, _) in pairwise(spans))
        assert spans[-1][1] <= len(used.file)
    everything = b"".join((folder / name).read_bytes() for name in FILES)
    for table in (b"52010200120251220", b"batch_closed", b"dispatched"):
        assert table in everything
