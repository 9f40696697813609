"""What people see of each answer in 80 columns: which columns, under which names, and how a value reads."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from controller.clock import floor_text
from controller.core.cards import State
from devices.messages import POSITIONS

Row = Mapping[str, Any]
NAMED_BY_NUMBER = frozenset({"card", "blank", "body", "first_body", "last_body", "index", "mask", "port"})
NOT_COUNTED = -1
NO_GLYPH = ".no_glyph"  # codes of a field with a character the font does not have


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its heading, and what stands in it of a row; `right` for quantities, `folds` for free text."""

    heading: str
    cell: Callable[[Row], str]
    right: bool = False
    folds: bool = False  # else its values stand on one line, to be read and copied


def columns(title: str, rows: Sequence[Row]) -> tuple[Column, ...]:
    """Give the columns of an answer: the chosen ones, else one for each of its fields."""
    return TABLES.get(title) or tuple(_field(name, rows[0][name]) for name in rows[0])


def fields(title: str, answer: Row) -> Row:
    """Give an answer of many fields as people see it."""
    view = FIELDS.get(title)
    return view(answer) if view else answer


def notes(title: str, rows: Sequence[Row]) -> list[str]:
    """Give the sentences that stand below a table, because no column is wide enough for them."""
    tell = NOTES.get(title)
    return tell(rows) if tell else []


def heading(name: str) -> str:
    """Give a field's name as people read it, without the unit its value then shows."""
    return name.removesuffix("_floor_s").removesuffix("_percent").removesuffix("_s").replace("_", " ")


def reading(name: str, value: Any) -> str:
    """Give a value as people read it; its unit stands at the end of its field's name."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "\n".join(f"{one}: {reading(one, inner)}" for one, inner in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(str(one) if isinstance(one, int) else reading(name, one) for one in value)  # numbers of things
    return _number(name, value) if isinstance(value, (int, float)) else str(value)


def _number(name: str, value: float) -> str:
    if name.endswith("_floor_s"):
        return floor_text(value) if value else ""
    if name.endswith("_s"):
        return age(value)
    if name.endswith("_percent"):
        return f"{value:.2f} %"
    if name in NAMED_BY_NUMBER or name.endswith("_id"):
        return str(value)
    return f"{value:,}" if type(value) is int else f"{value:,.1f}"


def age(seconds: float) -> str:
    """Give a stretch of time in its two largest units, like `45 s`, `12 min`, `3 h 12 min` or `2 d 5 h`."""
    whole_s = int(max(0.0, seconds))
    if whole_s < 60:
        return f"{whole_s} s"
    minutes = whole_s // 60
    if minutes < 60:
        return f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def arguments_text(args: Mapping[str, Any]) -> str:
    """Give an act's arguments as they were typed."""
    return " ".join(f"{name}={value}" for name, value in args.items())


def positions(mask: int) -> str:
    """Give the positions of a mask as people count them, from 1: bit 0 of the mask is position 1."""
    return " ".join(str(one + 1) for one in range(POSITIONS) if mask >> one & 1)


def day_time(at_floor_s: float) -> str:
    """Give a floor time without year and seconds, like `03-02 08:15`."""
    return floor_text(at_floor_s)[5:16] if at_floor_s else ""


# ---- the chosen columns -------------------------------------------------------------------------------------------


def _field(name: str, example: Any, as_heading: str = "") -> Column:
    right = isinstance(example, (int, float)) and not isinstance(example, bool)
    folds = not isinstance(example, (int, float))
    return Column(as_heading or heading(name), lambda row: reading(name, row.get(name)), right, folds)


def _text(name: str, as_heading: str = "") -> Column:
    return _field(name, "", as_heading)


def _name(name: str, as_heading: str = "") -> Column:
    """Give a column of numbers or words that name something: flush left, never folded."""
    return replace(_text(name, as_heading), folds=False)


def _count(name: str, as_heading: str = "") -> Column:
    return _field(name, 0, as_heading)


def _condition(row: Row) -> str:
    """Say what is wrong with a station: its own reason, who holds it, which of its charts warn."""
    held = f"held: {row['hold']}" if row["hold"] else ""
    warned = f"warns: {' '.join(row['warnings'])}" if row["warnings"] else ""
    return "; ".join(one for one in (row["reason"], held, warned) if one)


def _difference(row: Row) -> str:
    return "" if row["arrived"] == NOT_COUNTED else f"{row['difference']:+,}" if row["difference"] else "0"


def _by_station(tell: Callable[[Row], str]) -> Callable[[Sequence[Row]], list[str]]:
    """Let a sentence about each station stand below the table, where there is one."""

    def told(rows: Sequence[Row]) -> list[str]:
        sentences = ((row["station"], tell(row)) for row in rows)
        return [f"{station}: {sentence}" for station, sentence in sentences if sentence]

    return told


