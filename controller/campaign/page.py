"""The campaign's report as one HTML page: Chinese and English, light and dark, to be printed, nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from controller.report.charts import Bar, bars
from controller.report.page import STYLE

UNITS_SHOWN = 500  # bars; the table has them all
GROUP_WORDS = {
    "full": "全额 full",
    "half": "减半 half",
    "exempt": "免收 exempt",
    "none": "返工 made again, no fee",
    "unknown": "未记录 not recorded",
}
FLOW_WORDS = {
    "opening": "期初 opening",
    "accepted": "受理通过 accepted",
    "dispatched": "发出 dispatched",
    "cancelled": "撤销 cancelled",
    "refused_late": "受理后拒绝 refused late",
    "open": "未结 open",
}

Row = Mapping[str, Any]


def campaign_page(report: Row, *, style: str = "", above: str = "") -> str:
    """Give the page for the JSON of `controller.campaign.report`.

    `style` is markup in place of the style sheet, `above` stands over the title.
    Raises: KeyError when a key of it is missing.
    """
    title = f"制证计划完成情况 {report['from']} … {report['to']}"
    sections = [_ranking(report), _accuracy(report), _fees(report), _table(report), _unplanned(report)]
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Cardmill {escape(title)}</title>\n{style or f'<style>{STYLE}{TABLE_STYLE}</style>'}\n</head>\n<body>\n"
        f"{above}<header><h1>{escape(title)} <span>Cardmill campaign report</span></h1></header>\n"
        f"{_tiles(report)}\n{''.join(sections)}"
        f"<footer>统计范围：申请之日满 {report['scope_age']} 周岁；一个受理号计一次；以发出为完成。 "
        f"Counted: people of {report['scope_age']} or older on the day of application, each acceptance number once, "
        "from the day their card was dispatched.</footer>\n</body>\n</html>\n"
    )


def _tiles(report: Row) -> str:
    total = report["total"]
    line = f"验收线 acceptance {report['acceptance_percent']:g} %"
    tiles = [
        ("完成 completed", f"{total['completed_percent']:.2f} %", line),
        ("制发 cards", f"{total['completed']:,}", f"计划 target {total['target']:,}"),
        ("本期 in this period", f"{total['completed_in_period']:,}", f"受理 received {total['received']:,}"),
        ("达标单位 units complete", f"{total['units_complete']:,}", f"共 of {total['units']:,}"),
        (
            "采集合格率 capture accuracy",
            f"{total['capture_accuracy_percent']:.2f} %",
            f"相片 photo {total['photo_faults']:,}; 数据 data {total['data_faults']:,}",
        ),
        (
            "工本费 fee classes",
            "平衡 balance" if report["fees_balance"] else "不平衡 DO NOT BALANCE",
            "见下表 see the table below",
        ),
    ]
    cells = "".join(
        f"<div><small>{escape(label)}</small><b>{escape(figure)}</b><small>{escape(note)}</small></div>"
        for label, figure, note in tiles
    )
    return f'<div class="tiles">{cells}</div>'


def _ranking(report: Row) -> str:
    line = report["acceptance_percent"]
    rows = [
        Bar(
            f"{row['rank']} {_named(row)}",
            row["completed_percent"],
            f"{row['completed_percent']:.2f} %",
            f"{_named(row)}: {row['completed']:,} / {row['target']:,}",
            mark=line,
            tone="b" if row["complete"] else "a",
        )
        for row in report["units"][:UNITS_SHOWN]
    ]
    most = max([100.0, *(row["completed_percent"] for row in report["units"])])
    note = f"竖线：验收线 {line:g} %。 The tick is the acceptance line."
    return _section("单位完成率排名", "Ranking of units", bars(rows, "单位完成率排名", most=most), note)


def _accuracy(report: Row) -> str:
    found = [row for row in (*report["units"], *report["unplanned"]) if row["received"]]
    found.sort(key=lambda row: (row["capture_accuracy_percent"], row["unit"]))
    rows = [
        Bar(
            _named(row),
            row["capture_accuracy_percent"],
            f"{row['capture_accuracy_percent']:.2f} %",
            f"{_named(row)}: 受理 received {row['received']:,}, 相片 photo {row['photo_faults']:,}, "
            f"数据 data {row['data_faults']:,}",
            tone="e",
        )
        for row in found[:UNITS_SHOWN]
    ]
    note = (
        "一减去因相片或数据差错被退回者所占的份额，本期收到的申请，差者在前。 "
        "1 less the share refused for faults of photo or data, of this period's applications, the lowest first."
    )
    return _section("采集合格率", "Capture accuracy", bars(rows, "采集合格率", most=100.0), note)


def _fees(report: Row) -> str:
    head = ["类别 class", *FLOW_WORDS.values()]
    rows = [[GROUP_WORDS[row["group"]], *(f"{row[flow]:,}" for flow in FLOW_WORDS)] for row in report["fee_groups"]]
    rows += [
        [f"　{row['fee_class']}", *(f"{row[flow]:,}" for flow in FLOW_WORDS)]
        for row in report["fees"]
        if any(row[flow] for flow in FLOW_WORDS)
    ]
    note = "期初 + 受理通过 = 发出 + 撤销 + 受理后拒绝 + 未结。 Opening and accepted equal the four others."
    return _section("工本费对账", "Fee classes", _html_table(head, rows), note)


def _table(report: Row) -> str:
    head = ["单位 unit", "名次 rank", "年度 year", "计划 target", "完成 completed", "%", "达标 complete"]
    head += ["本期 in period", "受理 received", "相片 photo", "数据 data"]
    rows = [
        [
            *(_named(row), str(row["rank"]), f"{row['year']} ({row['from']} … {row['to']})", f"{row['target']:,}"),
            *(f"{row['completed']:,}", f"{row['completed_percent']:.2f}", "是 yes" if row["complete"] else "否 no"),
            *(f"{row[key]:,}" for key in ("completed_in_period", "received", "photo_faults", "data_faults")),
        ]
        for row in report["units"]
    ]
    note = "完成：自计划起始月至本期末。 Completed: from the first month of the plan to the end of this period."
    return _section("各单位", "Units of the plan", _html_table(head, rows), note)


def _unplanned(report: Row) -> str:
    if not report["unplanned"]:
        return ""
    keys = ("completed_in_period", "received", "photo_faults", "data_faults")
    head = ["单位 unit", "完成 completed", "受理 received", "相片 photo", "数据 data"]
    rows = [[_named(row), *(f"{row[key]:,}" for key in keys)] for row in report["unplanned"]]
    return _section("无计划单位", "Units without a target", _html_table(head, rows), "")


def _named(row: Row) -> str:
    return f"{row['unit']} {row['name']}".strip()


def _section(zh: str, en: str, body: str, note: str) -> str:
    return f"<section><h2>{escape(zh)} <span>{escape(en)}</span></h2>{body}<p>{escape(note)}</p></section>\n"


def _html_table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><thead><tr>{top}</tr></thead><tbody>{body}</tbody></table>"


TABLE_STYLE = """
table{border-collapse:collapse;width:100%;font-size:13px}th,td{padding:3px 8px;border-bottom:1px solid var(--line);
text-align:right;font-variant-numeric:tabular-nums}th:first-child,td:first-child{text-align:left}
thead{display:table-header-group}tr{break-inside:avoid}
svg{max-width:720px}.tiles{grid-template-columns:repeat(auto-fit,minmax(165px,1fr))}
section{break-inside:auto}
"""
