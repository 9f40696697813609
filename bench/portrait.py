"""How good is a face in 1,024 bytes: our codec and the standard ones side by side, each at its best?"""

import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import portrait_faces
from bench.portrait_groups import Labels, labels_of, skin_of
from bench.portrait_metrics import measures, ssimulacra2
from bench.portrait_peers import PEERS, SAME_WHOLE, named
from bench.portrait_pictures import DEV_PICTURES, OWN_PICTURES, paths_in
from bench.portrait_search import Files, Found, decoded, search
from bench.portrait_sheet import picked, write_sheet
from bench.portrait_tables import Row, show_all, summed_up
from bench.result import Options, machine, whole_number, write_json
from encoders import portrait

Pixels = NDArray[np.uint8]
Rows = dict[str, dict[str, Row]]  # by codec, then by picture

OWN = "cardmill"
SHORT_ARGS: list[str] = ["--every", "6", "--peers", "avif6"]
LONG_ARGS: list[str] = ["--peers", "all"]


SETS = {DEV_PICTURES: "the shared dev set", OWN_PICTURES: "our own, which the model has seen"}
WHERE = {"vvc": "pip install cardmill[vvc], or put vvencapp and vvdecapp, or an ffmpeg with libvvenc, on the PATH"}


def main(argv: Sequence[str]) -> int:
    """Encode every picture with every codec and print the tables.  Returns the exit code."""
    chosen = chosen_of(argv)
    folder = chosen.images or default_pictures()
    paths = paths_in(folder)[:: chosen.every] if folder.is_dir() else []
    if not paths:
        print(f"There are no .jpg photos in {folder}.", file=sys.stderr)
        return 2
    absent = [name for name in chosen.peers if not PEERS[name].here]
    for name in absent:
        print(f"{name} is not at hand and left out: {WHERE.get(name, 'pip install cardmill[bench]')}.", file=sys.stderr)
    portrait.warm_up()
    labels = labels_of(folder, [path.name for path in paths], chosen.labels)
    result = compare(paths, [name for name in chosen.peers if name not in absent], labels, chosen.sheet)
    result |= {"pictures_of": SETS.get(folder, "a folder given"), "not_at_hand": absent}
    show_all(result, chosen.json)
    return write_json(result, chosen.json)


def chosen_of(argv: Sequence[str]) -> Namespace:
    """The options; what cannot be read or written is refused before anything is measured."""
    options = Options("portrait", "Compare the portrait codec with standard codecs at 1,024 bytes.")
    options.add_argument("--images", type=Path, metavar="DIR", help="folder of photos (the shared dev set, or our own)")
    options.add_argument(
        "--peers", nargs="*", default=["all"], metavar="NAME", help=f"any of {', '.join(PEERS)}; all; none (all)"
    )
    options.add_argument("--every", type=whole_number(1, 1000), default=1, help="take every Nth picture (1)")
    options.add_argument("--labels", type=Path, metavar="CSV", help="a list: a column `file`, one for each label")
    options.add_argument("--sheet", type=Path, metavar="PNG", help="write a contact sheet")
    chosen = options.parse_args(argv)
    try:
        chosen.peers = named(chosen.peers)
    except ValueError as error:
        options.error(str(error))
    if chosen.labels and not chosen.labels.is_file():
        options.error(f"{chosen.labels} is not a file")
    if chosen.sheet and (chosen.sheet.suffix != ".png" or not chosen.sheet.absolute().parent.is_dir()):
        options.error(f"{chosen.sheet} is not a .png file in an existing folder")
    return chosen


def default_pictures() -> Path:
    """The shared dev set where it lies beside this checkout; else our own, which say less, and a sentence says so."""
    if DEV_PICTURES.is_dir():
        return DEV_PICTURES
    print("No dev set beside this checkout: our own pictures, which the model has seen in training.", file=sys.stderr)
    return OWN_PICTURES


def compare(
    paths: Sequence[Path], peers: Sequence[str], labels: dict[str, Labels], sheet: Path | None = None
) -> dict[str, Any]:
    """All figures: means over pictures by codec, medians of times, and our gain by group of people."""
    rows: Rows = {OWN: {}}
    shown: dict[str, dict[int, Pixels]] = {"source": {}}
    on_sheet = picked(len(paths)) if sheet else []
    for number, path in enumerate(paths):
        pixels = portrait.prepare(path.read_bytes())
        labels[path.name]["skin"] = skin_of(pixels)
        source = portrait_faces.descriptor(pixels) if portrait_faces.here() else None
        if number in on_sheet:
            shown["source"][number] = pixels
        for name, found in every_codec(pixels, peers):
            rows.setdefault(name, {})[path.name] = row_of(pixels, found, source)
            if number in on_sheet:
                shown.setdefault(name, {})[number] = found.shown
        print(f"\r{number + 1} of {len(paths)} portraits", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    result: dict[str, Any] = {"bench": "portrait", "machine": machine(), "pictures": len(paths)}
    result |= summed_up(rows, labels)
    if sheet is not None:
        captions = {name: f"Y {figures['psnr_y']:.2f} dB" for name, figures in result["codecs"].items()}
        write_sheet(shown, captions, sheet)
    return result


def every_codec(pixels: Pixels, peers: Sequence[str]) -> Iterator[tuple[str, Found]]:
    """What each codec makes of a picture, by name; those that cannot fit it are left out."""
    yield OWN, ours(pixels)
    for name in peers:
        files = Files(PEERS[name], pixels)
        for part in ("payload", "whole"):
            if part == "payload" or name not in SAME_WHOLE:
                found = search(PEERS[name], pixels, whole=part == "whole", files=files)
                if found is not None:
                    yield name if name in SAME_WHOLE else f"{name}_{part}", found


def ours(pixels: Pixels) -> Found:
    """What our codec makes of a picture; it fills its bytes by itself, so nothing is interpolated."""
    began_s = perf_counter()
    stream = portrait.encode(pixels)
    encode_s = perf_counter() - began_s
    shown, decode_s = decoded(portrait.decode, stream)
    return Found(len(stream), shown, encode_s, decode_s, measures(pixels, shown))


def row_of(pixels: Pixels, found: Found, source: portrait_faces.Descriptor | None) -> Row:
    """All figures of one picture by one codec; `source` is the descriptor of its face."""
    row = measures(pixels, found.shown) | {f"at_1024.{name}": value for name, value in found.at_1024.items()}
    if find_spec("ssimulacra2"):
        row["ssimulacra2"] = ssimulacra2(pixels, found.shown)
    if source is not None:
        row["face_l2"] = float(np.linalg.norm(portrait_faces.descriptor(found.shown) - source))
    times = {"encode_ms": found.encode_s * 1e3, "decode_ms": found.decode_s * 1e3}
    return row | {"bytes": float(found.size_bytes)} | times


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
