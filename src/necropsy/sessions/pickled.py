"""Keys of the outermost dictionary of a pickle, without loading it: its opcodes move names and placeholders on a stack.

Source: Python ``Lib/pickletools.py``.
"""

from __future__ import annotations

import pickletools
import struct
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, TypeAlias

_BROKEN: Final = (ValueError, IndexError, KeyError, OverflowError, AttributeError, TypeError, struct.error)
_MARK: Final = object()
_SOMETHING: Final = True
"""Stands for whatever is not a string, number or dictionary."""
_NEUTRAL: Final[Mapping[str, Any]] = {
    "EMPTY_LIST": (), "EMPTY_TUPLE": (), "EMPTY_SET": (), "NONE": None, "NEWFALSE": False, "MARK": _MARK,
}  # fmt: skip
_Stack: TypeAlias = list[Any]
_Memo: TypeAlias = dict[int, Any]


def keys_of_pickle(value: bytes) -> set[str] | None:
    """Return the keys that have something in them, as far as the pickle goes; None when it is no dictionary.

    Arbitrary bytes never raise, and make no object.

    >>> import pickle
    >>> sorted(keys_of_pickle(pickle.dumps({"cart": {"user": 1}, "member": 3, "uid": None})) or ())
    ['cart', 'member']
    """
    stack: _Stack = []
    memo: _Memo = {}
    try:
        for opcode, argument, _ in pickletools.genops(value):
            if opcode.name == "STOP":
                break
            _step(opcode, argument, stack, memo)
    except _BROKEN:  # cut off, or no pickle at all: what is at the bottom of the stack so far
        pass
    bottom = stack[0] if stack else None
    if not isinstance(bottom, dict):
        return None
    return {name for name, inside in (*bottom.items(), *_waiting(stack)) if inside and isinstance(name, str)}


def _waiting(stack: _Stack) -> Iterator[tuple[Any, Any]]:
    """Yield the pairs that lie between the outermost dictionary and what was cut off."""
    if len(stack) > 1 and stack[1] is _MARK:
        pairs = stack[2:]
        yield from zip(pairs[::2], [*pairs[1::2], _SOMETHING], strict=False)


def _step(opcode: Any, argument: Any, stack: _Stack, memo: _Memo) -> None:
    name: str = opcode.name
    if name in _NEUTRAL:
        stack.append(_NEUTRAL[name])
    elif name in _OWN:
        _OWN[name](argument, stack, memo)
    elif isinstance(argument, str | int | float | bytes) and not opcode.stack_before and opcode.stack_after:
        stack.append(argument)
    else:
        _move(opcode, stack)


def _remember(argument: Any, stack: _Stack, memo: _Memo) -> None:
    memo[len(memo) if argument is None else int(argument)] = stack[-1]


def _recall(argument: Any, stack: _Stack, memo: _Memo) -> None:
    stack.append(memo.get(int(argument), _SOMETHING))


def _begin(_: Any, stack: _Stack, __: _Memo) -> None:
    stack.append({})


def _set_item(_: Any, stack: _Stack, __: _Memo) -> None:
    inside, key = stack.pop(), stack.pop()
    if isinstance(stack[-1], dict) and isinstance(key, str):
        stack[-1][key] = inside


def _set_items(_: Any, stack: _Stack, __: _Memo) -> None:
    pairs = _pop_mark(stack)
    if isinstance(stack[-1], dict):
        stack[-1].update({k: v for k, v in zip(pairs[::2], pairs[1::2], strict=True) if isinstance(k, str)})


def _append(_: Any, stack: _Stack, __: _Memo) -> None:
    stack.pop()
    stack[-1] = _SOMETHING


def _appends(_: Any, stack: _Stack, __: _Memo) -> None:
    _pop_mark(stack)
    stack[-1] = _SOMETHING


_OWN: Final[Mapping[str, Callable[[Any, _Stack, _Memo], None]]] = {
    **dict.fromkeys(("MEMOIZE", "BINPUT", "LONG_BINPUT", "PUT"), _remember),
    **dict.fromkeys(("BINGET", "LONG_BINGET", "GET"), _recall),
    **dict.fromkeys(("APPENDS", "ADDITEMS"), _appends),
    "EMPTY_DICT": _begin,
    "SETITEM": _set_item,
    "SETITEMS": _set_items,
    "APPEND": _append,
}


def _move(opcode: Any, stack: _Stack) -> None:
    """Take off and put on as many as an opcode says."""
    taken = [one.name for one in opcode.stack_before]
    if "mark" in taken:
        _pop_mark(stack)
        taken = taken[: taken.index("mark")]
    for _ in taken:
        stack.pop()
    stack.extend([_SOMETHING] * len(opcode.stack_after))


def _pop_mark(stack: _Stack) -> _Stack:
    """Take everything above the last mark off the stack, and the mark."""
    above = []
    while (one := stack.pop()) is not _MARK:
        above.append(one)
    return above[::-1]