def _settling(rows: Sequence[Row]) -> list[str]:
    """Say which bodies may lie under films that were lost, and how somebody settles the first suspect."""
    told = dict[str, list[Row]]()
    for row in rows:
        if row["bodies"]:
            told.setdefault(row["station"], []).append(row)
    sentences = [
        f"{station} could have drawn body {', '.join(map(str, lost[0]['bodies']))} "
        f"for sheet {', '.join(str(row['sheet_id']) for row in lost)}: see which lies there, if any"
        for station, lost in told.items()
    ]
    first = rows[0]
    body = f" body={first['bodies'][0]}" if first["bodies"] else ""
    example = f"cardmill act settle sheet_id={first['sheet_id']} mask={first['mask']} finding=spoiled{body}"
    return [*sentences, "two people settle each, as `good`, `spoiled` or `missing`, for example:", example]


def _stops_at_once(rows: Sequence[Row]) -> list[str]:
    """Say which held cards the printer's font cannot draw: released, they stop."""
    cards = [str(row["card"]) for row in rows if any(code.endswith(NO_GLYPH) for code in row["codes"])]
    if not cards:
        return []
    return [f"released, these stop at once, for the font cannot draw them ({NO_GLYPH[1:]}): {', '.join(cards)}"]


def _who_lifts(row: Row) -> str:
    """Say how many people it takes, and which proposal waits for the second."""
    if row["act_id"]:
        return f"act {row['act_id']}"
    return "two" if row["people"] == 2 else "one"


def _reviewing(rows: Sequence[Row]) -> list[str]:
    """Say how one is looked at and ended; of those that two people must lift, that too."""
    first = {row["people"]: row for row in reversed(rows)}
    ways = [way_out(first[people]) for people in sorted(first)]
    return [f"`cardmill look {rows[0]['card']} --reason TEXT` shows what is doubtful", *ways, *_stops_at_once(rows)]


def way_out(row: Row) -> str:
    """Give the command that ends the wait of a held or stopped card, to be copied."""
    if row["act_id"]:
        return f"`cardmill second {row['act_id']}`, by another than {row['proposed_by']}, releases {row['card']}"
    if row["people"] == 2:
        one_may = "; or `decide refuse`" if row["state"] == State.HELD else ""
        return f"`cardmill act override card={row['card']} reason=TEXT`, by two{one_may}"
    if row["state"] == State.HELD:
        return f"`cardmill decide release|refuse {row['card']} --reason TEXT` ends it"
    return f"`cardmill decide resume|cancel|refuse_late {row['card']} --reason TEXT` ends it"


def _ending(rows: Sequence[Row]) -> list[str]:
    decisions = "resume (it is tried again), cancel (it is withdrawn), refuse_late (it cannot be made)"
    return [f"`cardmill decide DECISION CARD --reason TEXT` ends it: {decisions}"]


def _alarm(row: Row) -> str:
    """Say under which key it is acknowledged, what is wrong, and what to do."""
    return f"{row['key']}\n{row['cause_zh']}\n{row['cause_en']}\n> {row['to_do_zh']}\n> {row['to_do_en']}"


def _acknowledging(rows: Sequence[Row]) -> list[str]:
    free = next((row["key"] for row in rows if not row["owner"]), "")
    return [f"`cardmill acknowledge {free}` says that you take care of it"] if free else []


