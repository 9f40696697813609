"""What is learned in closed form or by Newton steps: predictors with their bases, logistic and softmax regressions."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

Matrix = NDArray[np.float32]
Whole = NDArray[np.int64]

LAMBDA: Final = 0.14  # worth of a bit in squared steps
SAMPLES: Final = 120_000  # rows a regression is fitted to


@dataclass(slots=True)
class Experts:
    """Predictors, float[modes, pixels, references], bases, float[modes, coefficients, pixels], and spreads."""

    predictors: Matrix
    bases: Matrix
    spreads: Matrix


def experts_of(references: Matrix, blocks: Matrix, owner: Whole, modes: int, number: int, step: float) -> Experts:
    """The best predictor and basis for the blocks of each owner; rare owners lean on the predictor of all."""
    pixels, length = blocks.shape[1], references.shape[1]
    found = Experts(
        np.zeros((modes, pixels, length), np.float32),
        np.zeros((modes, number, pixels), np.float32),
        np.ones((modes, number), np.float32),
    )
    gram = references.T.astype(np.float64) @ references
    common = np.linalg.solve(gram + np.eye(length) * (1e-4 * np.trace(gram) / length), references.T @ blocks)
    lean = 30.0 * step**2
    for mode in range(modes):
        mine = owner == mode
        own, wanted = references[mine].astype(np.float64), blocks[mine].astype(np.float64)
        weights = np.linalg.solve(own.T @ own + lean * np.eye(length), own.T @ wanted + lean * common).T
        left = wanted - own @ weights.T
        scatter = (left.T @ left + np.eye(pixels) * step**2) / max(1, len(own))
        powers, axes = np.linalg.eigh(scatter)
        order = np.argsort(-powers)[:number]
        found.predictors[mode] = weights
        found.bases[mode] = axes[:, order].T
        found.spreads[mode] = np.sqrt(np.maximum(powers[order], 0.05))
    return found


def prices(experts: Experts, references: Matrix, blocks: Matrix, shares: NDArray[np.float64], step: float) -> Matrix:
    """What each block would cost by each expert, in squared steps: float32[blocks, modes]."""
    cost = np.empty((len(blocks), len(experts.predictors)), np.float32)
    for mode, (predictor, basis, spread) in enumerate(
        zip(experts.predictors, experts.bases, experts.spreads, strict=True)
    ):
        left = blocks - references @ predictor.T
        coefficients = left @ basis.T
        energy = coefficients**2
        rest = (left**2).sum(1) - energy.sum(1)
        height = energy / step**2
        bits = 5.0 + 0.8 * np.log2(np.maximum(height, 1.0)) - 0.8 * np.clip(np.log2(spread / step), -2, 2)
        cost[:, mode] = np.minimum(height, 0.083 + LAMBDA * bits).sum(1) + rest / step**2
        cost[:, mode] -= LAMBDA * np.log2(shares[mode] + 1e-3)
    return cost


def settled_experts(
    references: Matrix, blocks: Matrix, owner: Whole, modes: int, number: int, step: float, rounds: int
) -> tuple[Experts, Whole]:
    """Experts and owners that suit each other: each round every block goes to the expert it is cheapest by."""
    experts = experts_of(references, blocks, owner, modes, number, step)
    for _ in range(rounds):
        shares = np.bincount(owner, minlength=modes) / len(owner)
        owner = prices(experts, references, blocks, shares, step).argmin(1)
        experts = experts_of(references, blocks, owner, modes, number, step)
    return experts, owner


DIRECTIONS: Final = (
    (0, -1), (-1, 0), (0.4, -1), (0.9, -1), (-0.3, -1), (-0.6, -1), (-1, -1), (-1, -0.6), (-1, -0.3), (-1, 0.4),
    (-0.15, -1), (-1, -0.15), (0.2, -1), (-0.8, -1), (0.1, -1), (0.6, -1), (1.5, -1), (-0.45, -1), (-0.07, -1),
    (-1, -0.45), (-1, -0.07), (-1, -0.8),
)  # fmt: skip


def first_predictors(size: int, length: int) -> Matrix:
    """Where learning starts: the mean of the neighbours, a plane, and 22 directions."""
    wide = size + size // 2
    left, corner = 2 * wide, 2 * wide + 2 * size
    start = np.zeros((2 + len(DIRECTIONS), size * size, length), np.float32)
    for row in range(size):
        for column in range(size):
            pixel = row * size + column
            start[0, pixel, :size] = start[0, pixel, left : left + size] = 0.5 / size
            for at, weight in ((left + row, size - 1 - column), (size, column + 1)):
                start[1, pixel, at] += 0.5 * weight / size
            for at, weight in ((column, size - 1 - row), (left + size - 1, row + 1)):
                start[1, pixel, at] += 0.5 * weight / size
            for mode, (across, down) in enumerate(DIRECTIONS, start=2):
                if down < 0 and column + across * (row + 1) / -down >= -1:
                    place, base, limit = column + across * (row + 1) / -down, 0, wide - 1
                else:
                    place, base, limit = row + down * (column + 1) / -across, left, size - 1
                whole = int(np.floor(place))
                for at, share in ((whole, 1 - place + whole), (whole + 1, place - whole)):
                    start[mode, pixel, corner if at < 0 else base + min(at, limit)] += share
    return start


def nearest(references: Matrix, blocks: Matrix, predictors: Matrix) -> Whole:
    """The predictor that leaves least of each block."""
    left = np.stack([((blocks - references @ one.T) ** 2).sum(1) for one in predictors], axis=1)
    owner: Whole = left.argmin(1)
    return owner


def logistic(features: NDArray[Any], answers: NDArray[Any], start: NDArray[np.float64]) -> NDArray[np.float64]:
    """Weights of the logistic regression that foretells answers best, by Newton steps."""
    weights, penalty = start.copy(), np.eye(features.shape[1]) * 2.0
    for _ in range(12):
        odds = np.clip(features @ weights, -30, 30)
        chance = 1 / (1 + np.exp(-odds))
        slope = features.T @ (answers - chance) - penalty @ weights
        bend = (features * (chance * (1 - chance) + 1e-5)[:, None]).T @ features + penalty
        move = np.linalg.solve(bend, slope)
        weights += move * min(1.0, 4.0 / max(1e-9, np.abs(move).max()))
        if np.abs(move).max() < 1e-3:
            break
    return weights


def softmax(
    base: NDArray[np.float64], features: NDArray[np.float64], answers: Whole, start: NDArray[np.float64], rounds: int
) -> NDArray[np.float64]:
    """Weights, float[choices, features], that added to the logarithms `base` foretell choices best."""
    base32, features32, places = base.astype(np.float32), features.astype(np.float32), np.arange(len(answers))

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        odds = base32 + features32 @ flat.reshape(start.shape).T.astype(np.float32)
        odds -= odds.max(1, keepdims=True)
        shares = np.exp(odds)
        shares /= shares.sum(1, keepdims=True)
        missed = -float(np.log(shares[places, answers] + 1e-9).mean()) + 1e-5 * float((flat**2).sum())
        shares[places, answers] -= 1
        slope = (shares.T @ features32).astype(np.float64) / len(answers)
        return missed, slope.ravel() + 2e-5 * flat

    found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": rounds})
    weights: NDArray[np.float64] = found.x.reshape(start.shape)
    return weights
