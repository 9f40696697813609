"""The forecast on the command line: when batches will be finished, and what runs out first."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from controller.clock import floor_text
from controller.commandline import show, whatif
from controller.commandline.options import AsName, ConfigPath, DataPath, JsonPath
from controller.commandline.tables import day_time
from controller.commandline.ticket import RUNS, RunsOption, answer_of, made_text

HOUR_S = 3_600.0
BATCHES_SHOWN, UNITS_SHOWN, STARVING_SHOWN = 40, 20, 8


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    app.command("forecast")(forecast)
    app.command("whatif")(whatif.whatif)


def forecast(
    batch: Annotated[str, typer.Argument(help="A batch's 25 digits, for it alone.", show_default=False)] = "",
    runs: RunsOption = RUNS,
    latest: Annotated[bool, typer.Option("--latest", help="Show the newest one that was made, and make none.")] = False,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Say when batches will be finished, and what runs out first. From many runs of the floor as it is now."""
    args: dict[str, Any] = {"batch": batch} if batch else {}
    result = answer_of("forecast", args if latest else args | {"runs": runs}, (as_name, config, data))
    if json:
        show.write_json(result, json)
        return
    print(result["sentence_en"])
    print(result["sentence_zh"])
    show.answer("Inputs", [_input(one) for one in result["inputs"]], "")
    if result["made"]:
        _print_runs(result, batch)
    else:
        print("\nno forecast: no card is to be made" if result.get("nothing_open") else "\nno forecast was made yet")
    _print_calibration(result["calibration"])


def _input(one: dict[str, Any]) -> dict[str, str]:
    return {
        "input": one["name"],
        "station": one["station"],
        "left": f"{one['left']:,} {one['unit']}",
        "a day": f"{one['per_day']:,.1f}" if one["per_day"] >= 0 else "grows",
        "until": day_time(one["ends_floor_s"]) if one["per_day"] > 0 else "",
        "days": "" if not one["left"] or one["per_day"] <= 0 else f"{one['left'] / one['per_day']:,.1f}",
    }


def _print_runs(result: dict[str, Any], batch: str) -> None:
    made, pace = result["made"], result["pace"]
    print(f"\nforecast of {floor_text(made['at_floor_s'])}\n{made_text(made)}")
    print(f"pace: {pace['per_day']:,.0f} cards a day, {pace['low']:,.0f} to {pace['high']:,.0f} in 8 of 10 runs")
    batches, units = result["batches"], result["units"]
    if batch and not batches:
        print("this batch was not open then")
    else:
        show.answer("Batches", [{"batch": one["batch_number"], **_finish(one)} for one in batches[:BATCHES_SHOWN]], "")
        _print_more(len(batches) - BATCHES_SHOWN)
    held = [_held(one) for one in batches if one["waiting"]]
    if held:
        show.answer("Cards that wait for people", held[:BATCHES_SHOWN], "")
        _print_more(len(held) - BATCHES_SHOWN)
    if result["people"]:
        show.answer("How long people take", [_people(one) for one in result["people"]], "")
    shown = [_unit(one, batch) for one in units]
    if shown:
        show.answer("Police stations", shown if batch else shown[:UNITS_SHOWN], "")
        _print_more(0 if batch else len(units) - UNITS_SHOWN)
    starving = [_starving(one) for one in result["starving"][:STARVING_SHOWN]]
    show.answer("Runs out in the runs", starving, "")


def _print_more(more: int) -> None:
    if more > 0:
        print(f"and {more:,} more: they are in --json")


def _unit(one: dict[str, Any], batch: str) -> dict[str, str]:
    of_batch = {} if batch else {"batch": one["batch_number"]}
    return {"police station": one["unit"], **of_batch, **_finish(one)}


def _finish(one: dict[str, Any]) -> dict[str, str]:
    """Give the columns of one finish."""
    return {
        "due": day_time(one["due_floor_s"]),
        "P50": _at(one["p50_floor_s"]),
        "P90": _at(one["p90_floor_s"]),
        "late %": f"{one['late_percent']:.0f}",
    }


def _held(one: dict[str, Any]) -> dict[str, str]:
    """Give the columns of a batch that waits for people: how many cards for what, and when the others are finished."""
    others = {f"others {name}": "" for name in ("P50", "P90")}
    if one["others_p50_floor_s"] is not None:
        others = {"others P50": _at(one["others_p50_floor_s"]), "others P90": _at(one["others_p90_floor_s"])}
    words = ", ".join(f"{cards:,} {word}" for word, cards in one["waiting"].items())
    return {"batch": one["batch_number"], "cards": words, **others}


def _people(one: dict[str, Any]) -> dict[str, str]:
    """Give the columns of a kind of wait: how long it takes, and on how many times that were seen this rests."""
    findings = sorted(one["findings"].items(), key=lambda found: (-found[1], found[0]))
    return {
        "what": one["what"],
        "waiting": f"{one['waiting']:,}",
        "P50": f"{one['p50_s'] / HOUR_S:,.1f} h",
        "P90": f"{one['p90_s'] / HOUR_S:,.1f} h",
        "rests on": f"{one['seen']:,} seen" if one["seen"] else "a guess: none seen",
        "decided": ", ".join(f"{finding} {count:,}" for finding, count in findings),
    }


def _at(at_floor_s: float | None) -> str:
    return "beyond" if at_floor_s is None else day_time(at_floor_s)


def _starving(one: dict[str, Any]) -> dict[str, str]:
    return {
        "input": one["what"],
        "where": one["where"],
        "first %": f"{100 * one['first_share']:.0f}",
        "runs out %": f"{100 * one['ran_out_share']:.0f}",
        "P50": day_time(one["p50_floor_s"]),
    }


def _print_calibration(calibration: dict[str, Any] | None) -> None:
    if calibration is None:
        return
    if not calibration["scored"]:
        print(f"\nrecord: no batch with a forecast is finished yet; {calibration['waiting']:,} are open")
        return
    held = f"P90 held for {calibration['p90_held_percent']:.1f} %, P50 for {calibration['p50_held_percent']:.1f} %"
    print(f"\nrecord: of {calibration['scored']:,} finished batches {held}")
