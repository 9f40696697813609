"""What alarms say in Chinese and English, by code; command line, console and reports all take it from here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from controller.core.andon.alarm import Alarm
from controller.core.andon.rules import REST
from controller.core.supply import NAMES_ZH
from controller.core.why.sentences import WORDS_ZH, Facts, as_words

Said = tuple[str, str]  # in Chinese, in English

SEVERITIES: Mapping[str, Said] = {
    "page": (
        "立即到场：停产，或卡体、门禁、账本有险",
        "somebody goes there now: work stands, or blanks, doors or the record are at risk",
    ),
    "ticket": ("本班处理：放任会恶化或逾期", "somebody takes it up in this shift: by itself it gets worse or late"),
    "note": ("知悉：明天看也无损失", "all should know it: nothing is lost if it is looked at tomorrow"),
}
MEANINGS: Mapping[str, Said] = {  # of a code, without facts: for tables of codes, and for the rest of a long list
    "floor.starving": ("生产线断料", "the whole floor starves: presses have no blanks, or a step has no material"),
    "step.stopped": ("工序停工", "there is work, and no station of a step works"),
    "step.missing": ("工序无设备", "no station of a step is known"),
    "station.silent": ("设备无应答", "a station is not heard"),
    "station.aborted": ("设备故障", "a station broke down"),
    "station.machine_held": ("设备内部停机", "a station holds itself: an inside cause, like a jam"),
    "station.no_material": ("设备待料", "a station says that it waits for material"),
    "station.unsupplied": ("耗材用完", "something a station was loaded with is used up, so it gets no work"),
    "station.magazine_empty": ("料仓空", "the magazine of a press is empty"),
    "station.unattended": ("质检无人", "an inspection station runs, and the certificate of who judged there has ended"),
    "station.drift": ("设备漂移", "too many defects of a station: the controller holds it"),
    "station.held": ("设备停止派工", "a person holds a station"),
    "blank.missing": ("空白卡缺失", "a blank cannot be found"),
    "stock.vault_empty": ("库房无空白卡", "the vault holds no blanks"),
    "input.ends": ("物料将用完", "blanks, or a supply of a station, run out soon at the pace of the last days"),
    "reject.open": ("废卡久未销毁", "spoiled blanks wait too long for their destruction"),
    "return.open": ("退卡久未销毁", "returned blanks wait too long for their destruction"),
    "shift.open": ("班次未结", "a shift was not closed by the end of the next working day"),
    "suspect.open": ("去向不明", "sheets are suspect for too long"),
    "pile.stopped": ("卡堆待核", "piles that did not scan whole wait too long for two people"),
    "card.stopped": ("停卡待定", "stopped cards wait too long for a person"),
    "card.held": ("扣留待审", "held applications wait too long for a person"),
    "card.on_hold": ("卡久未放行", "cards that people hold wait too long for their release"),
    "batch.on_hold": ("数据包久未放行", "batches that people hold wait too long for their release"),
    "batch.late": ("数据包逾期", "a batch is past its due date, and has open cards"),
    "remake.late": ("补制逾期", "remakes are past the end of the next working day"),
    "return.late": ("退卡重制逾期", "cards that came back bad are past their five days"),
    "consignment.open": ("发运未清点", "consignments were not counted where they went for too long"),
    "disk.low": ("磁盘将满", "the disk is nearly full: no new batches are taken in"),
    "disk.reserve_spent": ("磁盘预留用尽", "the disk is full: the reserve for ending the old work is given up"),
    "ledger.reconciling": (
        "恢复待核对",
        "the ledger came out of a backup: nothing is made before two people compared it",
    ),
    "ledger.altered": ("账本被改动", "rows of batches were changed past the service"),
    "purge.open": ("清除未完", "a purge that two people agreed to has not ended"),
    "keys.outside": ("密钥被旁路改动", "keys of the doors were changed past the service, in the last seven days"),
    "keys.pending": ("密钥待写入", "approved changes of keys are not in the folder of keys"),
    "sockets.insecure": ("通信未加密", "the sockets are plain: nobody proves who he is"),
    "glass.broken": ("紧急取用角色", "an administrator took a role alone, in an emergency"),
    "attempt.denied": ("越权被拒", "somebody tried in the last hour what was not theirs"),
    "frames.refused": ("报文被拒增多", "the doors refused many frames or connections in the last minutes"),
}
CAUSES: Mapping[str, Said] = {  # of one alarm, with its facts but no sums of stock: who counts, counts blind
    "step.stopped": (
        "{step}工序停工：{stations} 台设备都不工作",
        "no {step} station works (of {stations}), and there is work",
    ),
    "step.missing": ("没有{step}设备接入", "no {step} station is known"),
    "station.silent": ("{station}（{step}）无应答", "{station} ({step}) is not heard"),
    "station.aborted": ("{station}（{step}）故障{reason}", "{station} ({step}) broke down{reason}"),
    "station.machine_held": ("{station}（{step}）因内部原因停机{reason}", "{station} ({step}) holds itself{reason}"),
    "station.no_material": ("{station} 待料{reason}", "{station} waits for material{reason}"),
    "station.unsupplied": ("{station} 的 {supplies} 已用完", "{station} has used up {supplies}"),
    "station.magazine_empty": ("{station} 料仓没有卡体", "the magazine of {station} is empty"),
    "station.unattended": ("{station} 无质检员：证书已到期", "{station} has no inspector: the certificate has ended"),
    "station.drift": (
        "{station}（{step}）废品过多，已停止派工",
        "{station} ({step}) drifts: it is held for its defects",
    ),
    "station.held": ("{station} 停止派工：{hold}（{by}）", "{station} gets no work: {hold} (by {by})"),
    "blank.missing": ("空白卡 {blank} 找不到", "blank {blank} cannot be found"),
    "input.ends": ("{input}{at}将于 {ends_floor_s} 用完", "{input}{at} will be used up at {ends_floor_s}"),
    "reject.open": (
        "废卡久未销毁，最早 {oldest_floor_s}",
        "spoiled blanks wait for their destruction since {oldest_floor_s}",
    ),
    "return.open": (
        "退卡久未销毁，最早 {oldest_floor_s}",
        "returned blanks wait for their destruction since {oldest_floor_s}",
    ),
    "shift.open": ("本班自 {began_floor_s} 起未结", "the shift that began at {began_floor_s} is not closed"),
    "suspect.open": ("{count} 联去向不明，最早 {first}", "{count:sheet is|sheets are} suspect, the first {first}"),
    "pile.stopped": (
        "{count} 堆待两人核对，最早 {first}",
        "{count:pile waits|piles wait} for two people, the first {first}",
    ),
    "card.stopped": ("{count} 张卡停止待定，最早 {first}", "{count:card is|cards are} stopped, the first {first}"),
    "card.on_hold": ("{count} 张卡被停留，最早 {first}", "{count:card is|cards are} held by people, the first {first}"),
    "batch.on_hold": (
        "{count} 个数据包被停留，最早 {first}",
        "{count:batch is|batches are} held by people, the first {first}",
    ),
    "card.held": (
        "{count} 份申请扣留待审，最早 {first}",
        "{count:application is|applications are} held, the first {first}",
    ),
    "batch.late": (
        "数据包 {batch_number} 于 {due_floor_s} 到期，{cards} 张未完",
        "batch {batch_number} was due at {due_floor_s}, {cards:card is|cards are} open",
    ),
    "remake.late": ("{count} 张补制逾期，最早 {first}", "{count:remake is|remakes are} late, the first {first}"),
    "return.late": (
        "{count} 张退卡重制逾期，最早 {first}",
        "{count:returned card is|returned cards are} late, the first {first}",
    ),
    "consignment.open": (
        "{count} 批发运未清点，最早 {first}",
        "{count:consignment was|consignments were} not counted, the first {first}",
    ),
    "disk.low": (
        "磁盘将满：余 {free_mib} MiB，暂停接收",
        "the disk is nearly full ({free_mib} MiB): nothing is taken in",
    ),
    "disk.reserve_spent": (
        "磁盘余 {free_mib} MiB，预留空间已用尽",
        "the disk has {free_mib} MiB, and the reserve is spent",
    ),
    "ledger.altered": (
        "{count} 个数据包的记录被改动：{batches}",
        "rows of {count:batch|batches} were changed: {batches}",
    ),
    "purge.open": ("第 {purge_id} 次清除未完", "purge {purge_id} has not ended"),
    "keys.outside": (
        "密钥被旁路改动，累计 {count} 次",
        "keys were changed past the service, {count:time|times} in all",
    ),
    "keys.pending": ("{count} 项密钥变更尚未写入", "{count:approved change|approved changes} of keys not written yet"),
    "glass.broken": (
        "{by} 紧急取用角色 {role}，至 {until_floor_s}",
        "{by} took the role {role} ({why}) until {until_floor_s}",
    ),
    "attempt.denied": ("一小时内 {count} 次越权被拒", "{count:attempt|attempts} refused in the last hour"),
    "frames.refused": (
        "近五分钟拒收 {count} 次报文或连接",
        "{count:frame or connection|frames or connections} refused in five minutes",
    ),
}
NOUNS_ZH = {"card": "卡", "sheet": "联", "batch": "数据包", "consignment": "发运单"}
TO_DO: Mapping[str, Said] = {
    "feed_floor": ("按 `cardmill status` 所列补料", "bring what `cardmill status` says is missing"),
    "start_step": ("到该工序恢复一台设备", "go to that step and bring a station back"),
    "connect_station": ("接入一台设备", "connect a station"),
    "look_at_link": ("检查设备电源和网络", "look at its power and its network"),
    "mend_station": ("在设备上排除故障", "mend it; work goes on by itself"),
    "clear_station": ("在设备上排除（如卡纸）", "clear it at the machine; work goes on by itself"),
    "feed_station": ("为设备补料", "bring it material"),
    "load_station": ("装入新料：`cardmill load`", "load a new lot: `cardmill load`"),
    "issue_blanks": ("两人发卡：`cardmill act issue`", "issue blanks, by two: `cardmill act issue`"),
    "sign_on": ("持证人员上岗：`cardmill sign-on`", "somebody with a certificate signs on: `cardmill sign-on`"),
    "find_drift": ("查明原因后放行：`cardmill holds`", "find the cause, then release it: `cardmill holds`"),
    "settle_hold": ("处理后放行：`cardmill release`", "settle why, then `cardmill release`"),
    "search_blank": ("两人查找，结班时列明", "search for it, by two; the closing of the shift names it"),
    "receive_blanks": ("两人入库：`cardmill act receive`", "receive blanks, by two: `cardmill act receive`"),
    "order_input": ("订货：`cardmill forecast`", "order it: `cardmill forecast`"),
    "destroy_spoiled": ("两人销毁：`cardmill act destroy`", "destroy them, by two: `cardmill act destroy`"),
    "destroy_returned": (
        "两人销毁：`cardmill act destroy_returned`",
        "destroy them, by two: `cardmill act destroy_returned`",
    ),
    "close_shift": ("盘点后结班：`cardmill shift`", "count, then close it, by two: `cardmill shift`"),
    "settle_suspects": ("两人认定：`cardmill suspects`", "settle them, by two: `cardmill suspects`"),
    "repack_piles": ("两人核对：`cardmill piles`", "look through them, by two: `cardmill piles`"),
    "decide_stopped": ("作出决定：`cardmill stopped`", "decide about them: `cardmill stopped`"),
    "release_holds": ("放行或决定：`cardmill card-holds`", "release them or decide: `cardmill card-holds`"),
    "decide_held": ("审核：`cardmill review`", "review them: `cardmill review`"),
    "hasten_batch": ("查原因：`cardmill why` 数据包号", "see what it waits for: `cardmill why` and its number"),
    "hasten_remakes": ("查原因：`cardmill remakes`", "see what they wait for: `cardmill remakes`"),
    "hasten_returns": ("查原因：`cardmill remakes`", "see what they wait for: `cardmill remakes`"),
    "ask_arrival": ("催报清点：`cardmill consignments`", "ask for the counts: `cardmill consignments`"),
    "free_disk": ("清理数据文件夹所在磁盘", "free space on the disk of the data folder"),
    "reconcile": (
        "核对后两人确认，见 docs/backup.md",
        "compare, then `cardmill act reconciled`, by two: docs/backup.md",
    ),
    "run_doctor": ("运行 `cardmill doctor`，查明改动者", "run `cardmill doctor`, and find out who did it"),
    "await_purge": ("无须处理；久不结束看日志", "nothing, unless it lasts: then look into the log"),
    "audit_keys": ("查明何人所为：docs/keys.md", "find out who did it: docs/keys.md"),
    "open_key_folder": ("使密钥文件夹可写", "let the service write its folder of keys"),
    "secure_sockets": ("关闭 sockets.insecure 后重启", "set sockets.insecure to false, and start again"),
    "audit_glass": ("到期后复核其操作：`cardmill audit`", "look at what was done with it: `cardmill audit`"),
    "audit_denied": ("查看何人何事：`cardmill audit`", "see who tried what: `cardmill audit`"),
    "find_sender": ("查明来源：`cardmill status --json -`", "find out who sends them: `cardmill status --json -`"),
    "clear_oldest": ("先处理已列出的", "clear those that are listed first"),
}

SUMS = {"reject.open": "count", "return.open": "count", "input.ends": "sheets"}  # facts that are sums of stock


def cause_of(alarm: Alarm, now_floor_s: float) -> Said:
    """Give why an alarm stands, in Chinese and English."""
    if alarm.subject == REST:
        count, (zh, en) = alarm.facts["count"], MEANINGS[alarm.code]
        return f"另有 {count} 项：{zh}", f"{count} more: {en}"
    zh, en = CAUSES.get(alarm.code) or MEANINGS[alarm.code]
    return (
        zh.format_map(as_words(_named(_placed(alarm.facts, "（{}）")), now_floor_s, {**WORDS_ZH, **NAMES_ZH})),
        en.format_map(as_words(_placed(alarm.facts, " of {}"), now_floor_s, {})),
    )


def to_do_of(alarm: Alarm) -> Said:
    """Give what somebody has to do, in Chinese and English."""
    return TO_DO[alarm.to_do]


def row_of(alarm: Alarm, now_floor_s: float) -> dict[str, Any]:
    """Give an alarm as operators get it: code, facts and sentences."""
    (cause_zh, cause_en), (to_do_zh, to_do_en) = cause_of(alarm, now_floor_s), to_do_of(alarm)
    return {
        "key": alarm.key,
        "code": alarm.code,
        "severity": alarm.severity.value,
        "subject": alarm.subject,
        "since_floor_s": alarm.since_floor_s,
        "age_s": max(0.0, now_floor_s - alarm.since_floor_s),
        "facts": alarm.facts,
        "cause_zh": cause_zh,
        "cause_en": cause_en,
        "to_do": alarm.to_do,
        "to_do_zh": to_do_zh,
        "to_do_en": to_do_en,
        "owner": alarm.owner,
        "owned_floor_s": alarm.owned_floor_s,
    }


def without_sums(row: dict[str, Any]) -> dict[str, Any]:
    """Give the row of an alarm without those of its facts that are sums of stock: for who counts blind."""
    facts = {name: fact for name, fact in row["facts"].items() if name != SUMS.get(row["code"])}
    return row | {"facts": facts}


def _placed(facts: Facts, of: str) -> Facts:
    """Give facts, with where something is as a part of a sentence that falls away where it is nowhere."""
    return {**facts, "at": of.format(facts["station"]) if facts.get("station") else ""}


def _named(facts: Facts) -> Facts:
    """Give facts with the Chinese noun of the first of many things."""
    noun, _, number = str(facts.get("first", "")).partition(" ")
    return {**facts, "first": f"{NOUNS_ZH[noun]} {number}"} if noun in NOUNS_ZH else facts
