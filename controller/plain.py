"""The plain form of state: what msgpack can hold of it, and back, built once for each type from its annotations.

A dataclass becomes the tuple of its fields, in order; a set a sorted list, so that equal sets give equal bytes; a
mapping keeps its order, which decides what is done first.  Enums, structs and named tuples msgspec knows by itself.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import lru_cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

import msgspec

Way = Callable[[Any], Any]
_KEYS = (int, str)


class Plain(NamedTuple):
    """How one type is made plain: the type msgspec decodes, and the ways there and back, None where it is the same."""

    kind: Any
    make: Way | None = None
    back: Way | None = None


@lru_cache(maxsize=256)
def plain_of(hint: Any) -> Plain:
    """Give the plain form of an annotated type.  Raises: TypeError: it is of a sort that no state holds yet."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is None:
        return _simple(hint)
    if origin in (Union, UnionType):
        if any(plain_of(one).make for one in arguments):
            raise TypeError(f"one of several types has to be made plain: {hint}")
        return Plain(hint)
    if origin is Counter:
        return _pairs(arguments[0], int, Counter)
    if origin is dict:
        return _mapping(*arguments)
    if origin is tuple:
        return _tuple(arguments)
    if origin in (list, deque, set, frozenset):
        return _items(origin, arguments[0])
    raise TypeError(f"this has no plain form yet: {hint}")


def _simple(hint: Any) -> Plain:
    if is_dataclass(hint):
        return _dataclass(hint)
    if hint in (int, float, str, bool, bytes, NoneType) or issubclass(hint, Enum | msgspec.Struct | tuple):
        return Plain(hint)
    raise TypeError(f"this has no plain form yet: {hint}")


def _dataclass(kind: Any) -> Plain:
    names = [field.name for field in fields(kind)]
    hints = get_type_hints(kind)
    inner = [plain_of(hints[name]) for name in names]
    makes = [(place, one.make) for place, one in enumerate(inner) if one.make]
    backs = [(place, one.back) for place, one in enumerate(inner) if one.back]
    get: Way = attrgetter(*names) if len(names) > 1 else lambda one: (getattr(one, names[0]),)

    def make(one: Any) -> Any:
        values = list(get(one))
        for place, way in makes:
            values[place] = way(values[place])
        return values

    def by_name(values: Any) -> Any:
        return kind(**dict(zip(names, values, strict=True)))

    def in_order(values: Any) -> Any:
        return kind(*values)

    def back(values: Any) -> Any:
        whole = list(values)
        for place, way in backs:
            whole[place] = way(whole[place])
        return build(whole)

    build = by_name if any(field.kw_only for field in fields(kind)) else in_order
    kinds = tuple(one.kind for one in inner)
    return Plain(tuple[kinds], make if makes else get, back if backs else build)  # type: ignore[valid-type]


def _mapping(key: Any, value: Any) -> Plain:
    if not (isinstance(key, type) and issubclass(key, _KEYS)):
        return _pairs(key, value, dict)
    kind, make, back = plain_of(value)
    return Plain(
        dict[key, kind],  # type: ignore[valid-type]
        None if make is None else lambda items: {name: make(one) for name, one in items.items()},
        None if back is None else lambda items: {name: back(one) for name, one in items.items()},
    )


def _pairs(key: Any, value: Any, whole: Callable[..., Any]) -> Plain:
    """Keys that are no numbers or words, and counters."""
    kind, make, back = plain_of(value)
    return Plain(
        list[tuple[key, kind]],  # type: ignore[valid-type]
        lambda items: [(name, one if make is None else make(one)) for name, one in items.items()],
        lambda pairs: whole({name: one if back is None else back(one) for name, one in pairs}),
    )


def _tuple(arguments: tuple[Any, ...]) -> Plain:
    inner = [plain_of(one) for one in arguments if one is not ...]
    if not any(one.make for one in inner):
        return Plain(tuple[arguments])  # type: ignore[valid-type]
    if ... in arguments:
        raise TypeError("a tuple of any length has no plain form yet, unless what it holds is plain")
    makes = [one.make or _same for one in inner]
    backs = [one.back or _same for one in inner]
    return Plain(
        tuple[tuple(one.kind for one in inner)],  # type: ignore[misc]
        lambda items: [way(one) for way, one in zip(makes, items, strict=True)],
        lambda items: tuple(way(one) for way, one in zip(backs, items, strict=True)),
    )


def _items(origin: Any, item: Any) -> Plain:
    inner = plain_of(item)
    kind, make, back = inner.kind, inner.make or _same, inner.back or _same
    if origin is list and inner.make is None:
        return Plain(list[kind])  # type: ignore[valid-type]
    gather: Way = sorted if origin in (set, frozenset) else list
    if inner.make is None and gather is sorted:
        return Plain(origin[kind], sorted)
    if inner.make is None:
        return Plain(list[kind], list, origin)  # type: ignore[valid-type]
    return Plain(
        list[kind],  # type: ignore[valid-type]
        lambda items: gather([make(one) for one in items]),
        lambda items: origin([back(one) for one in items]),
    )


def _same(one: Any) -> Any:
    return one
