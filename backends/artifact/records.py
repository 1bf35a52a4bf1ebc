"""Frozen records as JSON values and back, by their annotations; a misfit is refused with its place."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from math import inf, isfinite, nan
from types import NoneType, UnionType
from typing import Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from nablax.backends.artifact.errors import ArtifactError

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]
Record = TypeVar("Record")

_LARGEST = 2**53  # whole numbers beyond it are not the same everywhere
_SPECIAL = {"inf": inf, "-inf": -inf, "nan": nan}  # JSON has no words for these


def encode(value: object) -> Json:
    """Records, tuples and plain values; floats keep every digit."""
    if is_dataclass(value) and not isinstance(value, type):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, tuple):
        return [encode(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{type(value).__name__} has no place in a manifest")


def decode(wanted: type[Record], value: Json, place: str) -> Record:
    """A record of the class `wanted`. Raises `ArtifactError` with the place of what does not fit."""
    return cast(Record, _decode(wanted, value, place))


def _decode(wanted: object, value: Json, place: str) -> object:
    origin = get_origin(wanted)
    if origin is Literal:
        if isinstance(value, str) and value in get_args(wanted):
            return value
        raise _misfit(place, f"one of {', '.join(map(str, get_args(wanted)))}")
    if origin in (Union, UnionType):
        if value is None:
            return None
        return _decode(next(t for t in get_args(wanted) if t is not NoneType), value, place)
    if origin is tuple:
        return _tuple(get_args(wanted), value, place)
    if isinstance(wanted, type) and is_dataclass(wanted):
        return _record(wanted, value, place)
    return _plain(wanted, value, place)


def _plain(wanted: object, value: Json, place: str) -> object:
    if wanted is bool and isinstance(value, bool):
        return value
    if wanted is str and isinstance(value, str):
        return value
    if wanted is int and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return value
    if wanted is float and isinstance(value, str) and value in _SPECIAL:
        return _SPECIAL[value]
    if wanted is float and isinstance(value, float):
        return value
    if wanted is float and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST:
        return float(value)
    names = {bool: "true or false", str: "a text", int: "a whole number", float: "a number"}
    raise _misfit(place, names[cast(type, wanted)])


def _tuple(items: tuple[object, ...], value: Json, place: str) -> tuple[object, ...]:
    if not isinstance(value, list):
        raise _misfit(place, "a list")
    if len(items) == 2 and items[1] is Ellipsis:
        return tuple(_decode(items[0], v, f"{place}[{i}]") for i, v in enumerate(value))
    if len(value) != len(items):
        raise _misfit(place, f"a list of {len(items)}")
    pairs = enumerate(zip(items, value, strict=True))
    return tuple(_decode(item, v, f"{place}[{i}]") for i, (item, v) in pairs)


def _record(wanted: type, value: Json, place: str) -> object:
    if not isinstance(value, dict):
        raise _misfit(place, "an object")
    hints: Mapping[str, object] = get_type_hints(wanted)
    names = [f.name for f in fields(wanted)]
    for name in value:
        if name not in names:
            raise ArtifactError(f"`{place}.{name[:40]}` is unknown")
    for name in names:
        if name not in value:
            raise ArtifactError(f"`{place}.{name}` is missing")
    return wanted(**{name: _decode(hints[name], value[name], f"{place}.{name}") for name in names})


def _misfit(place: str, wanted: str) -> ArtifactError:
    return ArtifactError(f"`{place}` is not {wanted}")
