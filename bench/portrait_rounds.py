"""Rounds of learning: encode with the model so far, look at what was decoded and answered, make a better model."""

import dataclasses
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from bench.portrait_fit import (
    SAMPLES,
    Experts,
    first_predictors,
    logistic,
    nearest,
    settled_experts,
    softmax,
)
from encoders.codec.colour import gather_colour, halve
from encoders.codec.kernels import gather
from encoders.codec.model import Model, model_of, search_of, standard_tables
from encoders.codec.rate import Encoder, Tuning, colour_step
from encoders.codec.tables import (
    BIG,
    CLUSTERS,
    COEFFICIENTS,
    FEATURES,
    MODES,
    REFERENCES,
    ROWS,
    SCALE,
    SIDES,
    SMALL,
    STEP,
)
from encoders.codec.workspace import new_work

Pixels = NDArray[np.uint8]
Numbers = NDArray[np.int32]

FIRST_STEP: Final = 22.0  # pixel values: what portraits need on average


@dataclasses.dataclass(slots=True)
class Seen:
    """A picture's planes, what a model made of them, and its answers; all planes int32 in eighths."""

    luma: Numbers
    blue: Numbers
    red: Numbers
    decoded: Numbers
    decoded_blue: Numbers
    decoded_red: Numbers
    split: Numbers
    step: int = 0
    colour: int = 0
    diary: Numbers | None = None
    mode_diary: Numbers | None = None
    clusters: Numbers | None = None
    luma_error: float = 0.0
    colour_error: float = 0.0


def unseen(pictures: Sequence[Pixels]) -> list[Seen]:
    """Pictures before the first model: as if decoded without loss."""
    from encoders.codec.pixels import split_colours

    found = []
    for pixels in pictures:
        work = new_work()
        split_colours(pixels, work.luma, work.blue, work.red)
        found.append(Seen(work.luma, work.blue, work.red, work.luma, work.blue, work.red, work.split))
    return found


