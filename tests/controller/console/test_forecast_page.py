"""The forecast and the what-if in the browser: who is told what, how far it is, and what is shown when it is made."""

from __future__ import annotations

import html
import re
from contextlib import asynccontextmanager

import pytest

from controller.clock import floor_text
from controller.commands import answer_certified
from controller.config import Config
from controller.console.figures import count
from controller.forecasting.forecasts import Forecasts
from controller.forecasting.record import Said
from controller.wire import Command, Done, Refusal
from tests.controller.console.floor_console import open_floor_console
from tests.controller.console.test_stock_page import texts
from tests.controller.forecasting.floor_ledger import floor_at_work
from tests.controller.forecasting.made import UNIT, difference_of, forecast_of, held_forecast_of, steps_of

ALL, BLIND = "all", "operator"


@asynccontextmanager
async def forecasting(tmp_path, *names):
    """Serve a floor at work with forecasts that nobody works on: their answers are given by the test."""
    floor, made = floor_at_work(2, trouble=0.0), []

    def open_forecasts(desk):
        made.append(Forecasts(tmp_path, Config(), desk.ledger, desk.state, desk.clock.now_floor_s))
        return made[0]

    async with open_floor_console(tmp_path, floor, forecasting=open_forecasts) as console:
        yield floor, made[0], console.behind.desk, [await console.visitor(name) for name in names]


async def ask(desk, user, verb, /, **args):
    return await answer_certified(desk, user, Command(request=1, verb=verb, args=args))


def end(asked, answer):
    asked.answer = answer
    asked.over.set()


def note(forecasts, answer):
    forecasts.latest = answer
    for one in answer.batches:
        said = Said(
            made_floor_s=answer.made.at_floor_s,
            p50_floor_s=one.p50_floor_s,
            p90_floor_s=one.p90_floor_s,
            late_percent=one.late_percent,
        )
        forecasts.record.note(one.batch_id, one.batch_number, said)


# ---- the verbs ----------------------------------------------------------------------------------------------------


async def test_without_a_forecast_the_inputs_are_answered_and_that_there_is_none(tmp_path):
    async with forecasting(tmp_path) as (_, _, desk, _):
        told = (await ask(desk, ALL, "forecast")).result
        assert {"sentence_en", "sentence_zh", "inputs", "input"} <= told.keys()
        assert (told["made"], told["running"], told["batches"]) == (None, False, [])
        assert told["calibration"] == {
            "scored": 0,
            "p50_held_percent": None,
            "p90_held_percent": None,
            "waiting": 0,
        }


async def test_a_forecast_is_asked_for_once_and_then_by_its_ticket(tmp_path):
    async with forecasting(tmp_path) as (floor, forecasts, desk, _):
        first = (await ask(desk, ALL, "forecast", runs=200, at_once=True)).result
        assert (first["running"], first["of_runs"], first["done_runs"]) == (True, 200, 0)
        again = (await ask(desk, ALL, "forecast", runs=200, at_once=True)).result
        assert again["ticket"] == first["ticket"]
        asked = forecasts.asked(first["ticket"])
        asked.done = 80
        assert (await ask(desk, ALL, "forecast", ticket=asked.number, at_once=True)).result["done_runs"] == 80
        end(asked, forecast_of(floor.state, floor.host.now_floor_s))
        told = (await ask(desk, ALL, "forecast", ticket=asked.number)).result
        assert not told["running"]
        assert [one["late_percent"] for one in told["batches"]] == sorted(
            (one["late_percent"] for one in told["batches"]), reverse=True
        )
        assert (await ask(desk, ALL, "forecast", ticket=99)).code == "forecast.forgotten"


async def test_of_one_batch_its_police_stations_and_what_was_said_before_are_told(tmp_path):
    async with forecasting(tmp_path) as (floor, forecasts, desk, _):
        note(forecasts, forecast_of(floor.state, floor.host.now_floor_s))
        batch = next(iter(floor.state.batches.values()))
        told = (await ask(desk, ALL, "forecast", batch=batch.batch_number)).result
        assert [one["batch_number"] for one in told["batches"]] == [batch.batch_number]
        assert [one["unit"] for one in told["units"]] == [UNIT]
        assert [one["late_percent"] for one in told["said"]] == [72.0]
        none = (await ask(desk, ALL, "forecast", batch="9" * 25)).result
        assert (none["batches"], none["units"], none["said"]) == ([], [], [])


