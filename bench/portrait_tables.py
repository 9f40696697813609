"""The portrait benchmark's figures: means by codec, what is asked of ours, groups of people; and their tables."""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from bench.portrait_groups import Labels, group_report
from bench.result import show

Row = dict[str, float]
Figures = dict[str, Any]

OWN: Final = "cardmill"
AVIF: Final = ("avif0_payload", "avif6_payload")  # what groups are measured against: the first that ran
QUALITIES: Final = ("psnr_y", "psnr_c", "psnr_rgb", "ssim", "ms_ssim", "ssimulacra2")  # more is better
DISTANCES: Final = ("face_l2",)  # less is better
INTERPOLATED: Final = ("psnr_y", "psnr_c", "psnr_rgb", "ssim", "ms_ssim")
TIMES: Final = ("encode_ms", "decode_ms")

LOOKS: Final = {
    "psnr_y": ("Y dB", 2),
    "psnr_c": ("C dB", 2),
    "psnr_rgb": ("RGB dB", 2),
    "ssim": ("SSIM", 4),
    "ms_ssim": ("MS-SSIM", 4),
    "ssimulacra2": ("SSIMU2", 1),
    "face_l2": ("face", 3),
}
COSTS: Final = {
    "bytes_mean": ("bytes", 0),
    "bytes_max": ("most", 0),
    "ours_minus_y": ("gain", 2),
    "ours_wins": ("wins", 2),
    "ours_minus_y_at_1024": ("@1024", 2),
    "encode_ms": ("enc ms", 1),
    "decode_ms": ("dec ms", 2),
}


def summed_up(rows: Mapping[str, Mapping[str, Row]], labels: Mapping[str, Labels]) -> dict[str, Any]:
    """Figures by codec, the demands on ours, and its gain over AVIF by group, from rows by codec and picture."""
    own = rows[OWN]
    codecs = {name: means(found, own) for name, found in rows.items()}
    result: dict[str, Any] = {"demands": demands(codecs)}
    against = next((name for name in AVIF if name in rows), None)
    if against is not None:
        gains_db = {name: own[name]["psnr_y"] - row["psnr_y"] for name, row in rows[against].items()}
        own_db = {name: row["psnr_y"] for name, row in own.items()}
        result["groups"] = {"over": against} | group_report(labels, gains_db, own_db)
    spreads = {name: {key: quartiles(found, key) for key in TIMES} for name, found in rows.items()}
    return result | {"codecs": codecs, "spread": {"codecs": spreads}}


def means(rows: Mapping[str, Row], own: Mapping[str, Row]) -> Figures:
    """Means of a codec's figures over its pictures, medians of its times, and how much better our luma is there."""
    first = next(iter(rows.values()))
    found: Figures = {"pictures": len(rows)}
    found |= {key: mean(rows, key) for key in (*QUALITIES, *DISTANCES) if key in first}
    found |= {"bytes_mean": mean(rows, "bytes"), "bytes_max": max(int(row["bytes"]) for row in rows.values())}
    for key in TIMES:
        times = [row[key] for row in rows.values()]
        found |= {key: float(np.median(times)), key.replace("_ms", "_p99_ms"): float(np.quantile(times, 0.99))}
    if rows is own:
        return found
    found["at_1024"] = {key: mean(rows, f"at_1024.{key}") for key in INTERPOLATED}
    gains = [own[name]["psnr_y"] - row["psnr_y"] for name, row in rows.items()]
    given = [own[name]["psnr_y"] - row["at_1024.psnr_y"] for name, row in rows.items()]
    found |= {"ours_minus_y": float(np.mean(gains)), "ours_minus_y_at_1024": float(np.mean(given))}
    return found | {"ours_wins": float(np.mean([gain > 0 for gain in gains]))}


