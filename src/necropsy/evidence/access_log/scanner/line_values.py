# cython: language_level=3, boundscheck=True, wraparound=False, annotation_typing=False, cdivision=True, initializedcheck=False
# ruff: noqa: C901, PLR0911 -- loops that are to compile to loops
"""Positions of the wanted values of a line, by a plan: in an object, in a text with fixed literals, in columns.

A line is refused (it is *hard*) wherever ``reference`` might read it otherwise: it must be valid JSON as a whole, but for what
the plan says nothing of.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

try:
    import cython
except ImportError:
    from necropsy._internal import cython_stub as cython

if not cython.compiled:
    from necropsy.evidence.access_log.scanner.byte_loops import (
        AS_IT_IS,
        FALSE_AT,
        JSON,
        NULL_AT,
        PERCENT,
        PLUS,
        TRUE_AT,
        WORDS,
        code_of,
        copied,
        digits,
        find,
        first_odd,
        is_utf8,
        same,
        unescaped,
        word_end,
    )

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from necropsy.evidence.access_log.formats.values import Path
    from necropsy.evidence.access_log.scanner.plan import Plan

SLOTS = 16
WORD, QUOTED, BRACKETED, SEPARATED, SINGLE = 0, 1, 2, 3, 4
"""See ``plan``."""
DEEPEST = 64
"""Brackets in one line of JSON, at most; as in ``formats.values``."""
LONGEST = 1 << 20
"""Bytes of the longest line that is read here."""


class LineValues:
    """The values of one line after the other; ``begin`` of a slot is -1 where the line has none."""

    data: Any

    def __init__(self, plan: Plan) -> None:
        self.data = cython.NULL if cython.compiled else b""
        self.is_open = 1 if plan.is_open else 0
        self.is_text = 0 if plan.ways else 1
        self.slots = plan.slots
        self.begin = numbers([-1] * SLOTS)
        self.finish = numbers([0] * SLOTS)
        self.quoted = numbers([0] * SLOTS)
        self.escape = numbers([*plan.escapes, *[AS_IT_IS] * SLOTS])
        self.is_header = numbers([1 if slot in dict(plan.headers) else 0 for slot in range(SLOTS)])
        self.own_slots, self.own_count = numbers([slot for slot, _ in plan.own]), len(plan.own)
        self.own_flags = numbers([flag for _, flag in plan.own])
        self.body = plan.body
        self.has_tabs = 1 if any(literal == b"\t" for _, _, literal in plan.values) else 0
        self.always_mended = 1 if {PERCENT, PLUS} & set(plan.escapes) else 0
        self.has_backslash = self.to_mend = self.text_escaped = 0
        self.brackets = self.stamp = 0
        names, self.literal_text = self.tree(plan.ways), plan.head + b"".join(literal for _, _, literal in plan.values)
        self.kept = names + b" ", self.literal_text + b" "
        self.mended = np.empty(2 * LONGEST, np.uint8) if cython.compiled else bytearray(2 * LONGEST)
        self.mended_start = cython.address(self.mended[0]) if cython.compiled else self.mended
        if cython.compiled:
            self.names = cython.cast("const unsigned char*", cython.cast(bytes, self.kept[0]))
            self.literals = cython.cast("const unsigned char*", cython.cast(bytes, self.kept[1]))
        else:
            self.names, self.literals = self.kept
        self.head_length = len(plan.head)
        self.value_count = len(plan.values)
        self.value_slot = numbers([slot for slot, _, _ in plan.values])
        self.value_kind = numbers([kind for _, kind, _ in plan.values])
        widths = [len(literal) for _, _, literal in plan.values]
        self.literal_at = numbers([len(plan.head) + sum(widths[:i]) for i in range(len(widths) + 1)])

    def tree(self, ways: Sequence[Path]) -> bytes:
        """Make the tree of wanted keys: a node for each object or array, an entry for each key; return the entries' names."""
        nodes: list[dict[str | int, list[int]]] = [{}]  # key to slot and node below, -1: none
        for slot, way in enumerate(ways):
            node = 0
            for depth, part in enumerate(way):
                entry = nodes[node].setdefault(part, [-1, -1])
                if depth == len(way) - 1:
                    entry[0] = slot
                    break
                if entry[1] < 0:
                    entry[1] = len(nodes)
                    nodes.append({})
                node = entry[1]
        names: list[bytes] = []
        slots, below, element, first, last = [], [], [], [], []
        of_length = np.full((len(nodes), 256), -1, np.int64)
        for number, entries in enumerate(nodes):
            element.append(len(names) if 0 in entries else -1)
            first.append(len(names))
            for name, (slot, child) in sorted(entries.items(), key=lambda one: len(str(one[0]))):
                encoded = b"" if isinstance(name, int) else name.encode()
                if not isinstance(name, int) and of_length[number, len(encoded)] < 0:
                    of_length[number, len(encoded)] = len(names)
                names.append(encoded)
                slots.append(slot)
                below.append(child)
            last.append(len(names))
        self.entry_slot, self.entry_node, self.met = numbers(slots), numbers(below), numbers([0] * len(names))
        self.element, self.node_end = numbers(element), numbers(last)
        self.of_length = np.ascontiguousarray(of_length.reshape(-1))
        self.name_at = numbers(np.cumsum([0, *map(len, names)]))
        return b"".join(names)

    def readable(self, start: int, stop: int) -> int:
        """Look through a line from its first odd byte on: 0 where it holds control characters, or is no UTF-8."""
        at = start
        beyond = 0
        while at < stop:
            byte = self.data[at]
            if byte == 92:
                self.has_backslash = 1
            elif byte >= 128:
                beyond = 1
            elif byte == 127 or (byte < 32 and not (byte == 9 and self.has_tabs)):
                return 0
            at = first_odd(self.data, at + 1, stop)
        return is_utf8(self.data, start, stop) if beyond else 1

    def find_values(self, start: int, stop: int) -> int:
        """Find the values of a line; 0: it is hard."""
        slot = 0
        while slot < self.slots:
            self.begin[slot] = -1
            slot += 1
        self.to_mend = 0
        if self.is_text:
            if not self.text(start, stop):
                return 0
            if self.has_backslash or self.always_mended:
                self.to_mend = 1
            return 1
        self.brackets = 0
        self.stamp += 1
        at = self.blanks(start, stop)
        if at >= stop or self.data[at] != 123:
            return 0
        at = self.members(at + 1, stop, 0)
        return 1 if at >= 0 and self.blanks(at, stop) == stop else 0

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
            if kind in {WORD, SINGLE}:
                end = word_end(self.data, at, stop, self.literals[first] if length > 0 else 32)
            elif length > 0:
                end = find(self.data, at, stop, self.literals[first])
            elif kind == SEPARATED and find(self.data, at, stop, self.literals[0]) < stop:
                return 0
            if length > 0:
                if end >= stop or not same(self.data, end, stop, self.literals, first, length):
                    return 0
            elif end < stop:
                return 0
            if kind == BRACKETED and find(self.data, at, end, 34) < end:
                return 0
            if kind == SINGLE and (end == at or find(self.data, at, end, 44) < end):
                return 0
            slot = self.value_slot[number]
            if slot >= 0:
                if self.begin[slot] < 0:
                    self.begin[slot] = at
                self.finish[slot] = end
                self.quoted[slot] = 1
            at = end + length
            number += 1
        return 1 if at == stop or self.is_open else 0

    def blanks(self, at: int, stop: int) -> int:
        """Pass over blanks."""
        while at < stop and self.data[at] == 32:
            at += 1
        return at

    def members(self, at: int, stop: int, node: int) -> int:
        """Read an object from behind its bracket; return what is behind it, -1: the line is hard."""
        self.brackets += 1
        if self.brackets > DEEPEST:
            return -1
        at = self.blanks(at, stop)
        if at < stop and self.data[at] == 125 and node != 0:
            return at + 1
        while True:
            if at >= stop or self.data[at] != 34:
                return -1
            at += 1
            end = find(self.data, at, stop, 34)
            if end >= stop or (self.has_backslash and find(self.data, at, end, 92) < end):
                return -1
            entry = self.entry_of(node, at, end) if node >= 0 else -1
            at = self.blanks(end + 1, stop)
            if at >= stop or self.data[at] != 58:
                return -1
            at = self.value(self.blanks(at + 1, stop), stop, entry)
            if at < 0:
                return -1
            at = self.blanks(at, stop)
            if at >= stop:
                return -1
            if self.data[at] != 44:
                return at + 1 if self.data[at] == 125 else -1
            at = self.blanks(at + 1, stop)

    def items(self, at: int, stop: int, node: int) -> int:
        """Read an array from behind its bracket; return what is behind it, -1: the line is hard."""
        self.brackets += 1
        if self.brackets > DEEPEST:
            return -1
        at = self.blanks(at, stop)
        if at < stop and self.data[at] == 93:
            return at + 1
        entry = self.element[node] if node >= 0 else -1
        while True:
            at = self.value(at, stop, entry)
            if at < 0:
                return -1
            entry = -1
            at = self.blanks(at, stop)
            if at >= stop:
                return -1
            if self.data[at] != 44:
                return at + 1 if self.data[at] == 93 else -1
            at = self.blanks(at + 1, stop)

    def value(self, at: int, stop: int, entry: int) -> int:
        """Read a value, wanted by an entry or by none; return what is behind it, -1: the line is hard."""
        if at >= stop:
            return -1
        slot, node = -1, -1
        if entry >= 0:
            if self.met[entry] == self.stamp:  # a key twice
                return -1
            self.met[entry] = self.stamp
            slot, node = self.entry_slot[entry], self.entry_node[entry]
        byte = self.data[at]
        if byte == 34:
            end = self.text_end(at + 1, stop)
            if end < 0 or node >= 0:
                return -1
            if slot >= 0:
                self.keep(slot, at + 1, end, 1)
                self.escape[slot] = JSON if self.text_escaped else AS_IT_IS
                self.to_mend |= self.text_escaped
            return end + 1
        if byte == 123:
            if slot >= 0 or (node >= 0 and self.element[node] >= 0):
                return -1
            return self.members(at + 1, stop, node)
        if byte == 91:
            if slot >= 0:
                return self.header(at, stop, slot) if self.is_header[slot] else -1
            if node >= 0 and self.element[node] < 0:
                return -1
            return self.items(at + 1, stop, node)
        end = at
        while end < stop and self.data[end] not in {32, 44, 93, 125}:
            end += 1
        return end if self.bare(at, end, slot, node) else -1

    def keep(self, slot: int, start: int, stop: int, quoted: int) -> int:
        """Set the place of a value."""
        self.begin[slot] = start
        self.finish[slot] = stop
        self.quoted[slot] = quoted
        return 1

    def text_end(self, at: int, stop: int) -> int:
        """Return where the quotation mark is that ends a text, -1: none, or what is escaped is no JSON."""
        self.text_escaped = 0
        if not self.has_backslash:
            at = find(self.data, at, stop, 34)
            return at if at < stop else -1
        while at < stop:
            byte = self.data[at]
            if byte == 34:
                return at
            if byte != 92:
                at += 1
                continue
            self.text_escaped = 1
            at += 1
            if at >= stop:
                return -1
            byte = self.data[at]
            if byte == 117:
                if code_of(self.data, at + 1, stop) < 0:
                    return -1
                at += 5
            elif byte in {34, 47, 92, 98, 102, 110, 114, 116}:
                at += 1
            else:
                return -1
        return -1

    def header(self, at: int, stop: int, slot: int) -> int:
        """Keep an array of plain texts as it is written; return what is behind it, -1: the line is hard."""
        start = at
        self.brackets += 1
        while True:
            at += 1
            if at >= stop or self.data[at] != 34:
                return -1
            at = find(self.data, at + 1, stop, 34) + 1
            if at >= stop or (self.data[at] != 44 and self.data[at] != 93):
                return -1
            if self.data[at] == 93:
                break
        at += 1
        if self.has_backslash and find(self.data, start, at, 92) < at:
            return -1
        self.escape[slot] = AS_IT_IS
        self.keep(slot, start, at, 1)
        return at

    def entry_of(self, node: int, start: int, stop: int) -> int:
        """Return the entry of a key; -1: not wanted."""
        length = stop - start
        if length > 255:
            return -1
        entry = self.of_length[256 * node + length]
        if entry < 0:
            return -1
        while entry < self.node_end[node]:
            first = self.name_at[entry]
            if self.name_at[entry + 1] - first == length and same(self.data, start, stop, self.names, first, length):
                return entry
            entry += 1
        return -1

    def bare(self, start: int, stop: int, slot: int, node: int) -> int:
        """Take a value without quotation marks: a whole or decimal number, or one of the three words. 0: it is hard."""
        length = stop - start
        if length == 4 and same(self.data, start, stop, WORDS, NULL_AT, 4):
            return 1
        if node >= 0:
            return 0
        if (length == 4 and same(self.data, start, stop, WORDS, TRUE_AT, 4)) or (
            length == 5 and same(self.data, start, stop, WORDS, FALSE_AT, 5)
        ):
            return 1 if slot < 0 else 0
        if slot < 0:
            return self.number(start, stop)
        point = find(self.data, start, stop, 46)
        whole = digits(self.data, start, point)
        if whole < 0 or (point - start > 1 and self.data[start] == 48):
            return 0
        if point < stop and digits(self.data, point + 1, stop) < 0:
            return 0
        self.escape[slot] = AS_IT_IS
        return self.keep(slot, start, stop, 0)

    def number(self, at: int, stop: int) -> int:
        """Whether this is a number of JSON."""
        if at < stop and self.data[at] == 45:
            at += 1
        first = at
        at = self.digits_end(at, stop)
        if at == first or (at - first > 1 and self.data[first] == 48):
            return 0
        if at < stop and self.data[at] == 46:
            first = at + 1
            at = self.digits_end(first, stop)
            if at == first:
                return 0
        if at < stop and (self.data[at] == 69 or self.data[at] == 101):
            at += 1
            if at < stop and (self.data[at] == 43 or self.data[at] == 45):
                at += 1
            first = at
            at = self.digits_end(first, stop)
            if at == first:
                return 0
        return 1 if at == stop else 0

    def digits_end(self, at: int, stop: int) -> int:
        """Pass over digits."""
        while at < stop and self.data[at] >= 48 and self.data[at] <= 57:
            at += 1
        return at

    def mend(self, start: int, stop: int) -> int:
        """Have the values of a line read from a copy, behind which those that are escaped stand without; 0: it is hard."""
        at = copied(self.data, start, stop, self.mended_start)
        slot = 0
        while slot < self.slots:
            first, last = self.begin[slot], self.finish[slot]
            if first >= 0:
                self.begin[slot], self.finish[slot] = first - start, last - start
                if self.escape[slot] != AS_IT_IS:
                    self.begin[slot] = at
                    at = unescaped(self.data, first, last, self.escape[slot], self.mended_start, at)
                    if at < 0:
                        return 0
                    self.finish[slot] = at
            slot += 1
        self.data = self.mended_start
        return 1

    def own_cookies(self) -> int:
        """Return the flags of cookies that have a value of their own."""
        flags = 0
        number = 0
        while number < self.own_count:
            slot = self.own_slots[number]
            start = self.begin[slot]
            if start >= 0:
                length = self.finish[slot] - start
                if length > 1 or (length == 1 and self.data[start] != 45):
                    flags |= self.own_flags[number]
            number += 1
        return flags

    def has_no_body(self) -> int:
        """Whether the answer had none, as the layout tells."""
        if self.body < 0 or self.begin[self.body] < 0 or self.finish[self.body] - self.begin[self.body] != 1:
            return 0
        byte = self.data[self.begin[self.body]]
        return 1 if byte == 48 or byte == 45 else 0  # noqa: PLR1714 -- compiles to comparisons


def numbers(values: Any) -> NDArray[np.int64]:
    """Return whole numbers as an array, of one entry at least."""
    return np.asarray(list(values) or [0], dtype=np.int64)
