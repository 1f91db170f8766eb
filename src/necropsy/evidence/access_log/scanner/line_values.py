# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, initializedcheck=False
# ruff: noqa: C901, PLR0911, PLR0912 -- loops that are to compile to loops
"""Where the wanted values of a plain line begin and end, by a plan: in an object, or in a text with fixed literals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if not cython.compiled:
    from necropsy.evidence.access_log.scanner.byte_loops import (
        FALSE_AT,
        NULL_AT,
        TRUE_AT,
        WORDS,
        digits,
        find,
        same,
        word_end,
    )

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.evidence.access_log.formats.plan import Plan

SLOTS = 16
WORD, QUOTED, BRACKETED = 0, 1, 2
"""See ``plan``."""


class Values:
    """The values of one line after the other; ``begin`` of a slot is -1 where the line has none."""

    data: Any

    def __init__(self, plan: Plan) -> None:
        self.data = cython.NULL if cython.compiled else b""
        self.is_text = 0 if plan.names else 1
        self.kept = b"".join(plan.names) + b" ", plan.head + b"".join(literal for _, _, literal in plan.values) + b" "
        if cython.compiled:
            self.names = cython.cast("const unsigned char*", cython.cast(bytes, self.kept[0]))
            self.literals = cython.cast("const unsigned char*", cython.cast(bytes, self.kept[1]))
        else:
            self.names, self.literals = self.kept
        self.name_count = len(plan.names)
        lengths = [len(name) for name in plan.names]
        self.name_at = numbers([sum(lengths[:i]) for i in range(len(lengths) + 1)])
        self.of_length = numbers([next((i for i, n in enumerate(lengths) if n == length), -1) for length in range(256)])
        self.head_length = len(plan.head)
        self.value_count = len(plan.values)
        self.value_slot = numbers([slot for slot, _, _ in plan.values])
        self.value_kind = numbers([kind for _, kind, _ in plan.values])
        widths = [len(literal) for _, _, literal in plan.values]
        self.literal_at = numbers([len(plan.head) + sum(widths[:i]) for i in range(len(widths) + 1)])
        self.slots = len(plan.names) if plan.names else 1 + max((slot for slot, _, _ in plan.values), default=-1)
        self.begin = numbers([-1] * SLOTS)
        self.finish = numbers([0] * SLOTS)
        self.quoted = numbers([0] * SLOTS)

    def find_values(self, start: int, stop: int) -> int:
        """Find the values of a line; 0: it is hard."""
        slot = 0
        while slot < self.slots:
            self.begin[slot] = -1
            slot += 1
        if self.is_text:
            return self.text(start, stop)
        return self.json(start, stop)

    def text(self, start: int, stop: int) -> int:
        """Find the values of a line of text; 0: it is hard."""
        if not same(self.data, start, stop, self.literals, 0, self.head_length):
            return 0
        at = start + self.head_length
        number = 0
        while number < self.value_count:
            first = self.literal_at[number]
            length = self.literal_at[number + 1] - first
            kind = self.value_kind[number]
            end = stop
            if kind == WORD:
                end = word_end(self.data, at, stop, self.literals[first] if length > 0 else 32)
            elif length > 0:
                end = find(self.data, at, stop, self.literals[first])
            if length > 0:
                if end >= stop or not same(self.data, end, stop, self.literals, first, length):
                    return 0
            elif end < stop:
                return 0
            if kind == BRACKETED and find(self.data, at, end, 34) < end:
                return 0
            slot = self.value_slot[number]
            if slot >= 0:
                self.begin[slot] = at
                self.finish[slot] = end
                self.quoted[slot] = 1
            at = end + length
            number += 1
        return 1 if at == stop else 0

    def json(self, start: int, stop: int) -> int:
        """Find the values of an object; 0: it is hard."""
        at = start
        while at < stop and self.data[at] == 32:
            at += 1
        if at >= stop or self.data[at] != 123:
            return 0
        at += 1
        while True:
            while at < stop and self.data[at] == 32:
                at += 1
            if at >= stop or self.data[at] != 34:
                return 0
            at += 1
            end = find(self.data, at, stop, 34)
            if end >= stop:
                return 0
            slot = self.slot_of(at, end)
            at = end + 1
            while at < stop and self.data[at] == 32:
                at += 1
            if at >= stop or self.data[at] != 58:
                return 0
            at += 1
            while at < stop and self.data[at] == 32:
                at += 1
            if at >= stop:
                return 0
            if self.data[at] == 34:
                at += 1
                end = find(self.data, at, stop, 34)
                if end >= stop:
                    return 0
                if slot >= 0:
                    if self.begin[slot] >= 0:
                        return 0
                    self.begin[slot] = at
                    self.finish[slot] = end
                    self.quoted[slot] = 1
                at = end + 1
            else:
                end = at
                while end < stop and self.data[end] != 44 and self.data[end] != 125 and self.data[end] != 32:
                    end += 1
                if not self.bare(at, end, slot):
                    return 0
                at = end
            while at < stop and self.data[at] == 32:
                at += 1
            if at >= stop:
                return 0
            if self.data[at] == 44:
                at += 1
                continue
            if self.data[at] != 125:
                return 0
            at += 1
            while at < stop and self.data[at] == 32:
                at += 1
            return 1 if at == stop else 0

    def slot_of(self, start: int, stop: int) -> int:
        """Return the slot of a key; -1: not wanted."""
        length = stop - start
        if length > 255:
            return -1
        slot = self.of_length[length]
        if slot < 0:
            return -1
        while slot < self.name_count:
            first = self.name_at[slot]
            if self.name_at[slot + 1] - first == length and same(self.data, start, stop, self.names, first, length):
                return slot
            slot += 1
        return -1

    def bare(self, start: int, stop: int, slot: int) -> int:
        """Take a value without quotation marks: a whole or decimal number, or one of the three words. 0: it is hard."""
        length = stop - start
        if length == 4 and same(self.data, start, stop, WORDS, NULL_AT, 4):
            return 1
        if (length == 4 and same(self.data, start, stop, WORDS, TRUE_AT, 4)) or (
            length == 5 and same(self.data, start, stop, WORDS, FALSE_AT, 5)
        ):
            return 1 if slot < 0 else 0
        point = find(self.data, start, stop, 46)
        whole = digits(self.data, start, point)
        if whole < 0 or (point - start > 1 and self.data[start] == 48):
            return 0
        if point < stop and digits(self.data, point + 1, stop) < 0:
            return 0
        if slot >= 0:
            if self.begin[slot] >= 0:
                return 0
            self.begin[slot] = start
            self.finish[slot] = stop
            self.quoted[slot] = 0
        return 1


def numbers(values: Any) -> NDArray[np.int64]:
    """Return whole numbers as an array, of one entry at least."""
    return np.asarray(list(values) or [0], dtype=np.int64)
