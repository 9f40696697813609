"""The sentences of `core.why`, in English and Chinese, and the facts that stand in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from controller.core.state import SILENT
from devices.messages import StationState

Fact = int | float | str
Facts = dict[str, Fact]

LATEST_FLOOR_S = 253_402_300_800.0  # year 10000: what a station calls a time may be none

EN = {
    "final": "{what} is {state}: nothing more happens to it.",
    "held": "{what} is held for {codes}: one person releases or refuses it.",
    "held_two": "{what} is held for {codes}: only two people lift that, by the act override.",
    "proposed": "{what} waits for a second person: act {act_id} ({verb}) was proposed and ends at {until_floor_s}.",
    "stopped": "{what} is stopped for {codes} after {attempts} of {attempts_max:attempt|attempts}: a person decides.",
    "encoding": "{what} is with the encoders (job {job_id}).",
    "unencoded": "{what} waits for an encoder: {busy} of {encode_jobs:encode job runs|encode jobs run}, "
    "{ahead:card goes|cards go} before it.",
    "quarantined": "{what} was made inside a drift window: it is inspected again before it counts as good.",
    "held_by": "{what} is {state} and {hold_by} holds it since {hold_floor_s} for {hold}: it goes no further until a "
    "person releases it (`cardmill release-card`). ",
    "batch_held_by": "{what} is {state} and {hold_by} holds its whole batch since {hold_floor_s} for {hold}: it goes "
    "no further until a person releases that (`cardmill release-batch`). ",
    "batch_held": "{what} is held by {hold_by} since {hold_floor_s} for {hold}: nothing of it goes further until a "
    "person releases it (`cardmill release-batch`). ",
    "suspect": "{what} is suspect since {step}: two people settle it (sheet {sheet_id}, mask {mask}).",
    "made": "{what} is in bundle {bundle_id}, and {in_making:card|cards} of its batch must be packed before it leaves.",
    "made_stopped": "{what} is in bundle {bundle_id}: {people:card of its batch waits|cards of its batch wait} "
    "for people (or dispatch it).",
    "made_asked": "{what} is in bundle {bundle_id}, which leaves when a person dispatches it.",
    "works": "{what} is at {step} in {station} since {started_floor_s} (job {job_id}, {load} in the load); "
    "it started then because ",
    "works_not": "{what} is at {step} in {station} (job {job_id}), which is {state} since {since_floor_s}{reason}; "
    "it started at {started_floor_s} because ",
    "station_works": "{what} works at {step} since {started_floor_s} (job {job_id}, {load} in the load); it started "
    "then because ",
    "station_works_not": "{what} is {state} since {since_floor_s}{reason}, with job {job_id} at {step}; it started at "
    "{started_floor_s} because ",
    "by_full": "it was as full as it can be",
    "by_waited": "the oldest in it had waited as long as it may",
    "by_no_more": "nothing more could join it",
    "by_single": "a remake that fills no sheet goes on a single body",
    "by_next": "it was the first in the queue",
    "by_same_kind": "the station was set up for its card kind",
    "by_came_back": "it had come back untouched",
    "by_other": "of the plan's rule {rule}",
    "by_none": "it was given before rules were kept",
    "chosen": ", before {chosen_before}.",
    "full_stop": ".",
    "away": "{what} is {state} since {since_floor_s}{reason}: {meaning}.",
    "ready": "{what} waits for a sheet, {ahead:card|cards} before it ({remakes:remake|remakes}, {express} express, "
    "{earlier} of batches whose turn is earlier): ",
    "ready_far": "{what} waits for a sheet, at least {ahead} of the {ready:ready card|ready cards} before it: ",
    "waits": "{what} waits for {step}, {ahead:sheet|sheets} before it: ",
    "pile_stopped": "{what} is good; a scan stops its pile ({missing} missing, {foreign} foreign): two people decide.",
    "pile": "{what} is good and waits to be packed, {ahead:pile|piles} before its own: ",
    "idle": "{what} is idle: ",
    "batch": "{what} has {open} of {cards:card|cards} open ({counts}), due {due_floor_s}; the last one: ",
    "none": "no {step} station ever said hello.",
    "down": "no {step} station works, {station} is {state} since {since_floor_s}{reason}.",
    "busy": "every {step} station that works is busy ({names}; {down} down).",
    "paused": "printing pauses while {films:film waits|films wait} before the presses ({films_max} at most).",
    "coming": "the sheet has {filled} of 8 cards, and {coming:more is|more are} with the encoders.",
    "sheet_until": "the sheet has {filled} of 8 cards and waits for more until {until_floor_s} at the latest.",
    "empty": "no body sheets in the magazine of {names} ({busy:other press works|other presses work}).",
    "press_until": "the load of {station} is {load} of {load_max}, it waits for more films"
    " until {until_floor_s} at the latest.",
    "more": "{pile} of {bundle_max:card|cards}, and {making} more of police station {unit} may come.",
    "nothing": "nothing waits for {step}.",
    "nothing_empty": "nothing waits for {step}, and no body sheets are in the magazine of {names}.",
    "now": "it is next, and starts with the next turn.",
    "others_now": "others go before it, and start with the next turn.",
    "left": "what waits for {step} is none that a free station would take now; each event is looked at anew.",
    "left_for_films": "{films:film waits|films wait}, and the plan waits for more of them.",
    "other_kind": "every {step} station that works is busy ({names}; {down} down) and set up for {kind}: {mine} goes "
    "when no {kind} waits, or when it is first in the queue and has waited until {first_from_floor_s}.",
    "paused_sheets": "printing pauses while {sheets:sheet is|sheets are} on the floor ({sheets_max} at most).",
    "kept_by": "the controller gives {station} no work since {hold_floor_s}: {code} (by {hold_by}).",
    "no_supply": "{station} has used up {supplies}.",
    "closed": "{station} is closed by {why_closed} and opens at {opens_floor_s}.",
    "closes": "a load of {load_min:minute|minutes} would not end before {why_closed} at {closes_floor_s}; {station} "
    "opens at {opens_floor_s}.",
    "closed_for_good": "{station} is closed by {why_closed}, and the calendar never opens it.",
    "all": "no {step} station gets work: ",
    "was_made": "{what} was packed at {made_floor_s} into bundle {bundle_id} by {station} because ",
    "was_sent": "; consignment {consignment_id} left with it at {sent_floor_s} (by {sent_by}).",
    "was_not_sent": "; it has not left.",
    "was_decided": "{what} is {state} since {decided_floor_s}: {decision} by {by}.",
    "was_refused": "{what} was refused by the checks: {codes}.",
    "was_closed": "{what} was closed at {closed_floor_s}: of {received:application|applications} "
    "{dispatched} dispatched, {refused} refused, {cancelled} cancelled, {refused_late} refused late.",
    "was_sheet": "{what} is through: it carries nothing any more, and its last step was {step}.",
    "imposed": "Sheet {sheet_id} was imposed at {imposed_floor_s} because ",
}
ZH = {
    "final": "{what}{state}，不再变动。",
    "held": "{what}因 {codes} 扣留，待一人放行或拒绝。",
    "held_two": "{what}因 {codes} 扣留，须两人以 override 放行。",
    "proposed": "{what}待第二人同意：操作 {act_id}（{verb}）已提出，{until_floor_s} 失效。",
    "stopped": "{what}因 {codes} 停止，已试 {attempts} 次（上限 {attempts_max}），待人工决定。",
    "encoding": "{what}正在编码（作业 {job_id}）。",
    "unencoded": "{what}等待编码：{encode_jobs} 个编码作业中 {busy} 个在运行，前面有 {ahead} 张卡。",
    "quarantined": "{what}在漂移窗口内制成，须复检合格。",
    "held_by": "{what}{state}，{hold_by} 自 {hold_floor_s} 起因 {hold} 扣住，"
    "放行（`cardmill release-card`）前不再往下走。",
    "batch_held_by": "{what}{state}，{hold_by} 自 {hold_floor_s} 起因 {hold} 扣住整批，"
    "放行（`cardmill release-batch`）前不再往下走。",
    "batch_held": "{what}由 {hold_by} 自 {hold_floor_s} 起因 {hold} 扣住，"
    "放行（`cardmill release-batch`）前不再往下走。",
    "suspect": "{what}在{step}后去向不明，须两人认定（联 {sheet_id}，位掩码 {mask}）。",
    "made": "{what}在包 {bundle_id} 中，本批还有 {in_making} 张卡须先装包。",
    "made_stopped": "{what}在包 {bundle_id} 中，本批有 {people} 张卡待人工决定，可用 dispatch 先发出。",
    "made_asked": "{what}在包 {bundle_id} 中，待人工发出。",
    "works": "{what}自 {started_floor_s} 起在 {station} {step}（作业 {job_id}，本次 {load} 件），当时开始是因为",
    "works_not": "{what}在 {station} {step}（作业 {job_id}），该设备自 {since_floor_s} 起{state}{reason}；"
    "{started_floor_s} 开始是因为",
    "station_works": "{what}自 {started_floor_s} 起{step}（作业 {job_id}，本次 {load} 件），当时开始是因为",
    "station_works_not": "{what}自 {since_floor_s} 起{state}{reason}（{step}作业 {job_id} 未完）；"
    "{started_floor_s} 开始是因为",
    "by_full": "已装满",
    "by_waited": "其中最早的已等到上限",
    "by_no_more": "不会再有可加入的",
    "by_single": "凑不满一大张的补制卡用单张卡体",
    "by_next": "轮到队首",
    "by_same_kind": "设备已按该卡种备好",
    "by_came_back": "它未经加工退回",
    "by_other": "排产规则 {rule}",
    "by_none": "当时尚未记录规则",
    "chosen": "，先于 {chosen_before}。",
    "full_stop": "。",
    "away": "{what}自 {since_floor_s} 起{state}{reason}：{meaning}。",
    "ready": "{what}等待拼版，前面有 {ahead} 张卡（重制 {remakes}，加急 {express}，数据包轮次更早 {earlier}）：",
    "ready_far": "{what}等待拼版，待拼版 {ready} 张中至少 {ahead} 张在前：",
    "waits": "{what}等待{step}，前面有 {ahead} 联：",
    "pile_stopped": "{what}合格，但扫描核对使其所在堆停止（缺 {missing}，多 {foreign}），须两人认定。",
    "pile": "{what}合格，等待装包，前面有 {ahead} 堆：",
    "idle": "{what}空闲：",
    "batch": "{what}共 {cards} 张卡，未完 {open} 张（{counts}），{due_floor_s} 到期；最后一张：",
    "none": "没有{step}设备接入。",
    "down": "没有可用的{step}设备，{station} 自 {since_floor_s} 起{state}{reason}。",
    "busy": "可用的{step}设备都在忙（{names}；另有 {down} 台停用）。",
    "paused": "平压前已有 {films} 张膜（上限 {films_max}），打印暂停。",
    "coming": "本版已有 {filled}/8 张，另有 {coming} 张正在编码。",
    "sheet_until": "本版已有 {filled}/8 张，最迟等到 {until_floor_s}。",
    "empty": "{names} 料仓没有卡体（另有 {busy} 台平压在忙）。",
    "press_until": "{station} 已有 {load}/{load_max} 张膜，最迟等到 {until_floor_s}。",
    "more": "已有 {pile}/{bundle_max} 张，派出所 {unit} 还有 {making} 张可能到来。",
    "nothing": "没有等待{step}的工作。",
    "nothing_empty": "没有等待{step}的工作，且 {names} 料仓没有卡体。",
    "now": "轮到它，下一轮即开始。",
    "others_now": "下一轮先开始别的。",
    "left": "等待{step}的工作中没有空闲设备现在会取的，每有新事即重排。",
    "left_for_films": "已有 {films} 张膜等待，排产在等更多的膜。",
    "other_kind": "可用的{step}设备都在忙（{names}；另有 {down} 台停用），且已按 {kind} 备好："
    "没有 {kind} 等待时换 {mine}，或其居队首且等到 {first_from_floor_s} 时换。",
    "paused_sheets": "车间已有 {sheets} 联（上限 {sheets_max}），打印暂停。",
    "kept_by": "控制器自 {hold_floor_s} 起不给 {station} 派工：{code}（{hold_by}）。",
    "no_supply": "{station} 的 {supplies} 已用完。",
    "closed": "{station} 因{why_closed}关闭，{opens_floor_s} 开工。",
    "closes": "一次需 {load_min} 分钟，在{why_closed}（{closes_floor_s}）前做不完；{station} {opens_floor_s} 再开工。",
    "closed_for_good": "{station} 因{why_closed}关闭，日历上不再开工。",
    "all": "没有{step}设备可派工：",
    "was_made": "{what}于 {made_floor_s} 由 {station} 装入包 {bundle_id}，因为",
    "was_sent": "；{sent_floor_s} 随发运 {consignment_id} 发出（{sent_by}）。",
    "was_not_sent": "；尚未发出。",
    "was_decided": "{what}自 {decided_floor_s} 起{state}：{by} 决定 {decision}。",
    "was_refused": "{what}在审核时被拒绝：{codes}。",
    "was_closed": "{what}于 {closed_floor_s} 结清：申请 {received} 份，发出 {dispatched}，拒绝 {refused}，"
    "撤销 {cancelled}，受理后拒绝 {refused_late}。",
    "was_sheet": "{what}已走完，不再载有卡片，最后一道工序是{step}。",
    "imposed": "联 {sheet_id} 于 {imposed_floor_s} 拼版，因为",
}
for _key in ("kept_by", "no_supply", "closed", "closes", "closed_for_good"):  # the same of a whole step
    EN[f"all_{_key}"], ZH[f"all_{_key}"] = EN["all"] + EN[_key], ZH["all"] + ZH[_key]
WORDS_ZH = {
    "print": "膜打印",
    "laminate": "平压",
    "punch": "冲切",
    "write": "电写入",
    "inspect": "质量检验",
    "pack": "分拣",
    "accepted": "已受理",
    "ready": "待拼版",
    "imposed": "已拼版",
    "quarantined": "隔离",
    "suspect": "去向不明",
    "good": "合格",
    "made": "已装包",
    "dispatched": "已发出",
    "cancelled": "已撤销",
    "refused": "已拒绝",
    "refused_late": "受理后拒绝",
    "held": "扣留",
    "stopped": "停止",
    "idle": "空闲",
    "execute": "运行",
    "suspended": "待料",
    "aborted": "故障",
    SILENT: "无应答",
    "the operator at the machine took it off line": "操作员在设备上停机",
    "an inside cause, to be cleared at the machine": "设备内部原因，须在设备上处理",
    "an outside cause, no material or no power": "外部原因，缺料或断电",
    "it broke down": "设备故障",
    "the controller does not hear it": "控制器收不到它的消息",
    "it ends work that is no open job": "正在收尾，没有未结作业",
    "the end of the shift": "下班",
    "planned maintenance": "计划检修",
    "the foreman": "调度",
}
MEANINGS = {
    StationState.STOPPED: "the operator at the machine took it off line",
    StationState.HELD: "an inside cause, to be cleared at the machine",
    StationState.SUSPENDED: "an outside cause, no material or no power",
    StationState.ABORTED: "it broke down",
    StationState.EXECUTE: "it ends work that is no open job",
    SILENT: "the controller does not hear it",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """Why, in two languages; `facts["because"]` names the rule, `beaten` up to three it beat or lost to."""

    sentence_en: str
    sentence_zh: str
    facts: Facts
    beaten: list[str]


def tell(what: tuple[str, str], keys: Sequence[str], facts: Mapping[str, Fact], now_floor_s: float) -> tuple[str, str]:
    """Give the sentences of `keys`, joined, about a thing, in English and in Chinese."""
    en = "".join(EN[key] for key in keys).format(what=what[0], **as_words(facts, now_floor_s, {}))
    zh = "".join(ZH[key] for key in keys).format(what=what[1], **as_words(facts, now_floor_s, WORDS_ZH))
    return en, zh


class _Word(str):
    """A fact as it is read; as a number it may be followed by its noun, `{ahead:card|cards}`."""

    def __format__(self, nouns: str) -> str:
        """Give the text, and of two nouns the one that goes with it."""
        one, _, many = nouns.partition("|")
        return f"{self} {one if self == '1' else many}" if nouns else str(self)


def counted(count: int, nouns: str) -> str:
    """Give a number with its noun, which is `one|many`."""
    return format(_Word(count), nouns)


def rule_key(rule: str) -> str:
    """Give the key of the sentence that tells a rule of the plan."""
    if not rule:
        return "by_none"
    return f"by_{rule}" if f"by_{rule}" in EN else "by_other"


def clock_text(at_floor_s: float, now_floor_s: float) -> str:
    """Give a floor time as `08:00`, on another day than now as `03-02 08:00`; `--:--` for what is no time."""
    if not (0 <= at_floor_s < LATEST_FLOOR_S and 0 <= now_floor_s < LATEST_FLOOR_S):
        return "--:--"
    at, now = (datetime.fromtimestamp(one, UTC) for one in (at_floor_s, now_floor_s))
    return at.strftime("%H:%M" if at.date() == now.date() else "%m-%d %H:%M")


def as_words(facts: Mapping[str, Fact], now_floor_s: float, words: Mapping[str, str]) -> dict[str, _Word]:
    """Give facts as they are read: times as a clock shows them, words in their language."""
    said = {}
    for name, value in facts.items():
        if name.endswith("_floor_s"):
            said[name] = clock_text(float(value), now_floor_s)
        elif name == "reason":
            said[name] = f" ({value})" if value else ""
        else:
            said[name] = words.get(value, value) if isinstance(value, str) else str(value)
    counts = {name.removeprefix("count_"): value for name, value in facts.items() if name.startswith("count_")}
    said["counts"] = ", ".join(f"{value} {words.get(state, state)}" for state, value in counts.items())
    return {name: _Word(text) for name, text in said.items()}
