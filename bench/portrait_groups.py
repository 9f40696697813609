"""Whether any group of people is served worse: gains by sex, skin, source and whatever else a list says."""

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Labels = dict[str, str]  # of one picture: what is told of it, and its value

MANIFEST: Final = "manifest.csv"
NO_LABELS: Final = ("file", "source_file", "licence")
VALUES_MAX: Final = 12  # a column with more different values names pictures, not groups
LEAST_PICTURES: Final = 5  # a smaller group's mean says little: shown, but never the worst
WANTED_DB: Final = 0.4
SEX_CODES: Final = {"1": "male", "2": "female", "m": "male", "f": "female"}  # the first two of GB/T 2261.1
SEX_IN_SOURCE: Final = re.compile(r"(?:^|/)(male|female)/|/\d+([mf])\.jpg$")
CHEEKS_PX: Final = ((slice(66, 78), slice(31, 42)), (slice(66, 78), slice(60, 71)))  # of an ID photo of 102x126
# Individual typology angle in degrees, and the names of its ranges from dark to light.
SKINS: Final = ((10.0, "dark"), (28.0, "tan"), (41.0, "intermediate"), (90.1, "light"))
WHITE_D65: Final = (0.9505, 1.0, 1.0891)


def labels_of(folder: Path, names: Sequence[str], more: Path | None = None) -> dict[str, Labels]:
    """What the list beside the pictures and another one say of each; where there is none, the start of its name."""
    found: dict[str, Labels] = {name: {} for name in names}
    for file in (folder / MANIFEST, more):
        for row in rows_of(file) if file is not None and file.is_file() else ():
            if row.get("file") in found:
                found[row["file"]] |= {key: value for key, value in row.items() if key not in NO_LABELS and value}
                if sex := SEX_CODES.get(row.get("sex", "").lower()) or sex_in(row.get("source_file", "")):
                    found[row["file"]]["sex"] = sex
    for name, labels in found.items():
        labels.setdefault("set", name.rpartition("_")[0] or name)
    return {name: {key: labels[key] for key in sorted(labels)} for name, labels in found.items()}


def rows_of(file: Path) -> Iterator[dict[str, str]]:
    """The rows of a list with a heading."""
    with open(file, encoding="utf-8", newline="") as opened:
        yield from csv.DictReader(opened)


def sex_in(source_file: str) -> str:
    """The sex that the name of a source file tells, or nothing."""
    found = SEX_IN_SOURCE.search(source_file)
    return SEX_CODES.get(found[2] or "", found[1] or "") if found else ""


def skin_of(pixels: Pixels) -> str:
    """How light the cheeks are, as the picture shows them: the range of the individual typology angle.

    Source: Chardon, Cretois and Hourseau, Skin colour typology and suntanning pathways, 1991.
    """
    cheeks = np.concatenate([pixels[part].reshape(-1, 3) for part in CHEEKS_PX])
    lightness, yellow = lab(np.median(cheeks, axis=0))
    angle = np.degrees(np.arctan2(lightness - 50, max(yellow, 1e-6)))
    return next(name for limit, name in SKINS if angle < limit)


def lab(rgb: NDArray[np.float64]) -> tuple[float, float]:
    """L* and b* of an sRGB colour, 0 to 255."""
    share = rgb / 255
    linear = np.where(share <= 0.04045, share / 12.92, ((share + 0.055) / 1.055) ** 2.4)
    green_part = float(linear @ (0.2126, 0.7152, 0.0722)) / WHITE_D65[1]
    blue_part = float(linear @ (0.0193, 0.1192, 0.9505)) / WHITE_D65[2]
    light, blue = (part ** (1 / 3) if part > 0.008856 else 7.787 * part + 16 / 116 for part in (green_part, blue_part))
    return 116 * light - 16, 200 * (light - blue)


def group_report(
    labels: Mapping[str, Labels], gains_db: Mapping[str, float], own_db: Mapping[str, float]
) -> dict[str, Any]:
    """Mean gain over a peer for each group, how far the worst lies below the mean of all, and our own luma.

    Args:
        labels, gains_db, own_db: by picture's name; gains of some pictures may be missing.
    """
    mean_db = float(np.mean(list(gains_db.values())))
    by: dict[str, dict[str, Any]] = {}
    for key in sorted({key for name in gains_db for key in labels[name]}):
        values = sorted({labels[name][key] for name in gains_db if key in labels[name]})
        for value in values if 1 < len(values) <= VALUES_MAX else ():
            names = [name for name in gains_db if labels[name].get(key) == value]
            gain_db = float(np.mean([gains_db[name] for name in names]))
            by.setdefault(key, {})[value] = {
                "pictures": len(names),
                "gain_db": gain_db,
                "below_mean_db": mean_db - gain_db,
                "psnr_y": float(np.mean([own_db[name] for name in names])),
            }
    every = [{"label": key, "group": value} | row for key, rows in by.items() for value, row in rows.items()]
    large = [row for row in every if row["pictures"] >= LEAST_PICTURES]
    worst = max(large, key=lambda row: row["below_mean_db"], default=None)
    held = worst["below_mean_db"] <= WANTED_DB if worst else None
    return {"mean_gain_db": mean_db, "by": by, "worst": worst, "wanted_db": WANTED_DB, "held": held}
