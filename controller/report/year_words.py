"""The words of a year's report in Chinese and English, and what each of its own figures is, with its unit."""

from __future__ import annotations

from collections.abc import Mapping

Pair = tuple[str, str]

YEAR_TITLES: Mapping[str, Pair] = {
    "year": ("年", "year"),
    "months": ("每日制成与需求", "Cards made a day against demand"),
    "days": ("逐日数字", "Day by day"),
    "open": ("未结", "Open cases"),
    "weeks": ("逐周数字", "Week by week"),
    "flow": ("各周瓶颈", "The bottleneck by week"),
    "leads": ("制证时长（按时限类别）", "Lead times by due class"),
    "week_leads": ("制证时长（按周与时限类别）", "Lead times by week and due class"),
    "stops": ("设备停机", "Stops of stations"),
    "blank_sums": ("空白卡去向", "What became of the blanks"),
    "overtime": ("加班", "Overtime"),
    "constants": ("模拟所依据的常数", "Simulated constants"),
}
YEAR_COLUMNS: Mapping[str, Pair] = {
    "month": ("月", "month"),
    "week": ("周", "week"),
    "is_holiday": ("节假日", "holiday"),
    "received": ("受理", "received"),
    "accepted": ("需求（检验通过）", "demand (accepted)"),
    "made": ("制成", "made"),
    "dispatched": ("发出", "dispatched"),
    "remade": ("重制", "remade"),
    "overtime_s": ("加班 h", "overtime h"),
    "overtime_cards": ("加班制卡", "overtime cards"),
    "lead_p50_s": ("时长 p50 h", "lead p50 h"),
    "lead_p95_s": ("时长 p95 h", "lead p95 h"),
    "in_time": ("按时", "in time"),
    "bottleneck": ("瓶颈", "bottleneck"),
    "due_class": ("时限类别", "due class"),
    "state": ("状态", "state"),
    "reason": ("设备所报原因", "reason it gave"),
    "longest_s": ("最长 h", "longest h"),
    "blank_sum": ("项目", "what"),
    "station_s": ("设备小时", "station hours"),
    "constant": ("常数", "constant"),
    "value": ("值", "value"),
}
DUE_WORDS: Mapping[str, Pair] = {
    "all": ("全部", "all"),
    "express": ("加急", "express"),
    "within_7": ("7 日内", "due within 7 days"),
    "within_15": ("8 至 15 日", "8 to 15 days"),
    "within_30": ("16 至 30 日", "16 to 30 days"),
    "over_30": ("30 日以上", "over 30 days"),
}
STATE_WORDS: Mapping[str, Pair] = {
    "stopped": ("离线", "stopped"),
    "held": ("保持", "held"),
    "suspended": ("等待供料", "suspended"),
    "aborted": ("故障停机", "aborted"),
    "silent": ("失联", "silent"),
    "others": ("其他", "others"),
}
BLANK_WORDS: Mapping[str, Pair] = {
    "begin": ("期初库存（库房与料仓）", "in stock at the beginning"),
    "received": ("收货", "received"),
    "used": ("投入生产", "used: bound to sheets"),
    "spoiled": ("作废", "spoiled"),
    "destroyed": ("已销毁", "destroyed"),
    "sampled": ("样品", "samples"),
    "missing": ("遗失", "missing"),
    "returned": ("退回", "returned"),
    "dispatched": ("随卡发出", "dispatched"),
    "end": ("期末库存（库房与料仓）", "in stock at the end"),
    "on_floor": ("期末在制与待毁", "on the floor or to be destroyed at the end"),
}
YEAR_MEANINGS: tuple[Pair, ...] = (
    (
        "需求：当日检验通过或扣留后放行的申请；制成：当日装捆的卡片，减去重新拆捆者。粗线为七日平均。",
        (
            "Demand: cases that the checks accepted or a person released that day. Made: cards bundled that day, less "
            "those of bundles opened again. The thick lines are means of the seven days that end there."
        ),
    ),
    (
        (
            "瓶颈：一周内，该工序前有活等待、同时其设备带有负荷的设备小时 ÷ （该工序设备数 × 日历开工小时），"
            "取最大的工序；停机时仍带负荷的计入，加班可使其超过 100%。"
        ),
        (
            "Bottleneck of a week: the step with the largest share of station hours with a load while work waited "
            "before the step / (its stations × hours the calendar left open). A load in a machine that is down counts; "
            "overtime may bring it above 100%."
        ),
    ),
    (
        (
            "等待：打印前为已编码、不在膜上且不等人裁定的卡；其后各工序为已出上一工序、未被取走、仍有待加工位置的联；"
            "装捆前为不在捆中也不在装捆机上的合格卡。"
        ),
        (
            "What waits: before printing encoded cards that lie on no sheet and wait for no person's decision; before "
            "the later steps sheets that came out of the step before, are in no station and have a position to work "
            "on; before packing good cards that lie in no bundle and at no packer."
        ),
    ),
    (
        (
            "时限类别：加急为按加急受理或上级催办的卡；其余按批次到达至应结的天数。按时：不晚于应结时间发出的比例。"
            "年初之前催办、年初仍未结的批次按未加急计。"
        ),
        (
            "Due class: express cards are those that came as express or were hastened by their upstream; the others "
            "go by the days from the arrival of their batch to its due date. In time: the share dispatched not later "
            "than due. What was hastened before the report begins counts as not express."
        ),
    ),
    (
        (
            "加班：日历的工作日与班次之外，至少一台能工作的设备带有负荷的小时（设备小时为各台之和），及其间装捆的卡片。"
            "日历没有班次时无从谈起。"
        ),
        (
            "Overtime: the hours outside the calendar's working days and shifts in which at least one station that "
            "could work had a load (station hours: added over stations), and the cards bundled then. Nothing is "
            "outside a calendar that has no shifts."
        ),
    ),
    (
        "停机：设备处于既非待机也非生产的状态；次数为进入该状态的报告数，时长到下一报告为止，含班外时间。",
        (
            "Stops: a station was in a state that is neither idle nor executing; times are its reports of that state, "
            "hours go on to its next report, those outside of shifts too."
        ),
    ),
    (
        "空白卡（张）：投入为与膜结合者；作废含空位及已知坏位置；期末在制含成捆、合格、隔离、存疑、退回与待销毁者。",
        (
            "Blanks: used are those bound to sheets; spoiled counts empty and known-bad positions too; on the floor "
            "are those on sheets, good, in bundles, quarantined, suspect, returned, and waiting for destruction."
        ),
    ),
)
