"""The floor at one moment on a terminal, drawn from the answer to `status`: what runs, what starves, how fast it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len
from rich.text import Text

from controller.commandline.tables import age
from controller.core.state import SILENT
from controller.core.why.sentences import WORDS_ZH
from controller.report.text import STANDINGS, stations_down, to_do_lines, trouble_lines
from devices.messages import StationState

Status = Mapping[str, Any]
STALE_S = 5.0  # real seconds without an answer after which a picture is grey
STALE, GREY = "bright_black", "dim"
TILE_CELLS, WIDE_TILE_CELLS, WIDE_TERMINAL = (
    26,
    36,
    108,
)  # terminal columns; a wide terminal has room for both languages
NAME_CELLS = 20  # of a step's name in both languages
QUEUES = {"waiting 排队": 14, "working 加工": 15, "last hour 近一小时": 21}  # columns of a step, with their cells
DOWN_SHOWN, TROUBLE_SHOWN = 6, 12
ON_HOLD = "on hold"
STATE_STYLES = {
    StationState.EXECUTE: "green",
    StationState.IDLE: GREY,
    StationState.HELD: "yellow",
    StationState.SUSPENDED: "yellow",
    StationState.ABORTED: "red",
    StationState.STOPPED: "red",
    SILENT: STALE,
    ON_HOLD: "yellow",
}
STATE_SIGNS = {
    StationState.EXECUTE: "▶",
    StationState.IDLE: "·",
    StationState.HELD: "‖",
    StationState.SUSPENDED: "‖",
    StationState.ABORTED: "✗",
    StationState.STOPPED: "■",
    SILENT: "?",
    ON_HOLD: "‖",
}
STANDING_STYLES = {"idle": "bold", "working": "bold green", "waiting": "bold yellow"}  # else red


def picture(status: Status, width: int, unheard_s: float = 0.0) -> Text:
    """Give the floor in lines for a terminal of `width` columns; grey when no answer came for `unheard_s` seconds."""
    heads = "".join(" " * (cells - cell_len(words)) + words for words, cells in QUEUES.items())
    lines = [_head(status), *_pace(status), *_trouble(status), Text(), Text(" " * NAME_CELLS + heads, GREY)]
    for step in status["steps"]:
        lines += _step(status, step, width)
    below = [*_down(status), *map(Text, to_do_lines(status))]
    lines += [Text(), *below] if below else []
    for line in lines:
        line.truncate(width, overflow="ellipsis")
    drawn = Text("\n", no_wrap=True).join(lines)
    if unheard_s <= STALE_S:
        return drawn
    since = Text(f"NO ANSWER for {age(unheard_s)}: this is how it was then 服务无应答，以下为此前状态", "bold red")
    since.truncate(width, overflow="ellipsis")
    return Text("\n", no_wrap=True).join([since, Text(drawn.plain, STALE)])


def _head(status: Status) -> Text:
    scale = f" (simulated 模拟, x{status['scale']:g})" if status["simulated"] else ""
    style = STANDING_STYLES.get(status["standing"], "bold red")
    return Text(f"cardmill {status['floor_time']}{scale}  ").append(STANDINGS[status["standing"]], style)


def _pace(status: Status) -> Iterator[Text]:
    """Say how fast it is, and how much is open."""
    hour, tally = status["last_hour"], status["tally"]
    speed = Text(_filled("last hour 近一小时", NAME_CELLS)).append(f"{hour['made']:,} made 成卡", "bold")
    yield speed.append(f", {hour['received']:,} received 受理, {hour['dispatched']:,} sent 发出")
    yield Text(
        f"{_filled('open 未结', NAME_CELLS)}{tally['batches'] - tally['batches_closed']:,} batches 批, "
        f"{tally['open']:,} cards 卡"
    )
    yield Text(
        f"{_filled('waiting 待办', NAME_CELLS)}{tally['held']:,} held 扣留, {status['unencoded']:,} encode 待编码, "
        f"{status['ready']:,} ready 待拼版"
    )


def _trouble(status: Status) -> Iterator[Text]:
    lines = trouble_lines(status)
    for line in lines[:TROUBLE_SHOWN]:
        yield Text(line, "red")
    if len(lines) > TROUBLE_SHOWN:
        yield Text(f"  ! and {len(lines) - TROUBLE_SHOWN} more 其余见: `cardmill status`", "red")


def _step(status: Status, step: str, width: int) -> Iterator[Text]:
    """Give a step's queue, and its stations as tiles below."""
    one, mine = status["steps"][step], [row for row in status["stations"] if row["step"] == step]
    counts = (one["waiting"], one["working"], status["last_hour"][step])
    numbers = "".join(f"{count:>{cells},}" for count, cells in zip(counts, QUEUES.values(), strict=True))
    yield Text().append(_filled(f"{step} {WORDS_ZH[step]}", NAME_CELLS), "bold").append(numbers)
    if not mine:
        yield Text("  no station is known 无设备接入", "red")
    cells = WIDE_TILE_CELLS if width >= WIDE_TERMINAL else TILE_CELLS
    for row in _in_rows(mine, max(1, (width - 2) // cells)):
        line = Text("  ")
        for station in row:
            line.append_text(_tile(station, cells))
        line.rstrip()
        yield line


def _tile(station: Mapping[str, Any], cells: int) -> Text:
    """Give a station with its state and for how long it has been in it, in so many columns."""
    works = station["state"] in (StationState.IDLE, StationState.EXECUTE)
    state = (
        ON_HOLD if station["hold"] and works else station["state"]
    )  # what is wrong with the machine itself comes first
    zh = WORDS_ZH.get("held" if state == ON_HOLD else state, "") if cells > TILE_CELLS else ""
    words = f"{state} {zh}".rstrip()
    tile = Text(f"{STATE_SIGNS.get(state, '?')} {station['station']} {words} {age(station['age_s'])}")
    tile.truncate(cells - 1, overflow="ellipsis")
    tile.stylize(STATE_STYLES.get(state, ""))
    return tile.append(" " * (cells - tile.cell_len))


def _down(status: Status) -> Iterator[Text]:
    """Say why stations get no work, the longest first."""
    down = sorted(stations_down(status), key=lambda one: -one["age_s"])
    for one in down[:DOWN_SHOWN]:
        name, hold = one["station"], f"held: {one['hold']}" if one["hold"] else ""
        reason = "; ".join(part for part in (one["reason"], hold) if part) or f"`cardmill why {name}`"
        yield Text(f"{name} {one['state']} for {age(one['age_s'])}: {reason}", "yellow")
    if len(down) > DOWN_SHOWN:
        yield Text(f"and {len(down) - DOWN_SHOWN} more stations down 其余停机设备: `cardmill stations`", "yellow")


def _in_rows(stations: Sequence[Mapping[str, Any]], many: int) -> Iterator[Sequence[Mapping[str, Any]]]:
    for first in range(0, len(stations), many):
        yield stations[first : first + many]


def _filled(text: str, cells: int) -> str:
    return text + " " * max(1, cells - cell_len(text))
