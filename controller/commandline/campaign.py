"""The command line's campaign commands."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from controller.campaign.page import FLOW_WORDS, GROUP_WORDS, campaign_page
from controller.commandline import show
from controller.commandline.options import AsName, ConfigPath, DataPath, JsonPath, ask

WIDE_BAR, NARROW_BAR = 20, 10  # cells
WIDE_TERMINAL = 100  # columns
MARKS = {"": "", "soon": "将到期 ends soon", "ended": "已到期 ended"}


def add_to(app: typer.Typer) -> None:
    """Add this room's commands."""
    app.command()(campaign)
    app.command()(posts)


def campaign(
    first: Annotated[str, typer.Option("--from", help="First month, like 2026-03; else this month.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last month; else this month.")] = "",
    html: Annotated[Path | None, typer.Option(help="Write the report as a page to be printed.")] = None,
    whole: Annotated[bool, typer.Option("--all", help="Also the units without any card yet.")] = False,
    as_name: AsName = "",
    config: ConfigPath = None,
    data: DataPath = None,
    json: JsonPath = "",
) -> None:
    """Show how far each unit is with its plan. Also what was wrong with its applications, and the fee classes' sums."""
    args = {name: month for name, month in (("from", first), ("to", last)) if month}
    report = ask("campaign", args, as_name, config, data)
    if html:
        html.write_text(campaign_page(report), "utf-8")
        print(f"written: {html}")
    if json:
        show.write_json(report, json)
    if not (html or json):
        print_campaign(report, Console(), whole)


def posts(as_name: AsName = "", config: ConfigPath = None, data: DataPath = None, json: JsonPath = "") -> None:
    """Show who may do what until when. What ends within 30 days is marked."""
    found = ask("posts", {}, as_name, config, data)
    if json:
        show.write_json(found, json)
    elif not found["asked_for"]:
        print("未设岗位证书表 no certificates are asked for: posts.table of the settings is empty")
    else:
        _print_posts(found, Console())


def print_campaign(report: dict[str, Any], console: Console, whole: bool = False) -> None:
    """Print the report as tables, a bar for each unit of the plan that has a card; `whole`: for every one."""
    total, line = report["total"], report["acceptance_percent"]
    console.print(
        f"制证计划 Campaign {report['from']} … {report['to']}: 完成 {total['completed']:,} of {total['target']:,} "
        f"cards ({total['completed_percent']:.2f} %)\n"
        f"验收线 acceptance {line:g} %, 达标 units complete {total['units_complete']} of {total['units']}"
    )
    rows = report["units"] if whole else [row for row in report["units"] if row["completed"] or row["received"]]
    folded = len(report["units"]) - len(rows)
    if rows:
        line_percent, bar_cells = (
            report["acceptance_percent"],
            WIDE_BAR if console.width >= WIDE_TERMINAL else NARROW_BAR,
        )
        console.print(_units(rows, line_percent, bar_cells))
    if folded:
        units = "unit has" if folded == 1 else "units have"
        console.print(
            f"另有 {folded} 个单位尚无制证 {folded} {'more ' if rows else ''}{units} no card yet: --all shows all"
        )
    if report["unplanned"]:
        console.print(_unplanned(report["unplanned"]))
    console.print(_fees(report))
    console.print(
        "工本费平衡 fee classes balance" if report["fees_balance"] else "工本费不平衡 FEE CLASSES DO NOT BALANCE"
    )


def bar(percent: float, line_percent: float, cells: int = WIDE_BAR) -> Text:
    """Give a bar of so many cells for 0 to 100 percent, green from the line on, which is a tick while not reached.

    A share above 0 is at least a thin bar.
    """
    full = min(cells, int(percent / 100 * cells))
    drawn = ["█"] * full + ["░"] * (cells - full)
    if percent > 0 and not full:
        drawn[0] = "▏"
    if percent < line_percent:
        drawn[min(cells - 1, int(line_percent / 100 * cells))] = "┃"
        return Text("".join(drawn), style="yellow")
    return Text("".join(drawn), style="green")


def _units(rows: list[dict[str, Any]], line_percent: float, bar_cells: int) -> Table:
    table = _table("单位 units of the plan")
    for zh, en in (("名次", "rank"), ("单位", "unit"), ("名称", "name"), ("年度", "year")):
        table.add_column(f"{zh}\n{en}", no_wrap=en != "name")
    for zh, en in (("计划", "target"), ("完成", "completed")):
        table.add_column(f"{zh}\n{en}", justify="right", no_wrap=True)
    table.add_column("完成率\nof target", no_wrap=True)
    for zh, en in (("", "%"), ("合格率", "capture")):
        table.add_column(f"{zh}\n{en}", justify="right", no_wrap=True)
    for row in rows:
        percent = row["completed_percent"]
        table.add_row(
            *(str(row["rank"]), row["unit"], escape(row["name"]), row["year"]),
            *(f"{row['target']:,}", f"{row['completed']:,}", bar(percent, line_percent, bar_cells)),
            *(f"{percent:.2f}", _capture(row)),
        )
    return table


def _unplanned(rows: list[dict[str, Any]]) -> Table:
    table = _table("无计划单位 units without a target")
    for zh, en in (("单位", "unit"), ("名称", "name"), ("完成", "completed"), ("受理", "received")):
        table.add_column(f"{zh}\n{en}")
    table.add_column("采集合格率\ncapture %", justify="right")
    for row in rows:
        numbers = (f"{row['completed_in_period']:,}", f"{row['received']:,}")
        table.add_row(row["unit"], escape(row["name"]), *numbers, _capture(row))
    return table


def _fees(report: dict[str, Any]) -> Table:
    table = _table("工本费对账 fee classes")
    table.add_column("类别\nclass")
    for words in FLOW_WORDS.values():
        table.add_column(words.replace(" ", "\n", 1), justify="right")
    for row in report["fee_groups"]:
        table.add_row(GROUP_WORDS[row["group"]].replace(", ", "\n"), *(f"{row[flow]:,}" for flow in FLOW_WORDS))
    return table


def _capture(row: dict[str, Any]) -> str:
    return f"{row['capture_accuracy_percent']:.2f}" if row["received"] else "-"


def _print_posts(found: dict[str, Any], console: Console) -> None:
    if found["error"]:
        told = f"表已损坏，沿用上次的表 THE TABLE IS DAMAGED, what was read before it holds on: {found['error']}"
        console.print(Text(told, style="red"), soft_wrap=True)
    table = _table("岗位证书 certificates")
    for zh, en in (("姓名", "name"), ("岗位", "post"), ("有效至", "until")):
        table.add_column(f"{zh}\n{en}")
    table.add_column("剩余天数\ndays left", justify="right")
    table.add_column("标记\nmark")
    for row in found["certificates"]:
        mark = Text(MARKS[row["mark"]], style="red" if row["mark"] == "ended" else "yellow")
        table.add_row(Text(row["name"]), row["post"], row["valid_until"], str(row["days_left"]), mark)
    console.print(table)


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", box=SIMPLE_HEAD, padding=0, show_edge=False)