NOTES: Mapping[str, Callable[[Sequence[Row]], list[str]]] = {
    "stations": _by_station(_condition),
    "holds": _by_station(lambda row: str(row["to_do"])),
    "suspects": _settling,
    "review": _reviewing,
    "stopped": _ending,
    "alarms": _acknowledging,
}
_CLOCKS = (
    *(_name("card"), _name("state")),
    _count("generation", "attempt"),
    Column("began", lambda row: day_time(row["began_floor_s"])),
    Column("due", lambda row: day_time(row["due_floor_s"])),
    Column("late", lambda row: age(row["late_s"]) if row["late_s"] > 0 else "", right=True),
)
_HOLD = (_text("code"), _text("by"), Column("for", lambda row: age(row["age_s"]), right=True))
_WAITING = (_name("card"), _name("acceptance_number"))
TABLES: Mapping[str, tuple[Column, ...]] = {
    "stations": (
        *(_text("station"), _name("step"), _name("state")),
        Column("for", lambda row: age(row["age_s"]), right=True),
        Column("job", lambda row: str(row["job_id"] or ""), right=True),
        _count("worked"),
        _text("operator"),
    ),
    "audit": (
        *(_name("seq", "number"), Column("at", lambda row: day_time(row["at_floor_s"]))),
        Column("who", lambda row: ", ".join(row["people"])),
        Column("what", lambda row: row["sentence_en"], folds=True),
    ),
    "settings": (
        Column("setting", lambda row: f"{row['section']}.{row['name']}"),
        Column("value", lambda row: "(set, not shown)" if row["hidden"] else str(row["value"]), folds=True),
        _name("unit"),
        Column("default", lambda row: str(row["default"]) if row["changed"] else "", folds=True),
    ),
    "review": (
        *_WAITING,
        Column("for", lambda row: age(row["age_s"]), right=True),
        Column("who", _who_lifts),
        _text("codes", "doubtful because"),
    ),
    "rivals": (_name("card"), _name("acceptance_number"), _name("standing"), _name("same_person", "same person")),
    "stopped": (*_WAITING, _text("code", "stopped for"), _text("fields")),
    "suspects": (
        *(_name("sheet_id", "sheet"), _text("station", "lost at"), _name("step")),
        Column("body", lambda row: str(row["body"] or "not bound")),
        Column("positions", lambda row: positions(row["mask"])),
        _name("mask"),
    ),
    "acts": (
        *(_name("act_id", "act"), _name("verb")),
        Column("arguments", lambda row: arguments_text(row["args"]), folds=True),
        _text("by", "proposed by"),
        Column("ends in", lambda row: age(row["left_s"]) if "left_s" in row else "", right=True),
    ),
    "holds": (
        *(_text("station"), _name("step"), _text("code")),
        Column("by", lambda row: row["by"] or "the controller"),
        Column("for", lambda row: age(row["age_s"]), right=True),
        _count("sheets", "to inspect"),
        Column("in flight", lambda row: str(len(row["in_flight"])), right=True),
    ),
    "piles": (
        *(_name("batch_id", "batch"), _name("unit"), _text("stations")),
        Column("cards", lambda row: f"{len(row['cards']):,}", right=True),
        _text("missing", "missing cards"),
        _text("foreign", "foreign serials"),
    ),
    "consignments": (
        *(_name("consignment_id", "no."), _name("unit")),
        Column("left", lambda row: day_time(row["sent_floor_s"])),
        *(_text("boxes"), _count("sent", "cards")),
        Column("arrived", lambda row: "" if row["arrived"] == NOT_COUNTED else f"{row['arrived']:,}", right=True),
        Column("differs", _difference, right=True),
        Column("open for", lambda row: age(row["open_s"]) if row["arrived"] == NOT_COUNTED else "", right=True),
        _name("scanned", "scan"),
    ),
    "alarms": (
        _name("severity"),
        Column("key, what is wrong 告警, what to do 处理", _alarm, folds=True),
        Column("for", lambda row: age(row["age_s"]), right=True),
        _text("owner"),
    ),
    "batches": (
        *(_name("batch_number", "batch"), _name("state")),
        Column("due", lambda row: day_time(row["due_floor_s"])),
        Column("done", lambda row: f"{row['done']:,}/{row['received']:,}", right=True),
        Column("late", lambda row: age(row["late_s"]) if row["late"] else "", right=True),
        Column("waits", lambda row: row["hold"] or row["because"]),
    ),
    "cards": (
        *(_name("card"), _name("acceptance_number"), _name("state")),
        Column("sheet", lambda row: str(row["sheet_id"] or ""), right=True),
        _text("where"),
        Column("codes", lambda row: row["hold"] or ", ".join(row["codes"]), folds=True),
    ),
    "batches held": (_name("batch_number", "batch"), *_HOLD),
    "cards held": (*(_name("card"), _name("batch_number", "batch"), _name("state")), *_HOLD),
    "failed": (_name("card"), _name("code"), _text("text")),
    "remakes": _CLOCKS,
    "returns": _CLOCKS,
}


# ---- answers of many fields ---------------------------------------------------------------------------------------


def _stock(answer: Row) -> Row:
    """Give blanks by account where there are any, and the body sheets of vault and magazines, single bodies apart."""
    single = answer["singles"]
    alone, by_station = {tuple(one) for one in single["vault"]}, single["magazines"]
    ranges = [_range_of(first, many, 1 if (first, many) in alone else POSITIONS) for first, many in answer["vault"]]
    magazines = [
        {"station": name, "sheets": many - by_station[name]}
        | ({"single bodies": by_station[name]} if any(by_station.values()) else {})
        for name, many in answer["magazines"].items()
    ]
    accounts = [{"account": name, "blanks": many} for name, many in answer["accounts"].items() if many]
    return {"blanks": accounts, "vault, body sheets": ranges, "magazines, body sheets": magazines}


def _range_of(first: int, many: int, places: int) -> Row:
    return {"first_body": first, "last_body": first + many - 1, "sheets": many, "blanks": many * places}


def _shift(answer: Row) -> Row:
    return {
        "began": answer["began"],
        "shifts closed": answer["closed"],
        "counted": answer["counted"] or "nothing yet",
        "not counted": answer["not_counted"] or "nothing: `cardmill act close_shift`",
    }


FIELDS: Mapping[str, Callable[[Row], Row]] = {"stock": _stock, "shift": _shift}
