"""Do 240 portraits still give the bytes and pixels they always gave, compiled and interpreted?"""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numba import config
from numpy.typing import NDArray

from bench.portrait_pictures import OWN_PICTURES, paths_in
from bench.result import Options, machine, whole_number, write_json
from encoders import portrait

GOLDEN_FILE = Path(__file__).with_name("portrait_golden.txt")
VARIANTS = ("plain", "mirrored", "darker", "moved")
SHORT_ARGS: list[str] = ["--every", "12", "--interpreted", "0"]
LONG_ARGS: list[str] = ["--interpreted", "240"]

Pixels = NDArray[np.uint8]


def main(argv: Sequence[str]) -> int:
    """Encode and decode the golden pictures and compare digests.  Returns 1 if one differs."""
    options = Options("portrait-golden", "Compare the portrait codec with its golden digests.")
    options.add_argument("--every", type=whole_number(1, 240), default=1, help="take every Nth picture (1)")
    options.add_argument(
        "--interpreted", type=whole_number(0, 240), default=20, help="streams decoded without compilation too (20)"
    )
    options.add_argument("--write", action="store_true", help="write the digests instead: only for a new format")
    chosen = options.parse_args(argv)
    streams = {name: portrait.encode(pixels) for name, pixels in list(pictures())[:: chosen.every]}
    found = {name: line_of(name, stream) for name, stream in streams.items()}
    if chosen.write:
        GOLDEN_FILE.write_text("\n".join(found.values()) + "\n", encoding="utf-8")
    golden = golden_lines()
    wrong = [name for name, line in found.items() if golden.get(name) != line]
    some = dict(list(streams.items())[: chosen.interpreted])
    wrong_interpreted = [name for name, line in interpreted_lines(some).items() if golden.get(name) != line]
    for name in wrong + wrong_interpreted:
        print(f"{name} gives other bytes or pixels than it must.", file=sys.stderr)
    result = {"bench": "portrait-golden", "machine": machine(), "pictures": len(found), "interpreted": len(some)}
    figures = {"wrong": len(wrong), "wrong_interpreted": len(wrong_interpreted)}
    print(f"{len(found)} portraits compiled, {len(some)} interpreted: {len(wrong) + len(wrong_interpreted)} differ.")
    return write_json(result | figures, chosen.json) or int(bool(wrong or wrong_interpreted))


def pictures() -> Iterator[tuple[str, Pixels]]:
    """Name and pixels of the golden pictures: our own sixty, each also mirrored, darker and moved."""
    for path in paths_in(OWN_PICTURES):
        pixels = portrait.prepare(path.read_bytes())
        changed = (pixels, pixels[:, ::-1], pixels // 4 * 3, np.roll(pixels, (5, 3), (0, 1)))
        for variant, one in zip(VARIANTS, changed, strict=True):
            yield f"{path.stem}-{variant}", np.ascontiguousarray(one)


def line_of(name: str, stream: bytes) -> str:
    """A picture's line in the golden file: its name, and the digests of its stream and of what that shows."""
    return f"{name} {sha256(stream).hexdigest()} {sha256(portrait.decode(stream).tobytes()).hexdigest()}"


def golden_lines() -> dict[str, str]:
    """The golden file's lines by name."""
    lines = GOLDEN_FILE.read_text(encoding="utf-8").splitlines()
    return {line.partition(" ")[0]: line for line in lines}


def interpreted_lines(streams: dict[str, bytes]) -> dict[str, str]:
    """The lines of streams that a process without compiled kernels decodes."""
    if not streams:
        return {}
    with TemporaryDirectory() as folder:
        file = Path(folder, "streams")
        file.write_text("\n".join(f"{name} {stream.hex()}" for name, stream in streams.items()), encoding="utf-8")
        command = [sys.executable, "-c", f"from bench.portrait_golden import tell; tell({str(file)!r})"]
        environment = os.environ | {"NUMBA_DISABLE_JIT": "1"}
        root = Path(__file__).resolve().parents[1]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=True)
    return {line.partition(" ")[0]: line for line in done.stdout.splitlines()}


def tell(file: str) -> None:
    """Print the lines of the streams in a file; for a process that interprets its kernels."""
    if not config.DISABLE_JIT:  # type: ignore[attr-defined]
        raise SystemExit("kernels are compiled here")
    for line in Path(file).read_text(encoding="utf-8").splitlines():
        name, _, stream = line.partition(" ")
        print(line_of(name, bytes.fromhex(stream)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