async def test_who_counts_blind_learns_of_no_blanks_from_a_forecast(tmp_path):
    async with forecasting(tmp_path) as (floor, forecasts, desk, _):
        note(forecasts, forecast_of(floor.state, floor.host.now_floor_s))
        seen = {by: (await ask(desk, by, "forecast")).result for by in (ALL, BLIND)}
        assert [one["what"] for one in seen[ALL]["starving"]] == ["blanks", "magazine", "film"]
        assert [one["what"] for one in seen[BLIND]["starving"]] == ["film"]
        assert "blanks" not in {one["name"] for one in seen[BLIND]["inputs"]}


@pytest.mark.parametrize("user", ["operator", "stock-keeper", "nobody"])
async def test_who_is_in_charge_of_nothing_asks_no_what_if(tmp_path, user):
    async with forecasting(tmp_path) as (_, forecasts, desk, _):
        refused = await ask(desk, user, "whatif", sensitivity=True)
        assert refused.code == "right.missing"
        assert forecasts.under_way() is None


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({"runs": 10}, "command.argument"),
        ({"runs": "many"}, "command.argument"),
        ({"batch": 7}, "command.argument"),
        ({"ticket": -1}, "command.argument"),
    ],
)
async def test_an_argument_of_the_forecast_that_cannot_be_is_told(tmp_path, args, code):
    async with forecasting(tmp_path) as (_, _, desk, _):
        assert (await ask(desk, ALL, "forecast", **args)).code == code


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ({}, "command.argument"),
        ({"sensitivity": True, "shifts": 3}, "command.argument"),
        ({"sensitivity": 1}, "command.argument"),
        ({"shifts": 4}, "command.argument"),
        ({"stations": "p1=down"}, "command.argument"),
        ({"stations": ["p9=down"]}, "whatif.station"),
        ({"stations": ["p1=up"]}, "whatif.station"),
        ({"added": ["baker=1"]}, "whatif.step"),
        ({"added": ["printer=0"]}, "whatif.count"),
        ({"stations": ["p1=down"], "from": "25:99"}, "whatif.time"),
        ({"stations": ["p1=down", "P1=down"]}, "whatif.twice"),
    ],
)
async def test_a_change_that_cannot_be_tried_is_told_by_its_code(tmp_path, args, code):
    async with forecasting(tmp_path) as (_, forecasts, desk, _):
        assert (await ask(desk, ALL, "whatif", **args)).code == code
        assert forecasts.under_way() is None


async def test_changes_combine_and_the_answer_names_batches_by_their_numbers(tmp_path):
    async with forecasting(tmp_path) as (floor, forecasts, desk, _):
        change = {"stations": ["P1=down"], "from": "08:00", "added": ["printer=1", "press=2"], "shifts": 3}
        ticket = (await ask(desk, ALL, "whatif", at_once=True, **change)).result["ticket"]
        asked = forecasts.asked(ticket)
        assert [one.station for one in asked.question.change.down] == ["p1"]
        assert asked.question.change.down[0].from_floor_s == 8 * 3_600.0
        assert dict(asked.question.change.added) == {"print": 1, "laminate": 2}
        assert asked.question.change.shifts == 3
        end(asked, difference_of(floor.state, floor.host.now_floor_s))
        told = (await ask(desk, ALL, "whatif", ticket=ticket)).result
        assert told["difference"]["cards"] == {"mean": 120.0, "error": 15.0, "pairs": 200}
        numbers = {one.batch_number for one in floor.state.batches.values()}
        assert {one["batch_number"] for one in told["difference"]["batches"]} == numbers


async def test_on_a_floor_without_work_nothing_is_run(tmp_path):
    async with forecasting(tmp_path) as (floor, forecasts, desk, _):
        floor.host.run()
        told = (await ask(desk, ALL, "forecast", runs=200)).result
        assert told["nothing_open"] is True
        assert isinstance(await ask(desk, ALL, "whatif", sensitivity=True), Refusal)
        assert forecasts.under_way() is None


async def test_batches_are_told_with_what_was_forecast_of_them_last(tmp_path):
    async with forecasting(tmp_path) as (floor, forecasts, desk, _):
        before = await ask(desk, ALL, "batches", only="open")
        assert isinstance(before, Done)
        assert {row["p90_floor_s"] for row in before.result["rows"]} == {None}
        answer = forecast_of(floor.state, floor.host.now_floor_s)
        note(forecasts, answer)
        rows = (await ask(desk, ALL, "batches", only="open")).result["rows"]
        told = {row["batch_id"]: (row["p50_floor_s"], row["p90_floor_s"], row["late_chance_percent"]) for row in rows}
        assert told == {one.batch_id: (one.p50_floor_s, one.p90_floor_s, one.late_percent) for one in answer.batches}


