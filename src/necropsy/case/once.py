"""Lazy values that threads share: made when they are first asked for, and never twice."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

T = TypeVar("T")


class Once(Generic[T]):
    """A value that is made when it is first asked for, by whichever thread asks; all others wait.

    >>> number = Once(lambda: 7)
    >>> number(), number()
    (7, 7)
    >>> number.end(print)
    7
    """

    __slots__ = ("_lock", "_made", "_make")

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._made: list[T] = []
        self._lock = Lock()

    def __call__(self) -> T:
        """Return the value."""
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]

    def end(self, how: Callable[[T], object]) -> None:
        """End the value, if there is one; after that there is none."""
        with self._lock:
            self._make = _gone
            if self._made:
                how(self._made.pop())


def _gone() -> T:  # type: ignore[type-var]
    raise RuntimeError("asked for after its end")
