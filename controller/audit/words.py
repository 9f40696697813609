"""What each move says, in one sentence in English and one in Chinese; a list stands in it as its length."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from controller.core.moves import AnyMove, positions_in
from controller.ledger.journal import TAGS
from devices.peers import fingerprint

SENTENCES: Mapping[str, tuple[str, str]] = {
    "run": ("the service began its run {run}", "服务第 {run} 次启动"),
    # batches and cards
    "batch": (
        "batch {batch_number} of {upstream}: {rows} rows judged",
        "{upstream} 的数据包 {batch_number} 判定 {rows} 条",
    ),
    "batch_refused": (
        "batch {batch_number} of {upstream} refused whole",
        "{upstream} 的数据包 {batch_number} 整包退回",
    ),
    "batch_closed": (
        "batch {batch_id} closed: of {received} {dispatched} dispatched, {refused} refused, {cancelled} withdrawn",
        "数据包 {batch_id} 办结：收 {received}，发 {dispatched}，退 {refused}，撤 {cancelled}",
    ),
    "decided": ("card {card}: {decision} ({reason})", "卡 {card}：决定 {decision}（{reason}）"),
    "stopped": ("card {card} stopped for {code}", "卡 {card} 停下，原因 {code}"),
    "encode": ("{cards} cards handed to the encoders, job {job_id}", "{cards} 张卡交编码，任务 {job_id}"),
    "encoded": ("encode job {job_id} ended, {failed} failed", "编码任务 {job_id} 结束，{failed} 张失败"),
    # sheets and jobs
    "sheet": ("sheet {sheet_id} imposed for {places} places", "拼成第 {sheet_id} 联，{places} 位"),
    "job": (
        "job {job_id} given to {station}: {sheets} sheets, {cards} cards",
        "任务 {job_id} 交 {station}：{sheets} 联，{cards} 卡",
    ),
    "job_ended": ("job {job_id} of {station} ended: {answer}", "{station} 的任务 {job_id} 结束：{answer}"),
    "bound": ("sheet {sheet_id} bound to body {body} at {station}", "第 {sheet_id} 联在 {station} 配上卡基 {body}"),
    "mark": (
        "sheet {sheet_id}, positions {mask}: {mark} ({code}), found at {found_at}",
        "第 {sheet_id} 联位置 {mask}：{mark}（{code}），{found_at} 发现",
    ),
    # packing
    "bundle": (
        "bundle {bundle_id}: {cards} cards for {unit} at {station}",
        "{station} 打成第 {bundle_id} 捆：{unit} {cards} 张",
    ),
    "bundle_stopped": ("bundle {bundle_id} came to nothing ({code})", "第 {bundle_id} 捆未成（{code}）"),
    "repack": ("the pile of batch {batch_id} for {unit} is packed anew", "数据包 {batch_id} 的 {unit} 堆重新打捆"),
    "missing": ("card {card}: blank {blank} is missing ({code})", "卡 {card}：空白卡 {blank} 找不到（{code}）"),
    "sent": (
        "consignment {consignment_id} of batch {batch_id} left: {bundles} bundles",
        "数据包 {batch_id} 的发运单 {consignment_id} 发出：{bundles} 捆",
    ),
    "arrived": (
        "{unit} counted {cards} of {sent} cards in consignment {consignment_id}",
        "{unit} 清点发运单 {consignment_id}：{sent} 张到 {cards} 张",
    ),
    # stations and acts
    "joined": ("station {station} ({step}) said hello", "工位 {station}（{step}）报到"),
    "station": ("station {station} is {state}", "工位 {station} 变为 {state}"),
    "lied": (
        "station {station} said what cannot be ({code}), job {job_id}",
        "工位 {station} 所报不可能（{code}），任务 {job_id}",
    ),
    "act": ("act {act_id} proposed: {verb}", "提出第 {act_id} 号双人操作：{verb}"),
    "act_ended": ("act {act_id} ended: {done}", "第 {act_id} 号双人操作结束：{done}"),
    # stock
    "received": (
        "{sheets} body sheets received from {first_body} on, lot {lot}",
        "入库卡基 {sheets} 张，自 {first_body} 起，批号 {lot}",
    ),
    "issued": (
        "{sheets} body sheets from {first_body} on issued to {station}",
        "发给 {station} 卡基 {sheets} 张，自 {first_body} 起",
    ),
    "unissued": (
        "{sheets} body sheets from {first_body} on came back from {station}",
        "{station} 退回卡基 {sheets} 张，自 {first_body} 起",
    ),
    "sampled": (
        "{sheets} body sheets from {first_body} on taken as samples",
        "取样卡基 {sheets} 张，自 {first_body} 起",
    ),
    "bodies_lost": (
        "{sheets} body sheets from {first_body} on are missing",
        "卡基 {sheets} 张找不到，自 {first_body} 起",
    ),
    "blanks_lost": ("spoiled blank {blank} is missing", "废卡 {blank} 找不到"),
    "destroyed": ("{blanks} blanks destroyed, destruction {destruction_id}", "第 {destruction_id} 次销毁：{blanks} 张"),
    "counted": ("{place} counted: {counted}, the books had {expected}", "盘点 {place}：{counted}，账面 {expected}"),
    "shift": ("shift {shift_id} closed, {lost} serials missing", "第 {shift_id} 班结班，缺 {lost} 张"),
    "supply": (
        "{station} loaded with {kind} of lot {lot}, {units} sheets",
        "{station} 装入 {kind}，批号 {lot}，可用 {units} 联",
    ),
    # quality
    "drift": ("{station} drifts, {sheets} sheets since its last zero", "{station} 漂移，自归零以来 {sheets} 联"),
    "station_held": ("{station} gets no more work ({code})", "{station} 停止派工（{code}）"),
    "station_released": ("{station} gets work again", "{station} 恢复派工"),
    "quarantined": (
        "cards of body {body} go back to inspection: {station} drifts",
        "卡基 {body} 的卡复检：{station} 漂移",
    ),
    "bundle_opened": ("bundle {bundle_id} opened again ({code})", "第 {bundle_id} 捆拆开（{code}）"),
    "signed_on": ("{operator} works at {station}", "{operator} 在 {station} 上岗"),
    "set_good": ("card {card}: blank {blank} set good ({code})", "卡 {card}：空白卡 {blank} 改判合格（{code}）"),
    "came_back": ("card {card} came back ({code}), blank {blank}", "卡 {card} 退回（{code}），空白卡 {blank}"),
    # the review desk
    "contested": (
        "card {card} waits for two people: card {rival} has its number too",
        "卡 {card} 待两人处理：卡 {rival} 与其同号",
    ),
    "looked": (
        "{by} looked at {fields} fields of card {card} ({reason})",
        "{by} 查看卡 {card} 的 {fields} 项内容（{reason}）",
    ),
    "hastened": ("{by} wants card {card} express ({reason})", "{by} 要求卡 {card} 加急（{reason}）"),
    "card_held": ("{by} holds card {card} ({code})", "{by} 扣住卡 {card}（{code}）"),
    "card_released": ("{by} lets card {card} go on", "{by} 放行卡 {card}"),
    "batch_held": ("{by} holds batch {batch_id} ({code})", "{by} 扣住数据包 {batch_id}（{code}）"),
    "batch_released": ("{by} lets batch {batch_id} go on", "{by} 放行数据包 {batch_id}"),
    # the record itself
    "tables_folded": (
        "daily head of {day}: {batches} batches, event {event_seq}",
        "{day} 日链头：数据包 {batches} 个，事件 {event_seq}",
    ),
    "purge_approved": ("purge {purge_id} approved", "批准第 {purge_id} 次清除个人信息"),
    "batches_purged": (
        "purge {purge_id}: {batches} batches ({unfinished} never brought whole), {altered} left as altered, {is_last}",
        "第 {purge_id} 次清除：数据包 {batches} 个（未收齐 {unfinished} 个），被改动而留下 {altered} 个，{is_last}",
    ),
    "vault_keys": ("keys of the vault or of receipts: {what}", "保险库或回执密钥：{what}"),
    "account": ("account {account}: {what}, {times} times", "账户 {account}：{what}，{times} 次"),
    "key_allowed": (
        "{role} {name} may connect by key {public} ({where}), with {roles} roles",
        "{role} {name} 可用密钥 {public} 连接（{where}），岗位权限 {roles} 项",
    ),
    "key_revoked": (
        "{role} {name} may not connect any more, its key was {public} ({where})",
        "{role} {name} 不得再连接，原密钥 {public}（{where}）",
    ),
    "key_rotated": (
        "{role} {name} has key {public}, next key {next_public} ({where})",
        "{role} {name} 密钥 {public}，下一密钥 {next_public}（{where}）",
    ),
    "key_in_place": (
        "the folder of keys holds what was approved for {role} {name}",
        "密钥文件夹已按批准更新：{role} {name}",
    ),
    "ledger_restored": (
        "the ledger came out of a backup that ended at move {at_seq}",
        "账本由备份恢复，备份止于第 {at_seq} 条",
    ),
    "reconciled": ("the restored ledger was compared with the floor", "恢复后的账本已与车间核对"),
    # who may do what
    "denied": (
        "{by} was refused {verb} ({code}), {count} times; act: {act}",
        "{by} 操作 {verb} 被拒（{code}），{count} 次；双人操作：{act}",
    ),
    "glass_broken": (
        "{by} took the role {role} in an emergency ({reason})",
        "{by} 紧急取用角色 {role}（{reason}）",
    ),
    "alarm_taken": ("{by} takes care of the alarm {key}", "{by} 认领告警 {key}"),
    "alarm_over": ("the alarm {key} is over, and so is its acknowledgement", "告警 {key} 已解除，认领随之结束"),
    "glass_mended": ("the role {role} that {by} took has ended", "{by} 紧急取用的角色 {role} 已到期"),
}  # fmt: skip
PEOPLE = ("by", "second")
KEYS, NONE = ("public", "next_public"), ("none", "无")  # of a key its fingerprint is said
YES_AND_NO: Mapping[str, tuple[tuple[str, str], tuple[str, str]]] = {  # field: in English, in Chinese; no, yes
    "done": (("withdrawn or run out", "done"), ("未办", "已办")),
    "is_last": (("more follow", "the last ones"), ("未完", "已完")),
}


def named_fields(move: AnyMove) -> dict[str, Any]:
    """Give a move's fields by name: lists, texts and numbers, bytes as hex digits."""
    packed: list[Any] = msgspec.to_builtins(move, builtin_types=(bytes,))
    return dict(zip(move.__struct_fields__, map(_plain, packed[1:]), strict=True))


def sentences_of(move: AnyMove) -> tuple[str, str]:
    """Give what a move says, in English and in Chinese."""
    english, chinese = SENTENCES[TAGS[type(move)]]
    return english.format_map(_facts(move, 0)), chinese.format_map(_facts(move, 1))


def people_of(move: AnyMove) -> list[str]:
    """Give who stands behind a move: nobody, one person, or two."""
    return [name for name in (getattr(move, field, "") for field in PEOPLE) if name]


def positions_text(mask: int) -> str:
    """Give the positions of a mask as people count them, 1 to 8."""
    return ", ".join(str(position + 1) for position in positions_in(mask))


def _facts(move: AnyMove, language: int) -> dict[str, Any]:
    return {name: _fact(name, getattr(move, name), language) for name in move.__struct_fields__}


def _fact(name: str, value: Any, language: int) -> Any:
    if name in YES_AND_NO:
        return YES_AND_NO[name][language][bool(value)]
    if name in KEYS:
        return fingerprint(value) or NONE[language]
    if name == "mask":
        return positions_text(value)
    return len(value) if isinstance(value, list | tuple) else value


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
