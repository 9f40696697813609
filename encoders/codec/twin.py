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


def compare(reach: Numbers, reference: Numbers, count: int, seen: Numbers, found: Numbers) -> None:
    """As `search.compare`: the source's coefficients less those of a prediction."""
    sums = reference[:count].astype(np.int64) @ reach.astype(np.int64)
    found[:] = seen - ((sums + (1 << (WEIGHT_BITS - 1))) >> WEIGHT_BITS)


def interpreted_or(compiled: Any, twin: Any) -> Any:
    """The kernel, or its twin where kernels are not compiled and would take seconds."""
    return twin if getattr(numba.config, "DISABLE_JIT", 0) else compiled
