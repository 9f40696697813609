"""Status and report for a screen of 80 columns: sections of a few lines; the details stand in the JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from controller.clock import floor_text
from controller.core.why.sentences import WORDS_ZH
from controller.report.charts import text_px
from devices.defects import Step

CAUSES_SHOWN, STATIONS_SHOWN, WANTS_SHOWN, INSPECTORS_SHOWN, ALTERED_SHOWN = 8, 30, 8, 12, 5
COLUMN_PX = 7.2
BAR = 16
STANDINGS = {
    "idle": "idle: nothing to make 空闲：无任务",
    "working": "working 运行",
    "waiting": "work waits 有任务无产出",
    "stopped": "STOPPED 停工",
    "starving": "STARVING 断料",
}


def status_lines(status: Mapping[str, Any]) -> list[str]:
    """Give the status: what it is in a word, what is missing, the last hour beside what is there now."""
    hour, tally = status["last_hour"], status["tally"]
    scale = f" (simulated, x{status['scale']:g})" if status["simulated"] else ""
    lines = [f"status {status['floor_time']}{scale}: {STANDINGS[status['standing']]}"]
    lines += [*trouble_lines(status), *to_do_lines(status)]
    down = stations_down(status)
    lines += ["", f"{'':<12}{'last hour':>12}{'working now':>13}{'waiting now':>13}{'in all':>12}"]
    for step, one in status["steps"].items():
        up = sum(station["step"] == step for station in status["stations"])
        off = sum(station["step"] == step for station in down)
        note = f"  {off} of {up} down" if off else ""
        lines.append(f"{step:<12}{hour[step]:>12,}{one['working']:>13,}{one['waiting']:>13,}{one['worked']:>12,}{note}")
    lines += ["", _row("cards", ("last hour", "in all"))]
    for name in ("received", "made", "dispatched", "remade"):
        lines.append(_row(name, (f"{hour[name]:,}", f"{tally[name]:,}")))
    lines.append(
        f"open {tally['open']:,}: held {tally['held']:,}, to encode {status['unencoded']:,}, "
        f"ready {status['ready']:,}; refused {tally['refused']:,}, cancelled {tally['cancelled']:,}"
    )
    lines += wrapped(f"blanks: {_blanks(status['stock'])}")
    for one in down[:STATIONS_SHOWN]:
        held = f"; the controller holds it: {one['hold']}" if one["hold"] else ""
        lines.append(f"{one['station']} is {one['state']}{' (' + one['reason'] + ')' if one['reason'] else ''}{held}")
    return [_cut(line) for line in lines]


def stations_down(status: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Give the rows of the stations that get no work, because of their state or because somebody holds them."""
    return [one for one in status["stations"] if one["state"] not in ("idle", "execute") or one["hold"]]


def trouble_lines(status: Mapping[str, Any]) -> list[str]:
    """Say what starves the floor, what concerns all of it, and which steps nobody works at; none when all is well."""
    wants, down = status["wants"], stations_down(status)
    lines = [f"  ! {one['en']} {one['zh']}" for one in wants[:WANTS_SHOWN]]
    if len(wants) > WANTS_SHOWN:
        lines.append(f"  ! and {len(wants) - WANTS_SHOWN} more: `cardmill status --json -`")
    lines += [*_alarm_counts(status.get("alarms") or {}), *_alarms(status)]
    for step in status["steps"]:
        mine = [one for one in status["stations"] if one["step"] == step]
        if mine and all(one in down for one in mine):
            lines.append(f"  ! no {step} station works {WORDS_ZH[step]}无可用设备")
    return lines


def _blanks(stock: Mapping[str, Any]) -> str:
    if not stock:
        return "their sums are not for your roles"
    named = ", ".join(f"{name} {count:,}" for name, count in stock["accounts"].items() if count)
    return named or "none were ever received"


def _alarm_counts(counts: Mapping[str, int]) -> list[str]:
    """Say how many alarms stand; nothing when none does."""
    named = ", ".join(f"{count:,} {severity}" for severity, count in counts.items() if count)
    return [f"  ! alarms 告警: {named}: `cardmill alarms`"] if named else []


