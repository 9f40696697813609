"""Plain NumPy twins of the kernels that multiply most: tests compare them, and interpreted runs use them."""

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from encoders.codec.tables import BASIS_BITS, WEIGHT_BITS

Numbers = NDArray[np.int32]
Weights = NDArray[np.int16]


def predict(weights: Weights, reference: Numbers, count: int, predicted: Numbers) -> None:
    """As `kernels.predict`: a reference times weights, rounded."""
    sums = reference[:count].astype(np.int64) @ weights.astype(np.int64)
    predicted[: weights.shape[1]] = (sums + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS


def project(basis: Weights, block: Numbers, coefficients: Numbers) -> None:
    """As `search.project`: the coefficients of a block in a basis, rounded."""
    sums = basis.astype(np.int64) @ block[: basis.shape[1]].astype(np.int64)
    coefficients[: len(basis)] = (sums + (1 << (BASIS_BITS - 1))) >> BASIS_BITS


def span(spans: Weights, lifted: Weights, fixed: Weights, seen: Weights) -> None:
    """As `search.span`: coefficients of a block in all bases, less what is fixed in the predictions."""
    seen[:] = high_products(spans, lifted) - fixed.astype(np.int64)


def compare(reach: Weights, lifted: Weights, seen: Weights, found: Weights) -> None:
    """As `search.compare`: the source's coefficients less those of all predictions."""
    found[:] = (seen - high_products(reach, lifted)).astype(np.int16)


def high_products(weights: Weights, lifted: Weights) -> NDArray[np.int64]:
    """Sums of products without their lower 16 bits, and half of what that drops."""
    products = (weights.astype(np.int64) * lifted[: len(weights), None].astype(np.int64)) >> 16
    total: NDArray[np.int64] = products.sum(0) + np.count_nonzero(lifted[: len(weights)]) // 2
    return total


def interpreted_or(compiled: Any, twin: Any) -> Any:
    """The kernel, or its twin where kernels are not compiled and would take seconds."""
    return twin if getattr(numba.config, "DISABLE_JIT", 0) else compiled
