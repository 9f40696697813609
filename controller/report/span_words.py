"""The words of a span's report in Chinese and English, and what each figure of it is, with its unit."""

from __future__ import annotations

from collections.abc import Mapping

from controller.report.page import STEP_WORDS
from controller.report.text import words as words_of
from controller.report.year_words import YEAR_COLUMNS, YEAR_TITLES, Pair
from devices.defects import DEFECTS, FATE_UNKNOWN, Step

ZH, EN = "zh", "en"
LANGUAGES = (ZH, EN)

TITLES: Mapping[str, Pair] = {
    "title": ("制证报告", "Production report"),
    "shift": ("班次", "shift"),
    "day": ("日", "day"),
    "month": ("月", "month"),
    "cards": ("申请与卡片", "Applications and cards"),
    "curve": ("每小时制卡数", "Cards per hour"),
    "steps": ("各工序合格率", "Yields per step"),
    "oee": ("设备综合效率", "OEE per station"),
    "causes": ("废品原因", "Causes of what was spoiled (Pareto)"),
    "blanks": ("空白卡平衡", "Balance of blanks"),
    "counts": ("盘点", "Counts"),
    "shifts": ("班结", "Shifts closed"),
    "acts": ("双人操作", "Two-person acts"),
    "alarms": ("报警", "Alarms"),
    "late": ("逾期数据包", "Late batches"),
    "refused": ("拒绝原因代码", "Refused, by code"),
    "meaning": ("指标定义", "What the figures mean"),
    **YEAR_TITLES,
}
CARDS: Mapping[str, Pair] = {
    "open_at_begin": ("期初未结", "open at the beginning"),
    "received": ("受理", "received"),
    "refused": ("检验拒绝", "refused by the checks"),
    "held": ("扣留待裁", "held for a person"),
    "accepted": ("检验通过", "accepted by the checks"),
    "held_released": ("扣留后放行", "held, then released"),
    "held_refused": ("扣留后拒绝", "held, then refused"),
    "cancelled": ("撤销", "cancelled"),
    "refused_late": ("受理后拒绝", "refused after acceptance"),
    "made": ("制成", "made"),
    "dispatched": ("发出", "dispatched"),
    "open_at_end": ("期末未结", "open at the end"),
    "remade": ("重制", "remade"),
    "set_good_earlier": ("前期废品改判合格", "spoiled before, set good"),
    "sheets": ("拼版联数", "sheets imposed"),
    "batches": ("数据包", "batches"),
    "batches_refused": ("整批拒绝", "batches refused whole"),
    "batches_closed": ("结清数据包", "batches closed"),
}
COLUMNS: Mapping[str, Pair] = {
    "name": ("项目", "what"),
    "count": ("个数", "count"),
    "step": ("工序", "step"),
    "worked": ("加工位置", "worked on"),
    "scrap": ("报废", "scrap"),
    "rework": ("返工", "rework"),
    "fpy": ("一次合格率", "first pass"),
    "fty": ("首次合格率", "first time"),
    "scrap_ratio": ("报废率", "scrap ratio"),
    "rework_ratio": ("返工率", "rework ratio"),
    "station": ("设备", "station"),
    "planned_s": ("计划 h", "planned h"),
    "busy_s": ("生产 h", "busy h"),
    "down_s": ("停机 h", "down h"),
    "loads": ("加工次数", "loads"),
    "bad": ("致废", "spoiled"),
    "ideal_unit_s": ("理想节拍 s", "ideal unit s"),
    "availability": ("利用", "availability"),
    "effectiveness": ("效能", "effectiveness"),
    "quality": ("质量", "quality"),
    "oee": ("综合效率", "OEE"),
    "begin_floor_s": ("起", "from"),
    "seconds": ("时长 h", "hours"),
    "cards": ("卡片", "cards"),
    "per_hour": ("每小时", "per hour"),
    "code": ("代码", "code"),
    "meaning": ("含义", "meaning"),
    "caused_at": ("造成工序", "caused at"),
    "found_at": ("发现工序", "found at"),
    "share": ("占比", "share"),
    "cumulated": ("累计", "running share"),
    "account": ("账户", "account"),
    "begin": ("期初", "beginning"),
    "came": ("转入", "came in"),
    "went": ("转出", "went out"),
    "end": ("期末", "end"),
    "at_floor_s": ("时间", "time"),
    "place": ("地点", "place"),
    "counted": ("实点", "counted"),
    "expected": ("账面", "expected"),
    "difference": ("差额", "difference"),
    "by": ("经办", "by"),
    "second": ("复核", "second"),
    "shift": ("班次号", "shift"),
    "opened_floor_s": ("开班", "opened"),
    "closed_floor_s": ("结束", "closed"),
    "lost": ("遗失序列号", "serials lost"),
    "verb": ("操作", "act"),
    "about": ("对象", "about"),
    "done": ("完成", "done"),
    "alarm": ("报警", "alarm"),
    "times": ("次数", "times"),
    "first_floor_s": ("首次", "first"),
    "last_floor_s": ("末次", "last"),
    "batch_number": ("数据包号", "batch"),
    "upstream": ("上级系统", "upstream"),
    "received_floor_s": ("收到", "received"),
    "due_floor_s": ("应结", "due"),
    "late_s": ("逾期 h", "late h"),
    "open": ("未结", "open"),
    **{step.value: (words.split()[0], words.split()[1]) for step, words in STEP_WORDS.items()},
    **YEAR_COLUMNS,
}
ACCOUNTS: Mapping[str, Pair] = {
    "vault": ("库房", "vault"),
    "magazine": ("料仓", "magazines"),
    "sheet": ("在制联", "on sheets"),
    "good": ("合格", "good"),
    "quarantined": ("隔离", "quarantined"),
    "spoiled": ("废卡", "spoiled"),
    "suspect": ("存疑", "suspect"),
    "sample": ("样品", "samples"),
    "returned": ("退回", "returned"),
    "missing": ("遗失", "missing"),
    "destroyed": ("已销毁", "destroyed"),
    "bundle": ("成捆", "in bundles"),
    "dispatched": ("已发出", "dispatched"),
}
ALARM_WORDS: Mapping[str, Pair] = {
    "station.aborted": ("设备故障停机", "station aborted"),
    "station.silent": ("设备失联", "station silent"),
    "station.lied": ("设备报告不可信", "station said what cannot be"),
    "station.held": ("设备被暂停派工", "station held"),
    "station.drift": ("质量漂移", "drift of quality"),
    "suspect.open": ("空白卡去向不明", "blanks of unknown fate"),
    "blank.missing": ("空白卡遗失", "blanks missing"),
    "card.stopped": ("卡片停制待裁", "card stopped"),
    "pile.stopped": ("装捆数量不符", "bundle did not scan whole"),
    "consignment.differs": ("到达数量不符", "arrival count differs"),
    "count.differs": ("盘点不符", "stock count differs"),
    "attempt.denied": ("越权尝试", "attempt refused"),
    "glass.broken": ("紧急取用角色", "role taken in an emergency"),
    "keys.outside": ("密钥被旁路改动", "key changed past the service"),
    "account.locked": ("账号锁定", "account locked"),
    "ledger.reconciling": ("账本自备份恢复", "ledger restored from a backup"),
    "others": ("其他报警", "others"),
}
MEANINGS: tuple[Pair, ...] = (
    ("时间为车间钟（UTC），时长为车间时。", "Times are those of the floor clock (UTC), durations floor hours."),
    (
        "受理按整批判定之时计；期初未结 + 受理 = 检验拒绝 + 扣留后拒绝 + 撤销 + 受理后拒绝 + 发出 + 期末未结。",
        (
            "Cases count when their whole batch was judged. Open at the beginning + received = refused by the checks + "
            "held, then refused + cancelled + refused after acceptance + dispatched + open at the end."
        ),
    ),
    (
        "制成：装捆的卡片（张），减去重新拆捆者；重制：作废的位置（膜或空白卡），减去本期内改判合格者。",
        (
            "Made: cards scanned into bundles, less those of bundles opened again. Remade: positions (films or blanks) "
            "spoiled, less those set good again within the span."
        ),
    ),
    (
        "一次合格率 FPY =（加工 − 报废）÷ 加工；首次合格率 FTY 再减返工；报废计入造成它的工序；返工指托盘再次检验。",
        (
            "First pass yield FPY = (worked on − scrap) / worked on, in positions, at packing in cards. First time "
            "yield FTY takes rework off too. Scrap counts at the step that caused it; rework is a tray inspected again."
        ),
    ),
    (
        "直通率 RTY = 各工序首次合格率之积。",
        "Rolled throughput yield RTY = the product of the steps' first time yields.",
    ),
    (
        (
            "OEE（ISO 22400-2）= 利用 × 效能 × 质量。利用 = 生产时间 ÷ 计划时间；计划时间：设备加入后、日历开工的时间，"
            "扣除计划检修；日历不限时则为全部时间。"
        ),
        (
            "OEE (ISO 22400-2) = availability × effectiveness × quality. Availability = busy / planned time. Planned "
            "is the time that the calendar leaves open since the station joined, less maintenance; all the time "
            "where the calendar has no shifts."
        ),
    ),
    (
        (
            "效能 = 加工单位 × 理想节拍 ÷ 生产时间，理想节拍为本期该设备满载的稳定节拍；质量 = 该设备的一次合格率。"
            "一次加工整个计入其结束的时段。"
        ),
        (
            "Effectiveness = units × ideal time of a unit / busy time, the ideal being the station's own pace of "
            "a full load in this span. Quality = the station's first pass yield. A load counts whole where it ended."
        ),
    ),
    (
        "每小时制卡数 = 制成 ÷ 日历开工的小时；无开工时间则除以实际小时。",
        "Cards per hour = made / hours that the calendar leaves open; of a part without any: hours that passed.",
    ),
    (
        "空白卡（张）：期末 = 期初 + 转入 − 转出；各账户之和只随收货增加；并与本期每次班结的账面核对。",
        (
            "Blanks: end = beginning + came in − went out. All accounts together grow by what was received alone. They "
            "are held against the books of every shift closed in the span."
        ),
    ),
    (
        "盘点单位：库房与料仓为联，废卡为张。逾期：应结时间已过而未结清，或结清晚于应结。",
        (
            "Counted are body sheets in vault and magazines, blanks among the spoiled. Late: due before the span's end "
            "and not closed in time; due dates of single express cards are not looked at."
        ),
    ),
)


def at_of(language: str) -> int:
    """Give which of a pair is meant.  Raises: ValueError: no such language."""
    if language not in LANGUAGES:
        raise ValueError(f"{language!r} is none of {', '.join(LANGUAGES)}")
    return LANGUAGES.index(language)


def step_word(step: str, language: str) -> str:
    """Give a step's name; another word stays as it is."""
    known = STEP_WORDS.get(Step(step)) if step in list(Step) else None
    return known.split(" ", 1)[at_of(language)] if known else step


def defect_word(code: str, language: str) -> str:
    """Give what a defect code means; empty for one that is in no table."""
    if code == FATE_UNKNOWN:
        return ("下落不明", "fate unknown")[at_of(language)]
    defect = DEFECTS.get(code)
    return (defect.zh, defect.en)[at_of(language)] if defect else ""


def word(table: Mapping[str, Pair], name: str, language: str) -> str:
    """Give a name's word; one that no table has is given as people read it."""
    return table[name][at_of(language)] if name in table else words_of(name)
