"""Do two threads encode portraits as fast as two processes, and how long does a service with a warm cache start?

Rounds are taken by turns in one run: two threads of this process encode some pictures, then two processes of their own
half of them each. A start is a fresh process that loads the codec from numba's cache and proves itself by its golden
portrait, as the service does before its sockets bind.
"""

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import Any

from bench.portrait_pictures import OWN_PICTURES, paths_in
from bench.result import Options, machine, median_and_spread, show, whole_number, write_json
from encoders import portrait

SHORT_ARGS: list[str] = ["--pictures", "4", "--rounds", "3", "--starts", "2"]
LONG_ARGS: list[str] = ["--pictures", "20", "--rounds", "15", "--starts", "9"]
PROCESSES = 2
ANSWER_S = 600  # no round takes so long
START = (
    "from time import perf_counter, process_time; began_s = perf_counter(); "
    "from encoders import portrait; portrait.warm_up(); print(perf_counter() - began_s, process_time())"
)
GOAL_RATIO, GOAL_START_S = 0.9, 2.0


def main(argv: Sequence[str]) -> int:
    """Measure threads against processes, and warm starts.  Returns the exit code."""
    options = Options("portrait-threads", "Compare two encoding threads with two processes, and time warm starts.")
    options.add_argument("--pictures", type=whole_number(2, 60), default=12, help="of a round (12)")
    options.add_argument("--rounds", type=whole_number(2, 1000), default=7, help="of each kind, by turns (7)")
    options.add_argument("--starts", type=whole_number(2, 1000), default=5, help="of fresh processes (5)")
    chosen = options.parse_args(argv)
    portrait.warm_up()
    ratios, threads_s, processes_s = compare(chosen.pictures // 2 * 2, chosen.rounds)
    starts = [start_s() for _ in range(chosen.starts)]
    figures = {
        "threads_by_processes": ratios,
        "threads_ms_a_picture": [1e3 * spent_s / (chosen.pictures // 2 * 2) for spent_s in threads_s],
        "processes_ms_a_picture": [1e3 * spent_s / (chosen.pictures // 2 * 2) for spent_s in processes_s],
        "warm_start_s": [wall_s for wall_s, _ in starts],
        "warm_start_cpu_s": [cpu_s for _, cpu_s in starts],
    }
    result: dict[str, Any] = {"bench": "portrait-threads", "machine": machine(), "rounds": chosen.rounds}
    result |= {"goals": {"threads_by_processes": GOAL_RATIO, "warm_start_s": GOAL_START_S}}
    rows = []
    for name, values in figures.items():
        median, spread = median_and_spread(values)
        result[name] = {"median": median, "spread": spread}
        rows.append([name.replace("_", " "), f"{median:.3f}", f"{spread:.3f}"])
    show("Two threads, two processes, warm starts", ("figure", "median", "between quartiles"), rows, chosen.json)
    return write_json(result, chosen.json)


def compare(pictures: int, rounds: int) -> tuple[list[float], list[float], list[float]]:
    """By how much threads are faster than processes (1: as fast), round by round; seconds of both."""
    paths = paths_in(OWN_PICTURES)[:pictures]
    mine = [portrait.prepare(path.read_bytes()) for path in paths]
    threads_s, processes_s = [], []
    with encoding_processes(pictures // PROCESSES) as lines:
        for _ in range(rounds):
            began_s = perf_counter()
            portrait.encode_all(mine, PROCESSES)
            threads_s.append(perf_counter() - began_s)
            processes_s.append(round_of(lines))
    return [other_s / one_s for one_s, other_s in zip(threads_s, processes_s, strict=True)], threads_s, processes_s


@contextmanager
def encoding_processes(pictures: int) -> Iterator[list[Connection]]:
    """Two processes that are ready to encode, each its own pictures, whenever their line says so."""
    context, lines, processes = get_context("spawn"), [], []
    try:
        for number in range(PROCESSES):
            line, other = context.Pipe()
            process = context.Process(target=encode_on_demand, args=(other, number * pictures, pictures), daemon=True)
            process.start()
            other.close()
            lines.append(line)
            processes.append(process)
        for line in lines:
            answer(line)  # it is ready
        yield lines
    finally:
        for line in lines:
            line.close()  # which ends its process
        for process in processes:
            process.join(ANSWER_S)


def encode_on_demand(line: Connection, first: int, count: int) -> None:
    """Encode some of our own pictures each time the line asks for it, until it closes."""
    pictures = [portrait.prepare(path.read_bytes()) for path in paths_in(OWN_PICTURES)[first : first + count]]
    portrait.warm_up()
    line.send("ready")
    while True:
        try:
            line.recv()
        except EOFError:
            return
        for pixels in pictures:
            portrait.encode(pixels)
        line.send("done")


def round_of(lines: Sequence[Connection]) -> float:
    """Seconds until all processes have encoded their pictures."""
    began_s = perf_counter()
    for line in lines:
        line.send("go")
    for line in lines:
        answer(line)
    return perf_counter() - began_s


def answer(line: Connection) -> None:
    """Wait for a process.  Raises: RuntimeError: it is silent; EOFError: it has died."""
    if not line.poll(ANSWER_S):
        raise RuntimeError(f"an encoding process is silent for {ANSWER_S} s")
    line.recv()


def start_s() -> tuple[float, float]:
    """Seconds a fresh process takes to load the codec and prove it, and processor seconds of the whole process."""
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", START], cwd=root, capture_output=True, text=True, check=True)
    wall_s, cpu_s = map(float, done.stdout.split())
    return wall_s, cpu_s


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
