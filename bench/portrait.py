"""How good is a face in 1,024 bytes: our codec and the standard ones side by side, each at its best?"""

import io
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bench.portrait_metrics import measures
from bench.portrait_peers import PEERS, SAME_WHOLE, Found, named, search
from bench.portrait_pictures import OWN_PICTURES, paths_in
from bench.result import Options, machine, show, whole_number, write_json
from encoders import portrait

Pixels = NDArray[np.uint8]
Row = dict[str, float]

PLACES = {"ssim": 4, "bytes_mean": 0, "encode_ms": 1}
SHEET_PICTURES = 8
ENLARGED = 2
SHORT_ARGS: list[str] = ["--every", "6", "--peers", "avif6"]
LONG_ARGS: list[str] = ["--peers", "avif0,avif6,hevc,webp,jxl,j2k,jpeg"]


def main(argv: Sequence[str]) -> int:
    """Encode every picture with every codec and print the table.  Returns the exit code."""
    options = Options("portrait", "Compare the portrait codec with standard codecs at 1,024 bytes.")
    options.add_argument("--images", type=Path, default=OWN_PICTURES, metavar="DIR", help="folder of photos (our own)")
    options.add_argument("--peers", default="", metavar="NAMES", help=f"any of {','.join(PEERS)} (none)")
    options.add_argument("--every", type=whole_number(1, 1000), default=1, help="take every Nth picture (1)")
    options.add_argument("--sheet", type=Path, metavar="PNG", help="write a contact sheet")
    chosen = options.parse_args(argv)
    try:
        peers = named(chosen.peers)
    except ValueError as error:
        options.error(str(error))
    paths = paths_in(chosen.images)[:: chosen.every] if chosen.images.is_dir() else []
    if not paths:
        print(f"There are no .jpg photos in {chosen.images}.", file=sys.stderr)
        return 2
    absent = [name for name in peers if not PEERS[name].here]
    if absent:
        print(f"Not installed, left out: {', '.join(absent)} (pip install cardmill[bench]).", file=sys.stderr)
    portrait.warm_up()
    result = compare(paths, [name for name in peers if name not in absent], chosen.sheet)
    rows = [
        [name, *(f"{figures[key]:.{PLACES.get(key, 2)}f}" if key in figures else "" for key in COLUMNS)]
        for name, figures in result["codecs"].items()
    ]
    show(f"{len(paths)} portraits in 1,024 bytes", ("codec", *COLUMNS.values()), rows, chosen.json)
    return write_json(result, chosen.json)


COLUMNS = {
    "psnr_y": "Y dB",
    "psnr_c": "C dB",
    "ssim": "SSIM",
    "ssimulacra2": "S2",
    "bytes_mean": "bytes",
    "ours_minus_y": "gain",
    "encode_ms": "enc ms",
}


def compare(paths: Sequence[Path], peers: Sequence[str], sheet: Path | None) -> dict[str, Any]:
    """All figures: means over pictures by codec, medians of times, and our gain over each peer by group of pictures."""
    rows: dict[str, dict[str, Row]] = {"cardmill": {}}
    shown: dict[str, list[Pixels]] = {"source": [], "cardmill": []}
    for path in paths:
        pixels = portrait.prepare(path.read_bytes())
        found: dict[str, Found | None] = {"cardmill": ours(pixels)}
        for name in peers:
            found[f"{name}_payload" if name not in SAME_WHOLE else name] = search(PEERS[name], pixels, whole=False)
            if name not in SAME_WHOLE:
                found[f"{name}_whole"] = search(PEERS[name], pixels, whole=True)
        shown["source"].append(pixels)
        for name, one in found.items():
            if one is not None:
                rows.setdefault(name, {})[path.name] = row_of(pixels, one)
                shown.setdefault(name, []).append(one.shown)
    if sheet is not None:
        write_sheet(shown, sheet)
    result: dict[str, Any] = {"bench": "portrait", "machine": machine(), "pictures": len(paths)}
    result["codecs"] = {name: means(found, rows["cardmill"]) for name, found in rows.items()}
    result["groups"] = groups(rows)
    return result


