"""The trained numbers of the format: how they lie in the model file, and the checks they pass when it is read."""

from functools import cache
from hashlib import sha256
from importlib import resources
from typing import Any, Final, NamedTuple

import numpy as np
from numba import int16, int32, types
from numpy.typing import NDArray

from encoders.codec.tables import (
    BASIS_BITS,
    BIAS,
    CLUSTERS,
    COEFFICIENTS,
    COLOUR_CLASSES,
    COLOUR_TAPS,
    FEATURES,
    LUMA_CLASSES,
    LUMA_TAPS,
    MODES,
    ODDS_LIMIT,
    PROBABILITY_BITS,
    REFERENCES,
    ROWS,
    SIDES,
    WEIGHT_BITS,
    log2_256ths,
)

FILE: Final = "portrait-2.bin"
FILE_SHA256: Final = "45c3c4a33917aa054b69d4bcfa75ebafadd6ad399acc1083c9a7c987a0ff63fa"
MAGIC: Final = b"cardmill portrait model 2\n"
PLACES: Final = 2 * ODDS_LIMIT + 1
REACH_BITS: Final = 12  # behind the point of `Search.reach8`
POWERS: Final = 12 * 256 + 1  # halvings in 1/256, down to nothing


class Model(NamedTuple):
    """Everything learned; predictors are in 1/8192, bases in 1/16384, spreads and logarithms in 1/256."""

    predictors8: Any  # int16[modes + 1, 45, 64]; the last is the mean of all
    basis8: Any  # int16[modes, 48, 64]
    wide8: Any  # int32[modes, 48]: logarithm of a coefficient's spread, in pixel values
    predictors4: Any  # int16[modes + 1, 25, 16]
    basis4: Any  # int16[modes, 16, 16]
    wide4: Any
    predictors_colour: Any  # int16[clusters, 116, 128]
    basis_colour: Any  # int16[clusters, 28, 128]
    wide_colour: Any
    answers: Any  # int16[3 kinds, 18, 14]: the regressions of levels, in 1/1024
    splits: Any  # int16[14]: that of splits
    follows: Any  # int16[2 kinds, modes + 1, modes + 1, modes]: logarithm of a mode's share by those above and left
    leans: Any  # int16[2 kinds, 16, modes]: the mode regression, in 1/1024
    cluster_shares: Any  # int32[clusters + 1, clusters + 1, clusters], by those above and left
    shifts: Any  # int32[3 kinds, 4]: how far levels of size 1, 2, more are drawn in, in 1/64 step
    colour_step: Any  # int32[1]: colour's step, in 1/64 of luma's
    chances: Any  # int32[3073]: probability of a 1 by log odds, of 32768
    powers: Any  # int32[3073]: 2048 halved by 256ths


SHAPES: Final[dict[str, tuple[Any, tuple[int, ...]]]] = {
    "predictors8": (np.int16, (MODES + 1, REFERENCES[0], 64)),
    "basis8": (np.int16, (MODES, COEFFICIENTS[0], 64)),
    "wide8": (np.int32, (MODES, COEFFICIENTS[0])),
    "predictors4": (np.int16, (MODES + 1, REFERENCES[1], 16)),
    "basis4": (np.int16, (MODES, COEFFICIENTS[1], 16)),
    "wide4": (np.int32, (MODES, COEFFICIENTS[1])),
    "predictors_colour": (np.int16, (CLUSTERS, REFERENCES[2], 128)),
    "basis_colour": (np.int16, (CLUSTERS, COEFFICIENTS[2], 128)),
    "wide_colour": (np.int32, (CLUSTERS, COEFFICIENTS[2])),
    "answers": (np.int16, (3, ROWS, FEATURES)),
    "splits": (np.int16, (FEATURES,)),
    "follows": (np.int16, (2, MODES + 1, MODES + 1, MODES)),
    "leans": (np.int16, (2, SIDES, MODES)),
    "cluster_shares": (np.int32, (CLUSTERS + 1, CLUSTERS + 1, CLUSTERS)),
    "shifts": (np.int32, (3, 4)),
    "colour_step": (np.int32, (1,)),
    "chances": (np.int32, (PLACES,)),
    "powers": (np.int32, (POWERS,)),
}
ELEMENTS: Final = {np.int16: int16, np.int32: int32}
MODEL = types.NamedTuple([types.Array(ELEMENTS[kind], len(shape), "C") for kind, shape in SHAPES.values()], Model)


class Search(NamedTuple):
    """What only the encoder needs, made from the model: all modes' transforms side by side, alone and after prediction.

    Its products keep the upper 16 bits of 32, which is one instruction for many numbers; a rounding of a few eighths
    matters nothing to the choice of modes, and the levels that are written come from exact products.
    """

    spans8: Any  # int16[64, modes * 48]: bases in 1/32768, by pixel
    spans4: Any  # int16[16, modes * 16]
    reach8: Any  # int16[44, modes * 48]: coefficients of predictions in 1/4096, by reference number; BIAS left out
    reach4: Any  # int16[24, modes * 16]
    fixed8: Any  # int16[modes * 48]: what BIAS adds to them, in eighths
    fixed4: Any  # int16[modes * 16]
    costs: Any  # int32[3073, 2]: of a 0 and a 1 by log odds, in 1/256 bit


SEARCH = types.NamedTuple(
    [*[types.Array(int16, 2, "C")] * 4, *[types.Array(int16, 1, "C")] * 2, types.Array(int32, 2, "C")], Search
)


