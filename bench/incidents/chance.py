"""Randomness of an incident: one seed, and a stream of its own for each part, so that one part's draws move no other's."""

from __future__ import annotations

import random
import zlib
from collections.abc import Sequence
from typing import TypeVar

import numpy as np

T = TypeVar("T")


class Chance:
    """Draws of one named stream of one seed."""

    def __init__(self, seed: int, name: str = "") -> None:
        self._seed = seed
        self._name = name
        key = zlib.crc32(name.encode())
        self.numpy = np.random.Generator(np.random.PCG64([seed, key]))
        self.python = random.Random(seed * 4_294_967_311 + key)

    def fork(self, name: str) -> Chance:
        return Chance(self._seed, f"{self._name}/{name}")

    def pick(self, of: Sequence[T]) -> T:
        return of[self.python.randrange(len(of))]

    def weighted(self, weights: dict[T, float]) -> T:
        return self.python.choices(list(weights), list(weights.values()))[0]

    def between(self, low: float, high: float) -> float:
        return self.python.uniform(low, high)

    def log_between(self, low: float, high: float) -> float:
        """Uniform in the logarithm."""
        return float(np.exp(self.python.uniform(np.log(low), np.log(high))))

    def whole(self, low: int, high: int) -> int:
        """Both ends included."""
        return self.python.randint(low, high)

    def happens(self, probability: float) -> bool:
        return self.python.random() < probability

    def hex(self, digits: int) -> str:
        return f"{self.python.getrandbits(4 * digits):0{digits}x}"

    def text(self, alphabet: str, length: int) -> str:
        return "".join(self.python.choices(alphabet, k=length))

    def uuid(self) -> str:
        digits = self.hex(32)
        return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{'89ab'[int(digits[16], 16) & 3]}{digits[17:20]}-{digits[20:]}"