@njit(cache=True)
def collect(luma, decoded, size, length, references, blocks):  # type: ignore[no-untyped-def]
    """All blocks of a picture and their references, in pixel values.  Returns: how many."""
    line, at = np.zeros(references.shape[1] + 4, np.int32), 0
    for y in range(0, luma.shape[0], size):
        for x in range(0, luma.shape[1], size):
            gather(decoded, y, x, size, line)
            for i in range(length):
                references[at, i] = line[i] / 8
            for i in range(size * size):
                blocks[at, i] = luma[y + i // size, x + i % size] / 8
            at += 1
    return at


def luma_blocks(seen: Sequence[Seen], kind: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """References and blocks of pictures that are not plain white through and through."""
    size, length = (8, REFERENCES[BIG]) if kind == BIG else (4, REFERENCES[SMALL])
    count = (128 // size) * (104 // size)
    references = np.zeros((len(seen) * count, length), np.float32)
    blocks = np.zeros((len(seen) * count, size * size), np.float32)
    for number, one in enumerate(seen):
        part = slice(number * count, (number + 1) * count)
        collect(one.luma, one.decoded, size, length, references[part], blocks[part])
    chance = np.random.default_rng(7)
    busy = (blocks.std(1) > 2) | (references[:, :-1].std(1) > 2) | (chance.random(len(blocks)) < 0.05)
    return references[busy], blocks[busy]


def colour_blocks(seen: Sequence[Seen]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """References and blocks of the colour planes that are not plain."""
    references, blocks = [], []
    line = np.zeros(REFERENCES[2] + 4, np.int32)
    for one in seen:
        work = new_work()
        halve(one.decoded, work.half)
        work.decoded_blue[:], work.decoded_red[:] = one.decoded_blue, one.decoded_red
        for row in range(8):
            for column in range(7):
                gather_colour(work, 8 * row, 8 * column, line)
                references.append(line[: REFERENCES[2]] / 8)
                part = slice(8 * row, 8 * row + 8), slice(8 * column, 8 * column + 8)
                blocks.append(np.concatenate([one.blue[part].ravel(), one.red[part].ravel()]) / 8)
    found, wanted = np.array(references, np.float32), np.array(blocks, np.float32)
    busy = wanted.std(1) > 1
    return found[busy], wanted[busy]


class Learner:
    """The numbers of a model in the making."""

    def __init__(self, colour_step: int) -> None:
        self.experts: dict[str, Experts] = {}
        answers = np.zeros((3, ROWS, FEATURES))
        answers[:, 0, [0, 1, 2, 5]] = (-1.5, 0.8, 0.8, 0.5)
        answers[:, 1:7, :2] = (-0.8, 1.0)
        answers[:, 7:13, :2] = (-0.6, -0.5)
        answers[:, 13, :2] = (-1.5, 0.8)
        answers[:, 14:, :2] = (-0.7, 0.4)
        self.answers = answers
        self.splits = np.zeros(FEATURES)
        self.follows = np.full((2, MODES + 1, MODES + 1, MODES), -np.log2(MODES))
        self.leans = np.zeros((2, MODES, SIDES))
        self.cluster_shares = np.full((CLUSTERS + 1, CLUSTERS + 1, CLUSTERS), 1 / CLUSTERS)
        self.shifts = np.array([[0, -4, -3, -2]] * 3)  # 0.07 dB over drawing all levels in by 4
        self.colour_step = colour_step

    def learn_experts(self, seen: Sequence[Seen], step: float, rounds: int) -> None:
        """New predictors and bases from decoded pictures."""
        for kind, name, size in ((BIG, "8", 8), (SMALL, "4", 4)):
            references, blocks = luma_blocks(seen, kind)
            if name in self.experts:
                old = self.experts[name]
                owner = self._owner(old, references, blocks, step)
            else:
                owner = nearest(references, blocks, first_predictors(size, REFERENCES[kind]))
            self.experts[name], _ = settled_experts(references, blocks, owner, MODES, COEFFICIENTS[kind], step, rounds)
        references, blocks = colour_blocks(seen)
        coarse = step * self.colour_step / 64
        if "colour" in self.experts:
            owner = self._owner(self.experts["colour"], references, blocks, coarse)
        else:
            spread = blocks.std(1)
            owner = np.digitize(spread, np.quantile(spread, np.arange(1, CLUSTERS) / CLUSTERS))
        self.experts["colour"], _ = settled_experts(
            references, blocks, owner, CLUSTERS, COEFFICIENTS[2], coarse, rounds
        )

    @staticmethod
    def _owner(old: Experts, references: Any, blocks: Any, step: float) -> NDArray[np.int64]:
        from bench.portrait_fit import prices

        shares = np.full(len(old.predictors), 1 / len(old.predictors))
        owner: NDArray[np.int64] = prices(old, references, blocks, shares, step).argmin(1)
        return owner

    def learn_answers(self, seen: Sequence[Seen]) -> None:
        """New regressions and shares from diaries."""
        diary = np.concatenate([one.diary for one in seen if one.diary is not None])
        rows = diary[:, 0]
        order = np.argsort(rows, kind="stable")
        borders = np.searchsorted(rows[order], np.arange(3 * ROWS + 2))
        chance = np.random.default_rng(11)
        for row in range(3 * ROWS + 1):
            mine = order[borders[row] : borders[row + 1]]
            if len(mine) < 50:
                continue
            if len(mine) > SAMPLES:
                mine = chance.choice(mine, SAMPLES, replace=False)
            features = diary[mine, 2:].astype(np.float64) / 256
            answers = diary[mine, 1].astype(np.float64)
            if row == 3 * ROWS:
                features[:, [1, *range(6, FEATURES)]] = 0
                self.splits = logistic(features, answers, self.splits)
            else:
                kind, which = divmod(row, ROWS)
                self.answers[kind, which] = logistic(features, answers, self.answers[kind, which])
        self._learn_modes(np.concatenate([one.mode_diary for one in seen if one.mode_diary is not None]))
        counts = np.zeros_like(self.cluster_shares)
        for one in seen:
            if one.clusters is not None:
                for row in range(8):
                    for column in range(7):
                        above = one.clusters[row - 1, column] if row else CLUSTERS
                        left = one.clusters[row, column - 1] if column else CLUSTERS
                        counts[above, left, one.clusters[row, column]] += 1
        counts += 8 * (counts.sum((0, 1)) + 1) / counts.sum()
        self.cluster_shares = counts / counts.sum(-1, keepdims=True)

    def _learn_modes(self, diary: Numbers) -> None:
        """The shares of modes by their neighbours, and the regression on the sides."""
        chance = np.random.default_rng(13)
        for kind in (BIG, SMALL):
            mine = diary[diary[:, 0] == kind]
            counts = np.zeros((MODES + 1, MODES + 1, MODES))
            np.add.at(counts, (mine[:, 2], mine[:, 3], mine[:, 1]), 1)
            overall = counts.sum((0, 1)) + 1
            counts += 12 * overall / overall.sum()
            self.follows[kind] = np.log2(counts / counts.sum(-1, keepdims=True))
            if len(mine) > SAMPLES // 2:
                mine = chance.choice(mine, SAMPLES // 2, replace=False)
            base = self.follows[kind][mine[:, 2], mine[:, 3]] * np.log(2)
            start = self.leans[kind] * np.log(2)
            found = softmax(base, mine[:, 4:] / 256, mine[:, 1], start, 40)
            self.leans[kind] = found / np.log(2)

    def model(self) -> Model:
        """The model of whole numbers."""
        arrays: dict[str, NDArray[Any]] = {}
        for name, kind in (("8", BIG), ("4", SMALL), ("colour", 2)):
            experts = self.experts[name]
            label = name if kind != 2 else "_colour"
            predictors = experts.predictors.transpose(0, 2, 1)
            if kind != 2:
                predictors = np.concatenate([predictors, predictors.mean(0, keepdims=True)])
            arrays[f"predictors{label}"] = whole(predictors * 8192, np.int16)
            arrays[f"basis{label}"] = whole(experts.bases * 16384, np.int16)
            arrays[f"wide{label}"] = whole(np.log2(experts.spreads) * 256, np.int32)
        arrays["answers"] = whole(self.answers * 1024, np.int16)
        arrays["splits"] = whole(self.splits * 1024, np.int16)
        arrays["follows"] = whole(self.follows * 256, np.int16)
        arrays["leans"] = whole(self.leans.transpose(0, 2, 1) * 1024, np.int16)
        arrays["cluster_shares"] = np.maximum(1, whole(self.cluster_shares * 4096, np.int32))
        arrays["shifts"] = whole(self.shifts, np.int32)
        arrays["colour_step"] = np.array([self.colour_step], np.int32)
        return model_of(arrays | standard_tables())


def whole(values: Any, kind: Any) -> NDArray[Any]:
    """Numbers rounded and held within their type."""
    limits = np.iinfo(kind)
    rounded: NDArray[Any] = np.clip(np.rint(values), limits.min, limits.max).astype(kind)
    return np.ascontiguousarray(rounded)


def encode_all(model: Model, pictures: Sequence[Pixels], tuning: Tuning, step: float | None = None) -> list[Seen]:
    """Encode pictures, at the step each needs or at one step, and note what was decoded and answered."""
    encoder, found = Encoder(model, search_of(model), tuning, diary=True), []
    for pixels in pictures:
        encoder.lay_source(pixels)
        if step is None:
            index, _ = encoder.best()
        else:
            index = int(np.searchsorted(STEP, step * 16))
            encoder.plan(index)
            encoder.written(index)
        work, size = encoder.work, int(STEP[index])
        rows, modes = int(work.state[4]), int(work.state[5])
        inner = slice(0, 126), slice(0, 102)
        half = slice(0, 63), slice(0, 51)
        error = float(((work.luma[inner] - work.decoded[inner]) ** 2).mean()) / SCALE**2
        blue = float(((work.blue[half] - work.decoded_blue[half]) ** 2).mean()) / SCALE**2
        red = float(((work.red[half] - work.decoded_red[half]) ** 2).mean()) / SCALE**2
        found.append(
            Seen(
                luma=work.luma.copy(),
                blue=work.blue.copy(),
                red=work.red.copy(),
                decoded=work.decoded.copy(),
                decoded_blue=work.decoded_blue.copy(),
                decoded_red=work.decoded_red.copy(),
                split=work.split.copy(),
                step=size,
                colour=colour_step(model, size),
                diary=work.diary[:rows].astype(np.int32),
                mode_diary=work.mode_diary[:modes].astype(np.int32),
                clusters=work.cluster.copy(),
                luma_error=error,
                colour_error=(blue + red) / 2,
            )
        )
    return found
