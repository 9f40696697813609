"""Train the portrait codec: licensed pictures in, the model file of the format out; same seed, same bytes."""

import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from time import process_time

import numpy as np
from rich.console import Console

from bench.portrait_filters import colour_weights, luma_weights
from bench.portrait_pictures import OWN_PICTURES, Pixels, paths_in, views
from bench.portrait_rounds import FIRST_STEP, Learner, encode_all, unseen
from bench.result import Options, machine, whole_number, write_json
from encoders.codec.model import Filters, packed
from encoders.codec.rate import Tuning

COLOUR_STEP = 61  # of 64: at 70 luma is 0.13 dB better, and SSIMULACRA2 2.1 worse, which puts it behind AVIF
COMMON = "congress"  # the large group of pictures of one kind: fewer views of each, so that others weigh as much
VIEWS, COMMON_VIEWS = 6, 2
FIRST_LOOK = 300  # pictures the first predictors come from
ROUNDS = (250, 800, 1500, 1500)  # pictures encoded in each round
LAST = 700  # pictures the answers are settled with when predictors no longer change
FEW = (80, 150)  # pictures encoded at one step, before the first answers are known
FILTERED = 400  # pictures the filters are fitted to
TUNING = Tuning(tries=2, plans=3)
SHORT_ARGS: list[str] = ["--share", "2"]
LONG_ARGS: list[str] = ["--share", "10"]

Say = Callable[[str], None]


def main(argv: Sequence[str]) -> int:
    """Read, learn, write the model.  Returns the exit code."""
    options = Options("portrait-train", "Train the portrait codec on the JPEG photos (358x441) of a folder.")
    options.add_argument("--images", type=Path, default=OWN_PICTURES, metavar="DIR", help="folder of photos (our own)")
    options.add_argument("--out", type=Path, metavar="MODEL", help="the model file to write (none)")
    options.add_argument("--seed", type=whole_number(0, 10**9), default=1, help="of views and their order (1)")
    options.add_argument("--share", type=whole_number(1, 100), default=100, help="percent of the work, to try it (100)")
    chosen = options.parse_args(argv)
    if not chosen.images.is_dir() or not paths_in(chosen.images):
        print(f"There are no .jpg photos in {chosen.images}.", file=sys.stderr)
        return 2
    console, began_s = Console(stderr=True), process_time()

    def say(text: str) -> None:
        console.print(f"{process_time() - began_s:6.0f} s  {text}")

    pictures = training_pictures(chosen.images, chosen.seed)
    say(f"{len(pictures)} views of pictures")
    learner, luma_db = learn_core(pictures, chosen.seed, chosen.share, say)
    file = packed(learner.model(), learn_filters(learner, pictures[:: max(1, len(pictures) // FILTERED)]))
    if chosen.out is not None:
        chosen.out.write_bytes(file)
    digest = sha256(file).hexdigest()
    say(f"{len(file)} bytes, SHA-256 {digest}")
    result = {"bench": "portrait-train", "machine": machine(), "views": len(pictures), "digest": digest}
    figures = {"model_bytes": len(file), "luma_db": luma_db, "cpu_s": process_time() - began_s}
    return write_json(result | figures, chosen.json)


def training_pictures(folder: Path, seed: int) -> list[Pixels]:
    """All views of the pictures of a folder."""
    found: list[Pixels] = []
    for path in paths_in(folder):
        found.extend(views(path, seed, (COMMON_VIEWS if path.name.startswith(COMMON) else VIEWS) - 1))
    return found


def learn_core(pictures: Sequence[Pixels], seed: int, share: int, say: Say) -> tuple[Learner, float]:
    """Everything but the filters: rounds of encoding and learning.  Also returns the last round's PSNR of luma."""
    order = np.random.default_rng(seed).permutation(len(pictures))
    learner, tuning, luma_db = Learner(COLOUR_STEP), TUNING, 0.0

    def some(count: int) -> list[Pixels]:
        return [pictures[i] for i in order[: max(20, count * share // 100)]]

    learner.learn_experts(unseen(some(FIRST_LOOK)), FIRST_STEP, 4)
    say("first predictors")
    for count in FEW:
        learner.learn_answers(encode_all(learner.model(), some(count), tuning, FIRST_STEP))
    for number, count in enumerate(ROUNDS):
        seen = encode_all(learner.model(), some(count), tuning)
        step = float(np.mean([one.step for one in seen])) / 16
        luma_db = float(np.mean([-10 * np.log10(one.luma_error / 255**2) for one in seen]))
        say(f"round {number + 1}: {len(seen)} pictures, mean step {step:.2f}, luma {luma_db:.2f} dB")
        learner.learn_answers(seen)
        if number < len(ROUNDS) - 1:
            learner.learn_experts(seen, step, 3)
    learner.learn_answers(encode_all(learner.model(), some(LAST), tuning))
    return learner, luma_db


def learn_filters(learner: Learner, pictures: Sequence[Pixels]) -> Filters:
    """The filters after decoding, from pictures as the finished coder shows them."""
    seen = encode_all(learner.model(), pictures, TUNING)
    luma = luma_weights(pictures, seen)
    return Filters(luma, colour_weights(pictures, seen, luma))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
