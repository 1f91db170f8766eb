"""Frozen values to plain JSON values and back, by their type hints: how findings and verdicts are kept in a case."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

T = TypeVar("T")


def to_plain(value: Any) -> Any:
    """Turn a value of the model into dicts, lists, texts, numbers.

    >>> from necropsy.model.evidence import Origin
    >>> to_plain(Origin("prometheus.yml", 17))
    {'file': 'prometheus.yml', 'line': 17, 'what': ''}
    """
    kind: Any = type(value)
    return _flattener(kind)(value)


@cache  # as many entries as there are types of values
def _flattener(kind: Any) -> Callable[[Any], Any]:
    """Return what makes values of one type plain: types are looked at once, not once a value."""
    if dataclasses.is_dataclass(kind):
        return _dataclass_flattener(kind)
    if issubclass(kind, Enum):
        return lambda value: value.value
    if issubclass(kind, datetime):
        return lambda value: value.isoformat()
    if issubclass(kind, (tuple, list)):
        return lambda value: [element if type(element) in _PLAIN else to_plain(element) for element in value]
    if issubclass(kind, dict):
        return lambda value: {key: to_plain(element) for key, element in value.items()}
    return _same


def _dataclass_flattener(kind: Any) -> Callable[[Any], dict[str, Any]]:
    names = tuple(field.name for field in dataclasses.fields(kind))
    get = attrgetter(*names)

    def flatten(value: Any) -> dict[str, Any]:
        values = get(value) if len(names) > 1 else (get(value),)
        return {
            name: part if type(part) in _PLAIN else to_plain(part) for name, part in zip(names, values, strict=True)
        }

    return flatten


_PLAIN = frozenset((str, int, float, bool, type(None)))
"""Types of values that are plain already."""


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
    hint: Any = kind
    return typing.cast("T", _builder(hint)(value))


Build = Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


@cache  # as many entries as the model has type hints
def _builder(kind: Any) -> Build:  # noqa: PLR0911 -- one branch a kind of type hint
    """Return what builds values of one type hint: hints are read once, not once a value."""
    origin = typing.get_origin(kind)
    arguments = typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        some = _builder(next(argument for argument in arguments if argument is not type(None)))
        return lambda value: None if value is None else some(value)
    if origin is tuple:
        return _tuple_builder(arguments)
    if origin is dict:
        return _dict_builder(_builder(arguments[1]))
    if isinstance(kind, type):
        if dataclasses.is_dataclass(kind):
            return _dataclass_builder(kind)
        if issubclass(kind, Enum):
            return kind
        if issubclass(kind, datetime):
            return datetime.fromisoformat
        if kind is float:
            return lambda value: None if value is None else float(value)
    return _same


def _tuple_builder(arguments: tuple[Any, ...]) -> Build:
    if len(arguments) == 2 and arguments[1] is Ellipsis:
        element = _builder(arguments[0])
        return tuple if element is _same else lambda value: tuple([element(part) for part in value])
    parts = [_builder(argument) for argument in arguments]
    if all(part is _same for part in parts):
        return tuple
    return lambda value: tuple([part(element) for part, element in zip(parts, value, strict=True)])


def _dict_builder(element: Build) -> Build:
    return lambda value: {key: element(part) for key, part in value.items()}


def _dataclass_builder(kind: type[Any]) -> Build:
    hints = typing.get_type_hints(kind)
    fields = [(field.name, _builder(hints[field.name])) for field in dataclasses.fields(kind) if field.init]

    def build(value: Any) -> Any:
        return kind(**{name: make(value[name]) for name, make in fields if name in value})

    return build