def demands(codecs: Mapping[str, Figures]) -> dict[str, Any]:
    """What is asked of our codec: luma over AVIF's payload, over every whole file, and no measure behind any payload.

    VVC stands apart: there the demand is luma over its payload brought to exactly 1,024 bytes; its whole is a raw
    stream, not a file that a picture viewer opens.
    """
    others = {name: figures for name, figures in codecs.items() if name != OWN and not name.startswith("vvc")}
    found: dict[str, Any] = {}
    if AVIF[0] in codecs:
        found["luma_over_avif0_payload_db"] = codecs[AVIF[0]]["ours_minus_y"]
    if wholes := {name: one["ours_minus_y"] for name, one in others.items() if not name.endswith("payload")}:
        closest = min(wholes, key=wholes.__getitem__)
        found |= {"closest_whole_file": closest, "luma_over_closest_whole_file_db": wholes[closest]}
    if "vvc_payload" in codecs:
        found["luma_over_vvc_payload_at_1024_db"] = codecs["vvc_payload"]["ours_minus_y_at_1024"]
        found["luma_over_vvc_whole_db"] = codecs["vvc_whole"]["ours_minus_y"]
    ahead = [
        f"{name} in {key}"
        for name, figures in others.items()
        if not name.endswith("whole")
        for key in (*QUALITIES, *DISTANCES)
        if behind(codecs[OWN], figures, key)
    ]
    return found | {"behind_a_payload": ", ".join(ahead) or "none"}


def behind(own: Figures, other: Figures, key: str) -> bool:
    """Whether another codec's mean is better."""
    if key not in own or key not in other:
        return False
    return bool(other[key] < own[key]) if key in DISTANCES else bool(other[key] > own[key])


def mean(rows: Mapping[str, Row], key: str) -> float:
    """The mean of a figure over pictures."""
    return float(np.mean([row[key] for row in rows.values()]))


def quartiles(rows: Mapping[str, Row], key: str) -> float:
    """The distance between the quartiles of a figure over pictures."""
    low, high = np.quantile([row[key] for row in rows.values()], (0.25, 0.75))
    return float(high - low)


def show_all(result: Mapping[str, Any], json_file: str | None) -> None:
    """Print what the pictures are like, what they cost, and the groups."""
    codecs = dict(sorted(result["codecs"].items(), key=lambda one: -one[1]["psnr_y"]))
    looks = f"{result['pictures']} portraits in 1,024 bytes"
    if result["not_at_hand"]:
        looks += f"; not at hand: {', '.join(result['not_at_hand'])}"
    for title, columns in ((looks, LOOKS), ("What they cost", COSTS)):
        there = [key for key in columns if any(key in figures for figures in codecs.values())]
        rows = [[name, *(text(figures.get(key), columns[key][1]) for key in there)] for name, figures in codecs.items()]
        show(title, ("codec", *(columns[key][0] for key in there)), rows, json_file)
    demanded = [[key.replace("_", " "), text(value, 2)] for key, value in result["demands"].items()]
    show("What is asked of ours", ("demand", "found"), demanded, json_file)
    if "groups" in result:
        show_groups(result["groups"], json_file)


def show_groups(groups: Mapping[str, Any], json_file: str | None) -> None:
    """Print our gain by group of people, and the worst group."""
    keys = {"pictures": 0, "gain_db": 2, "below_mean_db": 2, "psnr_y": 2}
    rows = [
        [f"{label}: {value}", *(text(row[key], places) for key, places in keys.items())]
        for label, values in groups["by"].items()
        for value, row in values.items()
    ]
    if worst := groups["worst"]:
        name = f"worst: {worst['label']} {worst['group']}"
        rows.append([name, *(text(worst[key], places) for key, places in keys.items())])
    outcome = {True: "no group lies", False: "SOME GROUP LIES", None: "no group is large enough to lie"}[groups["held"]]
    title = f"Gain over {groups['over']}: mean {groups['mean_gain_db']:.2f} dB; "
    title += f"{outcome} more than {groups['wanted_db']} dB below it"
    show(title, ("group", "pictures", "gain dB", "below mean", "our Y dB"), rows, json_file)


def text(value: Any, places: int) -> str:
    """A figure for a table; nothing for one that is missing."""
    return "" if value is None else value if isinstance(value, str) else f"{value:.{places}f}"
