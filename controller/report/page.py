"""The report of a floor as one HTML page: Chinese and English, light and dark, to be printed, nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from controller.checks.codes import CODES
from controller.report.charts import Bar, bars, columns, dots, stack
from devices.defects import DEFECTS, FATE_UNKNOWN, Step

YEARLY_TARGET = 4_500_000  # cards: the yardstick, a province of 18 million people
SECONDS_PER_HOUR = 3_600.0
CODES_SHOWN = 20
CAUSES_SHOWN = 30

STEP_WORDS = {
    Step.PRINT: "膜打印 print",
    Step.LAMINATE: "平压 laminate",
    Step.PUNCH: "冲切 punch",
    Step.WRITE: "电写入 write",
    Step.INSPECT: "质量检验 inspect",
    Step.PACK: "分拣 pack",
}
DEFECT_WORDS = {code: f"{one.zh} {one.en}" for code, one in DEFECTS.items()} | {FATE_UNKNOWN: "下落不明 fate unknown"}


def report_page(report: Mapping[str, Any], *, style: str = "", above: str = "") -> str:
    """Give the page for the JSON of `report.figures`; what a demo adds to it (kills, receipts …) is shown too.

    `style` is markup in place of the style sheet, `above` stands over the title.
    Cost: under 10 ms.  Raises: KeyError when a key of it is missing.
    """
    sections = [
        _applications(report),
        _hours(report),
        _yields(report),
        _causes(report),
        _ratios(report),
        _stations(report),
        _station_yields(report),
        _inspectors(report),
        _lead(report),
        _blanks(report),
        _refused(report),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="zh-CN">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>Cardmill 制证报告 floor report</title>\n{style or f'<style>{STYLE}</style>'}\n</head>\n<body>\n{above}"
        "<header><h1>制证报告 <span>Cardmill floor report</span></h1></header>\n"
        f"{_verdict(report)}{_tiles(report)}\n<main>\n{''.join(sections)}</main>\n"
        "<footer>时间与速度均以车间钟计。 Times and speeds are those of the floor clock.</footer>\n</body>\n</html>\n"
    )


# ---- head -----------------------------------------------------------------------------------------------------


def _verdict(report: Mapping[str, Any]) -> str:
    """Say which sums do not hold; a report that was not checked says nothing."""
    broken = report.get("broken")
    if broken is None:
        return ""
    if not broken:
        return '<p class="good">✓ 各项平衡关系全部成立。 Every sum holds.</p>\n'
    items = "".join(f"<li>{escape(str(one))}</li>" for one in broken)
    return f'<div class="bad">✗ 不成立的平衡关系： These do not hold:<ul>{items}</ul></div>\n'


def _tiles(report: Mapping[str, Any]) -> str:
    lead, limiting = report["lead_time_s"], str(report["limiting_step"])
    tiles = [
        ("发出 dispatched", f"{report['dispatched']:,}", f"受理通过 accepted {report['accepted']:,}"),
        ("每小时制卡 cards per hour", f"{report['cards_per_hour']:,.0f}", f"制成 made {report['made']:,}"),
        (
            "年产能 yearly capacity",
            f"{report['yearly_capacity'] / 1e6:.2f} M",
            f"瓶颈 limited by {step_words(limiting)}; 目标 wanted {YEARLY_TARGET / 1e6:.1f} M",
        ),
        ("直通率 rolled throughput yield", f"{report['rty']:.2%}", f"重制 remade {report['remade']:,}"),
        ("制证时长 lead time p50", hours_text(lead["p50"]), f"p95 {hours_text(lead['p95'])}"),
        ("空白卡差额 blanks difference", f"{report['blanks']['difference']:,}", "应为 must be 0"),
    ]
    receipts = report.get("receipts")
    if receipts:
        told = f"缺 missing {receipts['missing']:,}; 重 double {receipts['double']:,}"
        tiles.append(("终态回执 final receipts", f"{receipts['final']:,}", told))
    if "kills" in report:
        tiles.append(("强制终止 kills", f"{report['kills']:,}", f"用时 wall {report['wall_s']:,.0f} s"))
    if "planted_bad" in report:
        told = f"误拒 good ones refused {report['good_refused']:,}"
        tiles.append(("查出差错 faults caught", f"{report['planted_bad_caught']:,}/{report['planted_bad']:,}", told))
    cells = "".join(
        f"<div><small>{escape(label)}</small><b>{escape(figure)}</b><small>{escape(note)}</small></div>"
        for label, figure, note in tiles
    )
    return f'<div class="tiles">{cells}</div>'


# ---- sections -------------------------------------------------------------------------------------------------


def _applications(report: Mapping[str, Any]) -> str:
    parts = [
        ("发出 dispatched", report["dispatched"], "b"),
        ("撤销 cancelled", report["cancelled"], "e"),
        ("受理后拒绝 refused late", report["refused_late"], "d"),
        ("拒绝 refused", report["refused"], "c"),
        ("未结 open", report["open"], "a"),
    ]
    rows = [Bar(label, value, f"{value:,}", tone=tone) for label, value, tone in parts]
    held = f"人工裁定：放行 held, released {report['held_released']:,}; 拒绝 refused {report['held_refused']:,}"
    return _section("申请去向", f"What became of {report['submitted']:,} applications", stack(rows, "申请去向"), held)


def _hours(report: Mapping[str, Any]) -> str:
    hours = report["yearly_hours"]
    target = YEARLY_TARGET / hours
    text = f"{YEARLY_TARGET / 1e6:.1f} M ÷ {hours:,.0f} h = {target:,.0f}"
    chart = columns(report["cards_per_floor_hour"], "每小时制卡数", target=target, target_text=text)
    return _section(
        "每小时制卡数", "Cards made in each floor hour", chart, "最后一小时可能不满。 The last may be part."
    )


def _yields(report: Mapping[str, Any]) -> str:
    rows = [
        Bar(step_words(step), share, f"{share:.2%}", f"{step_words(step)}: {share:.4%}")
        for step, share in report["fpy_by_step"].items()
    ]
    note = f"废品计入造成它的工序。 A defect counts at the step that caused it. 首次合格率之积 RTY {report['rty']:.2%}"
    return _section("各工序一次合格率", "First-pass yield per step", dots(rows, "各工序一次合格率"), note)


def _causes(report: Mapping[str, Any]) -> str:
    """Show the Pareto: each cause with its share and the running share, who found it where."""
    causes = report["causes"]
    rows = [
        Bar(
            cause_words(one["caused_at"], one["code"]),
            one["count"],
            f"{one['count']:,} · {one['share']:.0%} · {one['cumulated']:.0%}",
            f"{one['code']}: 造成 caused {step_words(one['caused_at'])}, 发现 found {step_words(one['found_at'])}",
            tone="c",
        )
        for one in causes[:CAUSES_SHOWN]
    ]
    more = len(causes) - len(rows)
    note = f"个数、占比、累计占比；共 {report['remade']:,} 个位置。 Count, share, running share of all positions."
    note += f" 另有 {more} 种。 And {more} causes more." if more > 0 else ""
    return _section("废品原因", "Causes of what was spoiled (Pareto)", bars(rows, "废品原因"), note)


def _ratios(report: Mapping[str, Any]) -> str:
    rows = []
    for step in Step:
        scrap, rework = report["scrap_ratio_by_step"][step], report["rework_ratio_by_step"][step]
        words = step_words(step)
        rows.append(Bar(f"{words} 报废 scrap", scrap, f"{scrap:.2%}", tone="c"))
        if rework:
            rows.append(Bar(f"{words} 返工 rework", rework, f"{rework:.2%}", tone="d"))
    note = "占该工序所做位置之比；返工指同一工序再做。 Of what the step worked on; rework is a second pass."
    return _section("报废率与返工率", "Scrap and rework ratio per step", bars(rows, "报废率与返工率"), note)


def _by_route(report: Mapping[str, Any]) -> list[str]:
    """Give the stations in the order of the route, then by name."""
    order, known = [step.value for step in Step], report["stations"]
    return sorted(known, key=lambda name: (order.index(known[name]["step"]), natural(name)))


def _stations(report: Mapping[str, Any]) -> str:
    rows = []
    for name in _by_route(report):
        station, parts = report["stations"][name], report["oee_parts_by_station"].get(name, {})
        factors = " × ".join(f"{parts.get(one, 0.0):.0%}" for one in ("availability", "effectiveness", "quality"))
        told = f"{name}: {station['worked']:,} 个位置 positions, 可用 able to work {station['availability']:.1%}"
        tone = "a" if list(Step).index(Step(station["step"])) % 2 else "b"
        value = report["oee_by_station"][name]
        rows.append(Bar(name, value, f"{value:.0%} = {factors}", told, station["availability"], tone))
    note = (
        "利用 × 效能 × 质量；竖线：能工作的时间占比；效能按满载的稳定节拍计，未装满计为损失。 "
        "Availability × effectiveness × quality; the tick is the share of time the station was able to work; "
        "a part-empty load counts as a loss."
    )
    return _section("设备综合效率", "OEE per station", bars(rows, "设备综合效率", most=1.0), note)


def _station_yields(report: Mapping[str, Any]) -> str:
    known = report["stations"]
    rows = [
        Bar(name, known[name]["fpy"], f"{known[name]['fpy']:.2%}", f"{name}: {known[name]['bad']:,} 废 spoiled")
        for name in _by_route(report)
        if known[name]["worked"]
    ]
    note = "废品计入造成它的设备，无论在哪里发现。 Charged to the station that caused it, wherever it was found."
    return _section("各设备一次合格率", "First-pass yield per station", dots(rows, "各设备一次合格率"), note)


def _inspectors(report: Mapping[str, Any]) -> str:
    rows = []
    for one in report["inspectors"]:
        found = f"误拒 false {one['false_rejects_found']:,} · 漏检 missed {one['misses_found']:,}"
        told = f"{one['inspector']}: {one['inspected']:,} 张 judged, {one['rejected']:,} 拒 rejected"
        text = f"{one['reject_rate']:.2%} · {found}"
        rows.append(Bar(one["inspector"], one["reject_rate"], text, told, tone="d"))
    note = "拒绝率；误拒与漏检只计已查明的。 Reject rate; false rejects and misses as far as somebody looked again."
    return _section("检验员", "Inspectors", bars(rows, "检验员"), note)


def _lead(report: Mapping[str, Any]) -> str:
    lead = report["lead_time_s"]
    rows = [
        Bar("一半的卡 half the cards", lead["p50"], hours_text(lead["p50"])),
        Bar("95% 的卡 95 of 100 cards", lead["p95"], hours_text(lead["p95"]), tone="e"),
    ]
    note = "自整批到达至发出。 From the arrival of the whole batch to dispatch."
    return _section("制证时长", "Lead time", bars(rows, "制证时长"), note)


def _blanks(report: Mapping[str, Any]) -> str:
    blanks = report["blanks"]
    parts = [("好卡 good", "good", "b"), ("废卡 spoiled", "spoiled", "c"), ("存疑 suspect", "suspect", "d")]
    parts += [("结存 remaining", "remaining", "e"), ("样品遗失 sample, lost", "taken", "a")]
    rows = [Bar(label, blanks[key], f"{blanks[key]:,}", tone=tone) for label, key, tone in parts]
    note = (
        f"期初 opening {blanks['opening']:,} + 收入 received {blanks['received']:,} − 好卡 good − 废卡 spoiled − "
        f"存疑 suspect − 结存 remaining − 样品遗失 sample, lost = {blanks['difference']:,}"
    )
    return _section("空白卡平衡", "Balance of blanks", stack(rows, "空白卡平衡"), note)


def _refused(report: Mapping[str, Any]) -> str:
    codes = sorted(report["refused_by_code"].items(), key=lambda one: (-one[1], one[0]))
    rows = [Bar(code, count, f"{count:,}", _sentence(code), tone="d") for code, count in codes[:CODES_SHOWN]]
    more = len(codes) - len(rows)
    note = f"另有 {more} 种。 And {more} codes more." if more > 0 else "一份申请可有数码。 One may have several codes."
    return _section("拒绝原因代码", "Refused, by code", bars(rows, "拒绝原因代码"), note)


# ---- parts ----------------------------------------------------------------------------------------------------


def _section(zh: str, en: str, chart: str, note: str) -> str:
    return f"<section><h2>{escape(zh)} <span>{escape(en)}</span></h2>{chart}<p>{escape(note)}</p></section>\n"


def _sentence(code: str) -> str:
    known = CODES.get(code)
    return f"{code}: {known.zh} {known.en}" if known else code


def step_words(step: str) -> str:
    """Give a step's Chinese and English name; another word stays as it is."""
    return STEP_WORDS.get(Step(step), step) if step in list(Step) else step


