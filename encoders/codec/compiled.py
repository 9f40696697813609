"""How every kernel of the portrait codec is compiled: before it is called, without the GIL, without allocating."""

from collections.abc import Callable
from typing import Any, Final

from numba import njit

OPTIONS: Final[dict[str, Any]] = {"cache": True, "nogil": True, "_nrt": False}


def kernel(signature: Any) -> Callable[[Any], Any]:
    """A decorator that compiles a function for one signature.

    A kernel has no run time of numba: one that allocates does not compile, and views into the arrays of a workspace
    are not counted.  Counting them, by locked additions, was half of a decode.
    """
    decorate: Callable[[Any], Any] = njit(signature, **OPTIONS)
    return decorate