def _alarms(status: Mapping[str, Any]) -> list[str]:
    """Say what concerns the whole floor: the doors, an emergency, a ledger restored, a full disk, changed rows."""
    lines = _of_doors(status)
    lines += [
        f"  ! {one['by']} took the role {one['role']} ({one['reason']}), {one['left_s'] / 60:.0f} min left 紧急取用角色"
        for one in status.get("glass", ())
    ]
    if status.get("altered"):
        named = ", ".join(map(str, status["altered"][:ALTERED_SHOWN]))
        lines.append(
            f"  ! rows of {len(status['altered'])} batches were changed, no purge takes them ({named}): doctor"
        )
    if status.get("reconciling"):
        lines.append("  ! `cardmill act reconciled` is awaited: restored from a backup 已从备份恢复")
        lines.append("    nothing is made before two people did it; compare first: docs/backup.md")
    disk = status.get("disk") or {}
    if disk and disk["state"] != "ok":
        lines += _low_disk(disk)
    return lines


def _of_doors(status: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with the doors and their keys."""
    lines, keys = [], status.get("keys") or {}
    if status.get("insecure"):
        lines.append("  ! INSECURE: plain sockets, nobody proves who he is 未加密，身份无凭证")
    if keys.get("outside"):
        last = floor_text(keys["outside_floor_s"])
        times = f"{keys['outside']:,} time{'s' if keys['outside'] != 1 else ''}"
        lines.append(f"  ! keys changed past the service {times}, last {last}")
        lines.append("    find out who: `cardmill audit show`, docs/keys.md 密钥被旁路改动")
    if keys.get("pending"):
        lines.append(f"  ! {keys['pending']:,} approved changes of keys wait for the folder 密钥变更尚未写入")
    return lines


def _low_disk(disk: Mapping[str, Any]) -> list[str]:
    """Say how much is free, the limit, what does not go on below it, and what to do."""
    free, least = disk["free_bytes"], disk["free_min_bytes"]
    lines = [f"  ! disk nearly full 磁盘将满: {free >> 20:,} MiB free, limit {least >> 20:,}: free some"]
    if free < least:
        lines.append("    no new batches are taken in 暂停接收新数据包")
    if disk["state"] == "reserve_given_up":
        lines.append("    the reserve is spent 预留空间已用尽")
    return lines


def to_do_lines(status: Mapping[str, Any]) -> list[str]:
    """Say what waits for a person, and which command shows it."""
    waiting = (
        (status["tally"]["held"], "held applications 扣留申请", "review"),
        (status["stopped"], "stopped cards 停止的卡", "stopped"),
        (status["suspects"], "sheets of unknown fate 去向不明的联", "suspects"),
    )
    return [f"  ? {count:,} {what}: `cardmill {command}`" for count, what, command in waiting if count]


def report_lines(report: Mapping[str, Any]) -> list[str]:
    """Give the report in sections: applications, speed, yields, causes, stations, blanks."""
    lead, limiting = report["lead_time_s"], report["limiting_step"] or "-"
    batches = f"batches closed {report['batches_closed']:,} of {report['batches']:,}"
    times = f"p50 {_hours(lead['p50'])}, p95 {_hours(lead['p95'])}"
    ended = ", ".join(
        f"{words(name)} {report[name]:,}" for name in ("dispatched", "refused", "cancelled", "refused_late")
    )
    lines = [
        "report 制证报告: applications 申请",
        f"  received {report['submitted']:,}: {ended}, open {report['open']:,}",
        f"  made {report['made']:,} on {report['sheets']:,} sheets; remade {report['remade']:,}; {batches}",
        "speed 速度",
        f"  {report['cards_per_hour']:,.0f} cards an hour; from arrival to dispatch {times}",
        f"  yearly capacity {report['yearly_capacity'] / 1e6:.2f} million, limited by {limiting}",
        "yields per step 各工序合格率",
        f"  {'':<10}{'first pass':>12}{'first time':>12}{'scrap':>9}{'rework':>9}",
    ]
    for step in Step:
        shares = (report["fpy_by_step"][step], report["fty_by_step"][step])
        losses = (report["scrap_ratio_by_step"][step], report["rework_ratio_by_step"][step])
        lines.append(f"  {step:<10}{shares[0]:>12.2%}{shares[1]:>12.2%}{losses[0]:>9.2%}{losses[1]:>9.2%}")
    lines.append(f"  {'rolled throughput yield (product of the first times)':<52} {report['rty']:.2%}")
    lines += [*_causes(report), *_stations(report), *_inspectors(report)]
    blanks = report["blanks"]
    named = ", ".join(f"{words(name)} {count:,}" for name, count in blanks.items() if name != "difference")
    lines += ["blanks 空白卡", *wrapped(f"  {named}; difference {blanks['difference']:,}")]
    lines += [f"  ! {one}" for one in report["broken_sums"]]
    lines.append("everything: --json FILE, with charts: --html FILE")
    return [_cut(line) for line in lines]


def _causes(report: Mapping[str, Any]) -> list[str]:
    rows = report["causes"]
    if not rows:
        return ["causes 废品原因", "  nothing was spoiled"]
    lines = ["causes 废品原因 (share, running share)"]
    for one in rows[:CAUSES_SHOWN]:
        found = "" if one["found_at"] == one["caused_at"] else f" found at {one['found_at']}"
        bar = "#" * round(BAR * one["count"] / rows[0]["count"])
        head = f"  {one['code']} {one['caused_at']:<9}{one['count']:>7,}{one['share']:>6.0%}{one['cumulated']:>6.0%}"
        lines.append(f"{head} {bar:<{BAR}} {one['zh']}{found}")
    if len(rows) > CAUSES_SHOWN:
        lines.append(f"  and {len(rows) - CAUSES_SHOWN} more")
    return lines


def _stations(report: Mapping[str, Any]) -> list[str]:
    lines = ["stations 设备 (OEE = availability x effectiveness x quality)"]
    lines.append(
        f"  {'':<14}{'OEE':>7}{'avail.':>8}{'effect.':>9}{'quality':>9}{'able':>7}{'worked':>10}{'spoiled':>9}"
    )
    order = [step.value for step in Step]
    names = sorted(report["stations"], key=lambda name: (order.index(report["stations"][name]["step"]), name))
    for name in names[:STATIONS_SHOWN]:
        one, part = report["stations"][name], report["oee_parts_by_station"][name]
        shares = f"{part['oee']:>7.0%}{part['availability']:>8.0%}{part['effectiveness']:>9.0%}{part['quality']:>9.2%}"
        able = f"{one['availability']:>7.0%}"
        lines.append(f"  {name:<14}{shares}{able}{one['worked']:>10,}{one['bad']:>9,}")
    if len(names) > STATIONS_SHOWN:
        lines.append(f"  and {len(names) - STATIONS_SHOWN} more")
    return lines


def _inspectors(report: Mapping[str, Any]) -> list[str]:
    rows = report["inspectors"]
    if not rows:
        return []
    lines = ["inspectors 检验员 (false rejects and misses as far as somebody looked again)"]
    lines.append(f"  {'':<20}{'judged':>10}{'rejected':>10}{'false':>8}{'missed':>8}{'reject rate':>13}")
    for one in rows[:INSPECTORS_SHOWN]:
        counts = (
            f"{one['inspected']:>10,}{one['rejected']:>10,}{one['false_rejects_found']:>8,}{one['misses_found']:>8,}"
        )
        lines.append(f"  {one['inspector']:<20}{counts}{one['reject_rate']:>13.2%}")
    if len(rows) > INSPECTORS_SHOWN:
        lines.append(f"  and {len(rows) - INSPECTORS_SHOWN} more")
    return lines


def _row(name: str, values: Sequence[str]) -> str:
    return f"{name:<12}" + "".join(f"{value:>12}" for value in values)


def words(name: str) -> str:
    """Give a field's name as people read it."""
    return name.replace("_", " ")


def _hours(seconds: float) -> str:
    return f"{seconds / 60:,.0f} min" if seconds < 7_200 else f"{seconds / 3_600:,.1f} h"


def columns_of(text: str) -> int:
    """Give how many columns a text takes on a screen; a Chinese character takes two."""
    return sum(2 if text_px(char) > COLUMN_PX else 1 for char in text)


def wrapped(text: str, most: int = 80) -> list[str]:
    """Cut a line at its spaces into lines of at most `most` columns; the later ones are indented."""
    lines, line = [], ""
    for word in text.split(" "):
        if line and columns_of(line) + 1 + columns_of(word) > most:
            lines.append(line)
            line = "    " + word
        else:
            line = f"{line} {word}" if line or not word else word
    return [*lines, line]


def _cut(line: str, most: int = 80) -> str:
    if columns_of(line) <= most:
        return line
    while columns_of(line) >= most:
        line = line[:-1]
    return line + "…"