def standard_tables() -> dict[str, NDArray[np.int32]]:
    """The tables every model carries: probabilities by log odds, and powers of two."""
    odds = (np.arange(PLACES) - ODDS_LIMIT) / 128
    whole = 1 << PROBABILITY_BITS
    chances = np.clip(np.rint(whole / (1 + np.exp(-odds))), 8, whole - 8)
    powers = np.maximum(np.rint(2048 * 2.0 ** (-np.arange(POWERS) / 256)), 1)
    return {"chances": chances.astype(np.int32), "powers": powers.astype(np.int32)}


def search_of(model: Model) -> Search:
    """What the encoder adds to a model."""
    spans, reach, fixed = [], [], []
    for basis, predictors in ((model.basis8, model.predictors8), (model.basis4, model.predictors4)):
        spans.append(side_by_side(basis.transpose(2, 0, 1).astype(np.int64) << (15 - BASIS_BITS)))
        product = np.einsum("kip,kjp->jki", basis.astype(np.int64), predictors[:-1].astype(np.int64))
        down = BASIS_BITS + WEIGHT_BITS - REACH_BITS
        reach.append(side_by_side((product[:-1] + (1 << (down - 1))) >> down))
        down = BASIS_BITS + WEIGHT_BITS
        fixed.append(side_by_side((product[-1:] * BIAS + (1 << (down - 1))) >> down)[0])
    whole = 1 << PROBABILITY_BITS
    logs = {chance: log2_256ths(chance) for chance in {*model.chances.tolist(), *(whole - model.chances).tolist()}}
    costs = [[256 * PROBABILITY_BITS - logs[part] for part in (whole - one, one)] for one in model.chances.tolist()]
    return Search(spans[0], spans[1], reach[0], reach[1], fixed[0], fixed[1], np.array(costs, np.int32))


def side_by_side(numbers: NDArray[np.int64]) -> NDArray[np.int16]:
    """Numbers of [rows, modes, coefficients] as int16[rows, modes * coefficients], held within 16 bits."""
    held = np.clip(numbers, -32768, 32767).astype(np.int16)
    return np.ascontiguousarray(held.reshape(len(held), -1))


def model_of(arrays: dict[str, NDArray[Any]]) -> Model:
    """A model of arrays by name, each of the right type and shape.  Raises: ValueError."""
    for name, (kind, shape) in SHAPES.items():
        if arrays[name].dtype != kind or arrays[name].shape != shape:
            raise ValueError(f"{name} is {arrays[name].dtype} {arrays[name].shape}")
    for name, bits in (("predictors8", WEIGHT_BITS), ("predictors4", WEIGHT_BITS), ("predictors_colour", WEIGHT_BITS)):
        if np.abs(arrays[name].astype(np.int64)).sum(axis=1).max() * 2048 >= 1 << 31:
            raise ValueError(f"{name} could leave 32 bits ({bits} of them behind the point)")
    return Model(**{name: np.ascontiguousarray(arrays[name]) for name in SHAPES})


class Filters(NamedTuple):
    """The filters after decoding, in 1/4096: each class's weights of differences."""

    luma: Any  # int16[192 classes, 28]
    colour: Any  # int16[Cb and Cr, 32 classes, 18]


FILTERS = types.NamedTuple([types.Array(int16, 2, "C"), types.Array(int16, 3, "C")], Filters)
FILTER_SHAPES: Final[dict[str, tuple[Any, tuple[int, ...]]]] = {
    "luma": (np.int16, (LUMA_CLASSES, LUMA_TAPS)),
    "colour": (np.int16, (2, COLOUR_CLASSES, COLOUR_TAPS)),
}


class Frozen(NamedTuple):
    """All of the format that was learned, and what the encoder makes of it."""

    model: Model
    filters: Filters
    search: Search


def packed(model: Model, filters: Filters) -> bytes:
    """The bytes of a model file: a name, then every array in the order of the tables, little-endian, in C order."""
    parts = [MAGIC]
    for arrays, shapes in ((model, SHAPES), (filters, FILTER_SHAPES)):
        for array, (kind, _) in zip(arrays, shapes.values(), strict=True):
            parts.append(array.astype(np.dtype(kind).newbyteorder("<")).tobytes())
    return b"".join(parts)


def unpacked(file: bytes) -> tuple[Model, Filters]:
    """The model and the filters of a file.  Raises: ValueError: it is no such file."""
    if not file.startswith(MAGIC):
        raise ValueError("the file does not begin as a portrait model does")
    at, found = len(MAGIC), {}
    for name, (kind, shape) in {**SHAPES, **{f"{name} filter": one for name, one in FILTER_SHAPES.items()}}.items():
        stored = np.dtype(kind).newbyteorder("<")
        size = int(np.prod(shape)) * stored.itemsize
        if at + size > len(file):
            raise ValueError("the file ends too early")
        found[name] = np.frombuffer(file[at : at + size], stored).astype(kind).reshape(shape)
        at += size
    if at != len(file):
        raise ValueError("the file goes on behind its end")
    return model_of(found), Filters(found["luma filter"], found["colour filter"])


@cache
def frozen() -> Frozen:
    """The model this format is frozen with.  Raises: ValueError: the file is not the one whose digest stands here."""
    file = resources.files("encoders.codec").joinpath(FILE).read_bytes()
    if sha256(file).hexdigest() != FILE_SHA256:
        raise ValueError(f"{FILE} is not the file this program was made with")
    model, filters = unpacked(file)
    return Frozen(model, filters, search_of(model))
