"""The traces that the actors of a story leave: sessions in the store, requests in the access log."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import NamedTuple


class WrittenSession(NamedTuple):
    """One session as the application last wrote it. All times are Unix milliseconds."""

    id: str
    created_ms: int
    accessed_ms: int
    """Last request that used it."""
    written_ms: int
    """When that was written to Redis: what its keys' expiries count from."""
    attributes: tuple[tuple[str, bytes], ...] = ()
    """Names and serialized values."""
    principal: str | None = None
    """The user who is logged in."""
    former_id: str | None = None
    """Id before the login, which changes it."""
    former_accessed_ms: int = 0
    """Last request under the former id."""
    ended: bool = False
    """Invalidated by a logout."""


class LoggedRequest(NamedTuple):
    """One request that nginx answers."""

    ended_ms: int
    """Unix milliseconds at which it was answered: nginx logs then."""
    host: str
    """Host header as sent."""
    line: str
    """Request line."""
    status: int
    size: int
    """Bytes of the body."""
    duration_ms: int
    referrer: str
    user_agent: str


@dataclass(slots=True)
class ActorTraces:
    """The traces that one actor leaves at one application."""

    sessions: list[WrittenSession] = field(default_factory=list)
    requests: dict[str, list[LoggedRequest]] = field(default_factory=dict)
    """By server name."""
    failures: dict[str, list[int]] = field(default_factory=dict)
    """By server name: Unix milliseconds at which a command to Redis timed out."""

    def log(self, server: str, request: LoggedRequest) -> None:
        """Add a request to a server's log."""
        self.requests.setdefault(server, []).append(request)

    def fail(self, server: str, at_ms: int) -> None:
        """Add a timeout to a server's error log."""
        self.failures.setdefault(server, []).append(at_ms)

    def absorb(self, other: ActorTraces) -> None:
        """Take over all that another trace holds."""
        self.sessions += other.sessions
        for server, requests in other.requests.items():
            self.requests.setdefault(server, []).extend(requests)
        for server, failures in other.failures.items():
            self.failures.setdefault(server, []).extend(failures)


def session_id(chance: random.Random) -> str:
    """Return a random (version 4) UUID, drawn from this source.

    >>> session_id(random.Random(1))
    'cd613e30-d8f1-4adf-91b7-584a2265b1f5'
    """
    digits = f"{chance.getrandbits(128):032x}"
    variant = "89ab"[int(digits[16], 16) & 3]
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-{variant}{digits[17:20]}-{digits[20:]}"
