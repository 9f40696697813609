"""The what-if on the command line: what a station down, a station more or another shift would bring."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from controller.clock import floor_text
from controller.commandline import show
from controller.commandline.options import AsName, ConfigPath, DataPath, JsonPath
from controller.commandline.ticket import RUNS, RunsOption, answer_of, made_text

BATCHES_SHOWN = 20


def whatif(
    station: Annotated[
        list[str] | None, typer.Option("--station", help="NAME=down: it gets no load. May be said again.")
    ] = None,
    begin: Annotated[
        str, typer.Option("--from", help="From when: 08:00, or 2026-03-02T08:00, floor time; left out: now.")
    ] = "",
    until: Annotated[str, typer.Option("--until", help="Until when it is down; left out: for good.")] = "",
    add: Annotated[
        list[str] | None, typer.Option("--add", help="STEP=COUNT, like printer=1: so many more. May be said again.")
    ] = None,
    shift: Annotated[
        int, typer.Option("--shift", help="So many shifts a working day; 0: as they are.", min=0, max=3)
    ] = 0,
    sensitivity: Annotated[
        bool, typer.Option("--sensitivity", help="What one station more of each step would bring; by itself.")
    ] = False,
    runs: RunsOption = RUNS,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Say what a change of the floor would bring. Both floors run from the same seeds."""
    args: dict[str, Any] = {
        "runs": runs,
        "stations": station or [],
        "added": add or [],
        "shifts": shift,
        "from": begin,
        "until": until,
        "sensitivity": sensitivity,
    }
    result = answer_of("whatif", args, (as_name, config, data))
    if json:
        show.write_json(result, json)
        return
    made = result["made"]
    print(f"what if, at {floor_text(made['at_floor_s'])}\n{made_text(made)}")
    if result["difference"]:
        _print_difference(result["difference"])
    else:
        show.answer("One station more", [_step(one) for one in result["sensitivity"]], "")


def _print_difference(found: dict[str, Any]) -> None:
    rows = [
        {"difference": "cards made", "value": gain_text(found["cards"], "", 0)},
        {"difference": "cards a day", "value": gain_text(found["cards_per_day"], "", 0)},
        {"difference": "finish of a batch", "value": gain_text(found["hours"], "h")},
        {"difference": "finish of the last one", "value": gain_text(found["last_hours"], "h")},
    ]
    show.answer(f"The change brings, until {floor_text(found['horizon_floor_s'])[:16]}", rows, "")
    most = sorted(found["batches"], key=lambda one: (-abs(one["hours"]["mean"]), one["batch_id"]))
    batches = [{"batch": one["batch_number"], "finish": gain_text(one["hours"], "h")} for one in most[:BATCHES_SHOWN]]
    show.answer("Batches that it moves most", batches, "")


def gain_text(gain: dict[str, Any], unit: str, digits: int = 1) -> str:
    """Give a difference with its 95 % interval, like `+120 ± 15`, or that it cannot be told from none."""
    text = f"{gain['mean']:+z,.{digits}f} ± {gain['error']:,.{digits}f}{f' {unit}' if unit else ''}"
    return text if abs(gain["mean"]) > gain["error"] else f"{text} (not told from none)"


def _step(one: dict[str, Any]) -> dict[str, str]:
    return {
        "step": one["step"],
        "cards a day": gain_text(one["cards_per_day"], "", 0),
        "finish": gain_text(one["hours"], "h"),
        "busy %": f"{100 * one['busy_share']:.0f}",
    }