def ours(pixels: Pixels) -> Found:
    """What our codec makes of a picture."""
    began_s = perf_counter()
    stream = portrait.encode(pixels)
    encoded_s = perf_counter()
    shown = portrait.decode(stream)
    decode_s = perf_counter() - encoded_s
    return Found(len(stream), shown, encoded_s - began_s, decode_s, measures(pixels, shown)["psnr_y"])


def row_of(pixels: Pixels, found: Found) -> Row:
    """All figures of one picture by one codec."""
    row = measures(pixels, found.shown) | {"bytes": found.size_bytes, "psnr_y_at_1024": found.psnr_y_at_1024}
    if find_spec("ssimulacra2"):
        row["ssimulacra2"] = ssimulacra2(pixels, found.shown)
    return row | {"encode_ms": found.encode_s * 1e3, "decode_ms": found.decode_s * 1e3}


def ssimulacra2(one: Pixels, other: Pixels) -> float:
    """SSIMULACRA2 by the package of that name."""
    from ssimulacra2 import compute_ssimulacra2

    files = []
    for pixels in (one, other):
        files.append(io.BytesIO())
        Image.fromarray(pixels).save(files[-1], "PNG")
    return float(compute_ssimulacra2(*files))


def means(rows: dict[str, Row], own: dict[str, Row]) -> dict[str, Any]:
    """Means of a codec's figures over its pictures, and how much luma is better by ours on the same pictures."""
    keys = [key for key in next(iter(rows.values())) if key not in ("bytes", "encode_ms", "decode_ms")]
    found: dict[str, Any] = {key: float(np.mean([row[key] for row in rows.values()])) for key in keys}
    sizes = [int(row["bytes"]) for row in rows.values()]
    found |= {"pictures": len(rows), "bytes_mean": float(np.mean(sizes)), "bytes_max": max(sizes)}
    for key in ("encode_ms", "decode_ms"):
        times = [row[key] for row in rows.values()]
        found[key] = float(np.median(times))
        found[key.replace("_ms", "_p99_ms")] = float(np.quantile(times, 0.99))
    gains = [own[name]["psnr_y"] - row["psnr_y"] for name, row in rows.items()]
    return found | {"ours_minus_y": float(np.mean(gains)), "ours_wins": float(np.mean([gain > 0 for gain in gains]))}


def groups(rows: dict[str, dict[str, Row]]) -> dict[str, dict[str, float]]:
    """Our mean gain in luma over each other codec, by the word before the underscore in the pictures' names."""
    found: dict[str, dict[str, float]] = {}
    for codec, row in rows.items():
        gains: dict[str, list[float]] = {}
        for name, figures in row.items() if codec != "cardmill" else ():
            gains.setdefault(name.partition("_")[0], []).append(rows["cardmill"][name]["psnr_y"] - figures["psnr_y"])
        if gains:
            found[codec] = {group: float(np.mean(one)) for group, one in sorted(gains.items())}
    return found


def write_sheet(shown: dict[str, list[Pixels]], file: Path) -> None:
    """Some pictures in a row for each codec, enlarged without smoothing, names on the left."""
    wide, high, margin_px = 102 * ENLARGED, 126 * ENLARGED, 110
    count = min(SHEET_PICTURES, len(shown["source"]))
    picked = np.linspace(0, len(shown["source"]) - 1, count).astype(int)
    sheet = Image.new("RGB", (margin_px + count * wide, len(shown) * high), "white")
    pen = ImageDraw.Draw(sheet)
    for row, (name, pictures) in enumerate(shown.items()):
        pen.text((6, row * high + high // 2), name, fill="black")
        for column, number in enumerate(picked):
            if number < len(pictures):
                image = Image.fromarray(pictures[number]).resize((wide, high), Image.Resampling.NEAREST)
                sheet.paste(image, (margin_px + column * wide, row * high))
    sheet.save(file)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
