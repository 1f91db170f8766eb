"""The answer to one request of the prober, and the deadline for it."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult

PHASES: Final = ("connect", "processing", "resolve", "tls", "transfer")


@dataclass(slots=True)
class Answer:
    """The response to a request."""

    status: int = 0
    version: float = 0.0
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""
    """Empty where it was only counted."""
    size: int = 0
    """Bytes of the body as they came, no more than the limit."""
    content_length: int = -1
    """As the server said; -1: it did not."""
    certificates: tuple[bytes, ...] = ()
    """The certificates that the server sent, as DER, its own first; empty without TLS."""
    verified: tuple[bytes, ...] = ()
    """The chain up to the authority by which it was verified; empty where it was not."""
    problem: str = ""
    """Defect of the body: too large, or cut short; empty when there is none."""
    tls_version: str = ""
    tls_cipher: str = ""
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))

    def all(self, name: str) -> list[str]:
        """Return the values of a header."""
        return [value for key, value in self.headers if key.lower() == name]


class Deadline:
    """The time by which a probe must be over."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds left.

        Raises
        ------
        TimeoutError
            None is left.
        """
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("the probe's time limit is over")
        return left


def target_of(parts: SplitResult) -> str:
    """Return what stands in the request line."""
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
