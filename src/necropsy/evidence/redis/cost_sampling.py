"""Keys that are alike: of a store's million sessions, what some cost the others cost too.

Each question costs the server about a microsecond a key: encoding, idle time, memory are three. A family is what keys have
up to their last colon. Once enough of its keys were asked everything and were of one type, those of the same number of
elements and one encoding are alike. From then on they are asked for what nobody can guess: expiry, the parts that session
layouts want, and elements (unless nothing is wanted of the value, or it is empty, and all of the family had the same).

A thirty-second of them, chosen by their names, are still asked everything: so the mean is of the whole store and not of
its beginning, and a family that turns out to be mixed is asked everything again.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from necropsy.model.figures import several
from necropsy.sessions.keyspace import KEY_TYPES

if TYPE_CHECKING:
    from necropsy.evidence.redis.page import Page

LEAST: Final = 128
"""Keys that must have been alike before others are taken to be."""
MOST: Final = 32
"""Groups that are sent with each slice: the server reads the list each time."""
MOST_GROUPS: Final = 4_096
"""Groups that are counted."""
SMALL: Final = 16 << 10
"""Bytes of a key beyond which it is always asked: only small ones are fetched without a look at their size."""
SAMPLED: Final = 32
"""One of so many is asked everything."""
WORDS: Final = 5
"""That the script is told of a group."""
_KINDS: Final = ("string", "list", "set", "zset", "hash")
_NORMAL_95: Final = 1.96

_Group = tuple[bytes, int, int]
"""Family, type, elements."""


@dataclass(slots=True)
class _Measured:
    """Memory and time of the keys of a group."""

    type: int
    encoding: int
    keys: int = 0
    total: int = 0
    squares: int = 0
    guessed: int = 0
    """Keys that were not asked."""
    fields: bytes | None = None
    """Places, from 1, of the wanted fields that all of them had and that were all that they had; empty: not so."""
    mixed: bool = False
    """They differ in encoding, or some are large."""

    def add(self, usage: int, encoding: int, fields: bytes) -> bool:
        """Count one that was asked; whether it changes what is known of the group."""
        before, had = self.mixed, self.fields
        self.fields = fields if had is None or had == fields else b""
        self.keys += 1
        self.total += usage
        self.squares += usage * usage
        self.mixed = before or encoding != self.encoding or usage > SMALL
        return self.mixed != before or self.keys == LEAST or (self.keys > LEAST and self.fields != had)

    @property
    def mean(self) -> int:
        """Bytes of one."""
        return self.total // self.keys

    @property
    def variance(self) -> float:
        """Of the bytes of one."""
        return max(0.0, self.squares / self.keys - (self.total / self.keys) ** 2)


class CostSampling:
    """Learns from keys that were asked everything, and stands in for those that were not."""

    def __init__(self) -> None:
        self._groups: dict[_Group, _Measured] = {}
        self._types: dict[bytes, set[int]] = {}
        self._sent: list[tuple[int, _Measured]] = []
        """Of each group that the script was told last: the elements of one key, and what they cost."""
        self._words: list[Any] | None = []
        """The arguments of the script; None: they differ from the last ones."""

    def words(self) -> list[Any]:
        """Return what the script is told of each group that is known by now.

        Family, type, elements, whether it is alone in its family, and the places of its fields, a byte each: a key of as many
        elements that has all of these fields has no other, so the script need not ask for others.

        The same list as last time when nothing has changed; where there are more groups than are told, the most frequent
        ones are chosen when something does.
        """
        if self._words is None:
            self._words = self._known()
        return self._words

    def _known(self) -> list[Any]:
        known = [
            (group, one)
            for group, one in self._groups.items()
            if one.keys >= LEAST and not one.mixed and len(self._types[group[0]]) == 1
        ]
        known.sort(key=lambda item: -(item[1].keys + item[1].guessed))
        self._sent = [(count, one) for (_, _, count), one in known[:MOST]]
        counts = Counter(family for family, _, _ in self._groups)
        return [
            word
            for (family, kind, count), one in known[:MOST]
            for word in (family, KEY_TYPES[kind], count, int(counts[family] == 1), one.fields or b"")
        ]

    def settling(self) -> Callable[[Page, list[int]], None]:
        """Return what settles the slice that was asked for last, when its page is there."""
        return partial(self._settle, self._sent)

    def _settle(self, sent: list[tuple[int, _Measured]], page: Page, groups: list[int]) -> None:
        """Learn from the keys of a page that were asked everything, and give the others what those alike have and cost."""
        types, encodings, elements, usages = page.types, page.encodings, page.elements, page.usage
        means = [one.mean for _, one in sent]
        place = {row: at for at, row in enumerate(page.fields.rows)}
        for row, group in enumerate(groups):
            if group:
                elements[row], one = sent[group - 1]
                one.guessed += 1
                types[row], encodings[row], usages[row] = one.type, one.encoding, means[group - 1]
            elif (usage := usages[row]) is not None:
                self._learn(page, row, usage, place.get(row))

    def _learn(self, page: Page, row: int, usage: int, place: int | None) -> None:
        kind, count = page.types[row], page.elements[row]
        if count is None or KEY_TYPES[kind] not in _KINDS:
            return
        family = page.keys[row].rpartition(b":")[0] + b":"
        known = self._types.get(family)
        if known is None:
            if len(self._types) >= MOST_GROUPS:
                return
            known = self._types[family] = set()
        if kind not in known:
            known.add(kind)
            self._words = None
        one = self._groups.get((family, kind, count))
        if one is None:
            if len(self._groups) >= MOST_GROUPS:
                return
            one = self._groups[family, kind, count] = _Measured(kind, page.encodings[row])
            self._words = None  # a family that was of one number of elements may not be any more
        if one.add(usage, page.encodings[row], _all_fields(page, place, count)):
            self._words = None

    @property
    def guessed(self) -> int:
        """Keys whose memory and encoding are those of keys alike."""
        return sum(one.guessed for one in self._groups.values())

    def remark(self) -> str:
        """Say how many were not asked, and what that costs in accuracy; empty when all were.

        The error of a mean, times the keys it stands for; those of different groups are independent.
        """
        if not self.guessed:
            return ""
        guesses = [one for one in self._groups.values() if one.guessed]
        total = sum(one.guessed * one.mean for one in guesses)
        error = _NORMAL_95 * math.sqrt(sum(one.guessed**2 * one.variance / one.keys for one in guesses))
        asked = sum(one.keys for one in guesses)
        return (
            f"memory and encoding of {several(self.guessed, 'key')} are extrapolated from {several(asked, 'similar key')}"
            f" (± {100 * error / total if total else 0:.1f} %); their idle times were not read"
        )


def _all_fields(page: Page, place: int | None, elements: int) -> bytes:
    """Return the places, from 1, of the fields that a key has, if they are all that it has; else nothing."""
    if place is None:
        return b""
    there = bytes(number for number, column in enumerate(page.fields.values, 1) if column[place] is not None)
    return there if len(there) == elements else b""
