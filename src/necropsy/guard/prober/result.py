"""The result of a probe."""

from __future__ import annotations

from dataclasses import dataclass, field

from necropsy.guard.prober.answer import PHASES, Answer


@dataclass(slots=True)
class Result:
    """The result of a probe."""

    success: bool = False
    reason: str = ""
    """Why it failed; empty when it did not."""
    took_s: float = 0.0
    lookup_s: float | None = 0.0
    """Seconds that the first name took to resolve; None: a proxy resolved it."""
    address: str = ""
    """IP address that was asked first; empty when the name has none."""
    protocol: int = 0
    """4 or 6; 0 when nothing was resolved."""
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    redirects: int = 0
    answer: Answer = field(default_factory=Answer)
    ssl: bool = False
    failed_by_regexp: bool = False
    failed_by_cel: bool | None = None
    """None: no CEL expression is configured."""
    uncompressed_length: int = 0
    set_cookies: int = 0
    """Cookies that the answers set."""
    session_started: bool = False
    """Whether an answer shows, or a store, that a session was started."""
    started_at: str = ""
    """Path of the answer that started it."""
    sign: str = ""
    """What shows it: ``cookie``, ``header``, ``address``, ``login`` or ``store``."""
    store: str = ""
    """Store that shows it, and by what; empty: none does."""
    login: str = ""
    """Path of the login page that an answer redirected to; empty: none did."""
    last_modified: float | None = None
