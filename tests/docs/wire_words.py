"""What a message type is in the words of `docs/protocol.md`: each field's type, limits and default."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import inspect

from encoders.envelope import pack

STATED_ONCE = {"request"}  # said of all requests and answers together


def rows_of(kind: type[msgspec.Struct]) -> list[tuple[str, str, str]]:
    """Give (field, type, default) of a message's fields in their order on the wire."""
    described = inspect.type_info(kind)
    assert isinstance(described, inspect.StructType)
    return [
        (field.encode_name, words(field.type), default_words(field))
        for field in described.fields
        if field.name not in STATED_ONCE
    ]


def words(kind: inspect.Type) -> str:
    """Give one type in words."""
    match kind:
        case inspect.StrType(min_length=least, max_length=longest):
            return "text" + _length(least, longest)
        case inspect.BytesType(min_length=least, max_length=longest):
            return "bytes" + _length(least, longest)
        case inspect.LiteralType(values=values):
            return "text, " + ", ".join(f"`{one}`" for one in values)
        case inspect.VarTupleType(item_type=item, max_length=longest):
            return f"array of {words(item)}" + _length(None, longest)
        case inspect.IntType(ge=None):
            return "integer"
        case inspect.IntType(ge=least, le=most):
            return f"integer, {least} to {'2^53' if most == 2**53 else f'{most:,}'}"
        case inspect.FloatType():
            return "number"
        case inspect.BoolType():
            return "boolean"
        case inspect.AnyType():
            return "anything"
        case inspect.RawType():
            return "application"
        case inspect.EnumType(cls=values):
            return "text, " + ", ".join(f"`{one.value}`" for one in values)
        case inspect.ListType(item_type=item):
            return f"array of {words(item)}"
        case inspect.TupleType(item_types=items):
            return f"[{', '.join(words(item) for item in items)}]"
        case inspect.DictType(key_type=key, value_type=value):
            return f"map of {words(key)} to {words(value)}"
        case inspect.StructType(cls=struct):
            return f"[{struct.__name__}](#{struct.__name__.lower()})"
        case inspect.UnionType(types=types):
            return " or ".join(words(one) for one in types)
        case inspect.NoneType():
            return "nil"
    raise AssertionError(f"the page has no word for {kind}")


def _length(least: int | None, longest: int | None) -> str:
    if longest is None:
        return ""
    return f", {least} to {longest:,}" if least else f", at most {longest:,}"


def default_words(field: inspect.Field) -> str:
    """Give what a missing key means."""
    if field.required:
        return "required"
    default: Any = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    texts = {"": "empty", b"": "empty", None: "nil"}
    if isinstance(default, str | bytes | None) and default in texts:
        return texts[default]
    if default in ([], {}):
        return "empty"
    return f"`{msgspec.msgpack.decode(pack(default))}`"


def as_hex(message: Any) -> str:
    """Give a message's bytes as the page shows them: lines of 32 bytes."""
    packed = pack(message).hex()
    return "\n".join(packed[start : start + 64] for start in range(0, len(packed), 64))