async def test_a_batch_beyond_what_the_runs_look_at_was_forecast_all_the_same(tmp_path):
    async with forecasting(tmp_path) as (floor, forecasts, desk, _):
        answer = held_forecast_of(floor.state, floor.host.now_floor_s)
        await forecasts._note(answer)
        rows = (await ask(desk, ALL, "batches", only="open")).result["rows"]
        told = {
            row["batch_id"]: (row["p90_floor_s"], row["late_chance_percent"], row["forecast_floor_s"]) for row in rows
        }
        first = answer.batches[0].batch_id
        assert told[first] == (None, 100.0, answer.made.at_floor_s)
        assert first not in forecasts.record.open, "what names no time cannot be scored"


async def test_what_waits_for_people_is_told_with_what_it_rests_on(tmp_path):
    async with forecasting(tmp_path) as (floor, forecasts, desk, _):
        forecasts.latest = held_forecast_of(floor.state, floor.host.now_floor_s)
        told = (await ask(desk, ALL, "forecast")).result
        assert [(one["what"], one["waiting"], one["seen"]) for one in told["people"]] == [
            ("held", 6, 7),
            ("override", 2, 0),
        ]
        assert all(one["waiting"] == {"held": 3, "override": 1} for one in told["batches"])


async def test_a_floor_on_which_all_that_is_open_waits_for_people_is_forecast(tmp_path):
    async with forecasting(tmp_path) as (floor, forecasts, desk, _):
        floor.host.run()
        floor.submit(floor.host.now_floor_s, 9, cards=4, holds=4)
        floor.host.run(floor.host.now_floor_s + 1.0)
        assert set(floor.state.batches[9].states.elements()) == {"held"}
        assert (await ask(desk, ALL, "forecast", runs=200, at_once=True)).result["running"]
        assert forecasts.under_way() is not None


# ---- the pages ----------------------------------------------------------------------------------------------------


async def test_the_page_asks_shows_how_far_it_is_and_then_each_batch_with_p50_and_p90(tmp_path):
    async with forecasting(tmp_path, ALL) as (floor, forecasts, _, [visitor]):
        assert "No forecast was made" in (await visitor.get("/forecast")).text
        began = await visitor.get("/forecast/make?runs=500")
        assert began.status == 303
        where = began.header("location")
        asked = forecasts.under_way()
        assert (asked.question.runs, where) == (500, f"/forecast?ticket={asked.number}")
        asked.done = 120
        page = await visitor.get(where)
        assert 'value="120"' in page.text
        assert f'hx-get="{where}"' in page.text
        answer = forecast_of(floor.state, floor.host.now_floor_s)
        forecasts.latest = answer
        end(asked, answer)
        page = await visitor.get(where)
        assert "hx-get" not in page.text
        for one in answer.batches:
            assert one.batch_number in page.text
            assert floor_text(one.p90_floor_s) in page.text
        assert f"{count(17_500)} cards a day" in html.unescape(re.sub(r"<[^>]+>", "", page.text))
        assert "72 %" in texts(page)


async def test_a_batch_has_its_police_stations_and_its_own_page_the_chance_to_be_late(tmp_path):
    async with forecasting(tmp_path, ALL) as (floor, forecasts, _, [visitor]):
        note(forecasts, forecast_of(floor.state, floor.host.now_floor_s))
        batch = next(iter(floor.state.batches.values()))
        page = await visitor.get(f"/forecast?batch={batch.batch_number}")
        assert f"<code>{UNIT}</code>" in page.text
        own = texts(await visitor.get(f"/batches/{batch.batch_number}"))
        assert "late: 72 % chance" in own
        assert "late: 72 % chance" in texts(await visitor.get("/batches?only=open"))


async def test_a_batch_that_waits_for_people_says_so_and_when_its_other_cards_are_finished(tmp_path):
    async with forecasting(tmp_path, ALL) as (floor, forecasts, _, [visitor]):
        answer = held_forecast_of(floor.state, floor.host.now_floor_s)
        forecasts.latest = answer
        await forecasts._note(answer)
        page = " ".join(texts(await visitor.get("/forecast")).split())
        assert "4 cards wait for people" in page
        assert f"the others by {floor_text(answer.batches[0].others_p90_floor_s)}" in page
        assert "decide about held applications" in page
        assert "7 seen" in page
        assert "a guess: none seen" in page
        assert "released 5" in page
        for place, said in ((0, "beyond 14 days"), (1, "in 9 of 10 runs beyond 14 days")):
            own = texts(await visitor.get(f"/batches/{answer.batches[place].batch_number}"))
            assert said in own
            assert "not forecast yet" not in own
        assert "beyond 14 days" in texts(await visitor.get("/batches?only=open"))