def cause_words(step: str, code: str) -> str:
    """Give a cause to be read: the step's Chinese name, the code, what it means."""
    return f"{step_words(step).split()[0]} {code} {DEFECT_WORDS.get(code, '')}".rstrip()


def hours_text(seconds: float) -> str:
    """Give a time to be read: minutes below two hours, else hours."""
    return f"{seconds / 60:,.0f} min" if seconds < 2 * SECONDS_PER_HOUR else f"{seconds / SECONDS_PER_HOUR:,.1f} h"


def natural(name: str) -> Sequence[tuple[int, int, str]]:
    """Give what to sort a name by so that 10 comes after 9."""
    words = "".join(char if char.isdigit() else f" {char} " for char in name).split()
    return [(0, int(word), "") if word.isdecimal() else (1, 0, word) for word in words]


STYLE = """
:root{color-scheme:light dark;--page:#f4f5f7;--panel:#fff;--ink:#1b2430;--soft:#5d6a7a;--line:#dfe3e8;
--a:#2f6fb3;--b:#23897c;--c:#c2502f;--d:#b8860b;--e:#8a94a3}
@media (prefers-color-scheme:dark){:root{--page:#11151b;--panel:#1a2028;--ink:#e7eaee;--soft:#9ba7b5;--line:#2d3640;
--a:#6aa7e6;--b:#4dbcac;--c:#ec8463;--d:#dcb14c;--e:#7d8896}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:1240px;padding:20px;background:var(--page);color:var(--ink);
font:15px/1.5 system-ui,"Noto Sans CJK SC","Microsoft YaHei","PingFang SC",sans-serif}
h1{font-size:24px;margin:0 0 12px}h2{font-size:16px;margin:0 0 12px}
h1 span,h2 span{font-weight:400;color:var(--soft);margin-left:.4em}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:12px;margin-bottom:12px}
.tiles div,section{background:var(--panel);border:1px solid var(--line);border-radius:8px}
.tiles div{padding:10px 14px;display:flex;flex-direction:column}.tiles b{font-size:24px;font-weight:600}
.tiles small,section p,footer{color:var(--soft);font-size:12.5px}
main{columns:2 460px;column-gap:12px}
section{padding:14px 16px;break-inside:avoid;margin:0 0 12px}section p{margin:10px 0 0}
.good,.bad{padding:8px 14px;border-radius:8px;border:1px solid var(--line);background:var(--panel);margin:0 0 12px}
.good{border-left:5px solid var(--b)}.bad{border-left:5px solid var(--c)}.bad ul{margin:4px 0 0}footer{padding:6px 2px}
svg{display:block;width:100%;height:auto;font-size:12px}
text{fill:var(--ink)}text.m,.grid+text{fill:var(--soft)}
.a{fill:var(--a)}.b{fill:var(--b)}.c{fill:var(--c)}.d{fill:var(--d)}.e{fill:var(--e)}
.axis{stroke:var(--soft)}.grid{stroke:var(--line)}.mark{stroke:var(--ink);stroke-width:2}
.loss{stroke:var(--c);stroke-width:3;opacity:.45}.target{stroke:var(--c);stroke-dasharray:5 4}
@media print{:root{color-scheme:light;--page:#fff;--panel:#fff;--ink:#000;--soft:#444;--line:#ccc;
--a:#2f6fb3;--b:#23897c;--c:#c2502f;--d:#b8860b;--e:#8a94a3}
body{max-width:none;padding:0;font-size:12px}*{print-color-adjust:exact;-webkit-print-color-adjust:exact}}
"""
