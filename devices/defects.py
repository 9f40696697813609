"""The defect codes that stations speak: two characters, each with the step that causes it.

The groups follow the steps of production; the two-character form and `00` for good follow the quality-control
feedback of GA 214 (the table of GA 214.10 is not public, so the codes are ours).  A defect is *charged* to the step
named here, whoever found it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

GOOD = "00"
FATE_UNKNOWN = "X1"  # no defect of a step: nobody can say what happened


class Step(StrEnum):
    """The steps of the route, in order (膜打印, 平压, 冲切, 电写入, 质量检验, 分拣)."""

    PRINT = "print"
    LAMINATE = "laminate"
    PUNCH = "punch"
    WRITE = "write"
    INSPECT = "inspect"
    PACK = "pack"


@dataclass(frozen=True, slots=True)
class Defect:
    """One way a position, or a whole load, goes wrong."""

    code: str
    step: Step  # that causes it
    zh: str
    en: str


_ALL = (
    Defect("P1", Step.PRINT, "膜面污迹", "smear on the film"),
    Defect("P2", Step.PRINT, "缺线", "missing line"),
    Defect("P3", Step.PRINT, "正反面不符", "front and back are not one person's"),
    Defect("P4", Step.PRINT, "卡膜", "film jam"),
    Defect("L1", Step.LAMINATE, "气泡", "bubble"),
    Defect("L2", Step.LAMINATE, "凹痕", "dent"),
    Defect("L3", Step.LAMINATE, "杂质", "inclusion"),
    Defect("L4", Step.LAMINATE, "翘曲", "warp"),
    Defect("L5", Step.LAMINATE, "定位偏移", "film and body do not lie on each other"),
    Defect("L6", Step.LAMINATE, "压机故障", "press stopped during the cycle"),
    Defect("C1", Step.PUNCH, "尺寸超差", "size off"),
    Defect("C2", Step.PUNCH, "毛刺", "burr"),
    Defect("C3", Step.PUNCH, "偏心", "off centre"),
    Defect("C4", Step.PUNCH, "卡片卡死", "sheet jam"),
    Defect("W1", Step.WRITE, "芯片无应答", "chip does not answer"),
    Defect("W2", Step.WRITE, "写入错误", "write error"),
    Defect("W3", Step.WRITE, "校验错误", "verify error"),
    Defect("W4", Step.WRITE, "写入中断", "writing was cut off"),
    Defect("W9", Step.WRITE, "卡体号不符", "the chip's own number is not the bound serial"),
    Defect("I1", Step.INSPECT, "检验误判", "rejected by the inspector, nothing found"),
    Defect("I2", Step.INSPECT, "机读不符", "the chip does not hold what was sent"),
    Defect("I3", Step.INSPECT, "卡面不符", "the face does not show this card's control mark"),
    Defect("I4", Step.INSPECT, "检验损坏", "damaged while inspected"),
    Defect("K1", Step.PACK, "分拣错误", "wrong card in the bundle"),
    Defect("K2", Step.PACK, "数量不符", "count differs"),
)

DEFECTS = {defect.code: defect for defect in _ALL}


def cause_of(code: str, found_at: Step) -> Step:
    """Give the step a defect is charged to; a code that is not in the table is charged to where it was found."""
    defect = DEFECTS.get(code)
    return defect.step if defect else found_at