async def test_where_no_forecasts_are_made_the_pages_say_so(tmp_path):
    async with open_floor_console(tmp_path, floor_at_work(2, trouble=0.0)) as console:
        visitor = await console.visitor(ALL)
        page = await visitor.get("/forecast")
        assert page.status == 200
        assert "This service makes no forecasts" in page.text
        assert "/forecast/make" not in page.text
        made = await visitor.get("/forecast/make?runs=200")
        assert made.status == 409
        assert "no forecasts" in made.text
        number = next(iter(console.behind.desk.state.batches.values())).batch_number
        assert (await visitor.get(f"/batches/{number}")).status == 200


async def test_how_often_forecasts_held_is_shown_with_the_last_batches(tmp_path):
    async with forecasting(tmp_path, ALL) as (floor, forecasts, _, [visitor]):
        answer = forecast_of(floor.state, floor.host.now_floor_s)
        note(forecasts, answer)
        first, second = answer.batches[:2]
        forecasts.record.score({first.batch_id: first.p50_floor_s, second.batch_id: second.p90_floor_s + 1.0})
        page = " ".join(texts(await visitor.get("/forecast")).split())
        assert "50.0 % finished by the P90" in page
        assert "✗ after the P90" in page


async def test_the_what_if_is_typed_compared_and_shown_with_its_error(tmp_path):
    async with forecasting(tmp_path, ALL) as (floor, forecasts, _, [visitor]):
        form = await visitor.get("/whatif")
        assert 'value="p1"' in form.text
        wrong = await visitor.get("/whatif/make?runs=200")
        assert wrong.status == 409
        assert "Choose a change first" in wrong.text
        began = await visitor.get("/whatif/make?station=p1&from=08:00&step=print&count=2&shifts=3&runs=100")
        where = began.header("location")
        asked = forecasts.under_way()
        assert began.status == 303
        assert dict(asked.question.change.added) == {"print": 2}
        assert (asked.question.runs, asked.question.change.shifts) == (100, 3)
        running = await visitor.get(where)
        assert "hx-get" in running.text
        assert '<option value="p1" selected>' in running.text
        end(asked, difference_of(floor.state, floor.host.now_floor_s))
        shown = texts(await visitor.get(where))
        assert "+120 ± 15" in " ".join(shown.split())
        assert "cannot be told from none" in shown


async def test_one_station_more_of_each_step_stands_in_a_table(tmp_path):
    async with forecasting(tmp_path, ALL) as (floor, forecasts, _, [visitor]):
        began = await visitor.get("/whatif/make?sensitivity=1&runs=100")
        asked = forecasts.under_way()
        assert asked.question.sensitivity
        end(asked, steps_of(floor.state, floor.host.now_floor_s))
        shown = " ".join(texts(await visitor.get(began.header("location"))).split())
        assert "+900 ± 100" in shown


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_both_pages_stand_in_both_languages_and_take_the_right(tmp_path, language):
    async with forecasting(tmp_path, ALL, BLIND, "nobody") as (floor, forecasts, _, [all_of_it, blind, nobody]):
        note(forecasts, forecast_of(floor.state, floor.host.now_floor_s))
        for visitor in (all_of_it, blind, nobody):
            visitor.browser.says["Accept-Language"] = language
        for path in ("/forecast", "/whatif"):
            assert f'<html lang="{language}">' in (await all_of_it.get(path)).text
        told = await blind.get("/forecast")
        assert told.status == 200
        assert "l1" not in re.findall(r"<td>([^<]*)</td>", told.text), "no magazine is named to who counts blind"
        assert (await blind.get("/whatif")).status == 403
        assert {(await nobody.get(path)).status for path in ("/forecast", "/whatif")} == {403}


async def test_what_somebody_types_is_text_on_the_page_and_never_markup(tmp_path):
    async with forecasting(tmp_path, ALL) as (_, _, _, [visitor]):
        page = await visitor.get("/whatif?from=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")
        assert "<script>alert" not in page.text
        page = await visitor.get("/forecast?batch=%3Cscript%3Ealert(1)")
        assert "<script>alert" not in page.text
