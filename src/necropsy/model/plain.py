"""Frozen values to plain JSON values and back, by their type hints: how findings and verdicts are kept in a case."""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import datetime
from enum import Enum
from typing import Any, TypeVar

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Turn a value of the model into dicts, lists, texts, numbers.

    >>> from necropsy.model.evidence import Origin
    >>> to_plain(Origin("prometheus.yml", 17))
    {'file': 'prometheus.yml', 'line': 17, 'what': ''}
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, (tuple, list)):
        return [to_plain(element) for element in value]
    if isinstance(value, dict):
        return {key: to_plain(element) for key, element in value.items()}
    return value


def from_plain(kind: type[T], value: Any) -> T:
    """Build a value of the model from what ``to_plain`` made of it.

    Raises
    ------
    TypeError, ValueError, KeyError
        The plain value is not one of this kind.

    >>> from necropsy.model.evidence import Origin
    >>> from_plain(Origin, {"file": "prometheus.yml", "line": 17, "what": ""})
    Origin(file='prometheus.yml', line=17, what='')
    """
    return typing.cast("T", _build(kind, value))


def _build(kind: Any, value: Any) -> Any:  # noqa: C901, PLR0911 -- one branch a kind of type hint
    origin = typing.get_origin(kind)
    arguments = typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        if value is None:
            return None
        return _build(next(argument for argument in arguments if argument is not type(None)), value)
    if origin is tuple:
        if len(arguments) == 2 and arguments[1] is Ellipsis:
            return tuple(_build(arguments[0], element) for element in value)
        return tuple(_build(argument, element) for argument, element in zip(arguments, value, strict=True))
    if origin is dict:
        return {key: _build(arguments[1], element) for key, element in value.items()}
    if isinstance(kind, type):
        if dataclasses.is_dataclass(kind):
            hints = typing.get_type_hints(kind)
            names = [field.name for field in dataclasses.fields(kind) if field.init and field.name in value]
            return kind(**{name: _build(hints[name], value[name]) for name in names})
        if issubclass(kind, Enum):
            return kind(value)
        if issubclass(kind, datetime):
            return datetime.fromisoformat(value)
        if kind is float and value is not None:
            return float(value)
    return value
