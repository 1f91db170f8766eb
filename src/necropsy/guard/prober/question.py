"""One request as it is sent, and the body of its answer as it comes: the same over HTTP/1.1 and HTTP/2."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult

from necropsy.guard.prober.answer import Answer
from necropsy.guard.prober.module import HttpModule

ALWAYS_WITH_LENGTH: Final = frozenset({"POST", "PUT", "PATCH"})
"""Methods whose requests say the length of their body where it is empty, too, as Go's do."""
_SPARE: Final = 1 << 16
"""Bytes that a packed body may take more than twice its limit: packed, little may be larger than unpacked."""


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """One request, and the way to its server."""

    url: str
    address: str
    """IP address of the URL's host, or its name where a proxy resolves it."""
    headers: Sequence[tuple[str, str]]
    method: str = "GET"
    body: bytes = b""
    in_chunks: bool = False
    """Whether the body is sent without saying its length before."""
    server_name: str = ""
    """Name for TLS; empty: the URL's host."""
    proxy: SplitResult | None = None


class Keeping:
    """The body of an answer as it comes: kept where it is looked into, counted everywhere, no longer than the limit."""

    def __init__(self, answer: Answer, module: HttpModule) -> None:
        self.answer = answer
        self._keeps = module.reads_body
        self._limit = module.body_size_limit
        packed = module.compression not in ("", "identity")
        self._most = 2 * self._limit + _SPARE if packed else self._limit
        self._pieces: list[bytes] = []

    def take(self, piece: bytes) -> bool:
        """Take a piece; return whether the body is too large."""
        self.answer.size += len(piece)
        if self._keeps:
            self._pieces.append(piece)
        if not self._most or self.answer.size <= self._most:
            return False
        self.answer.problem = f"the body is larger than {self._limit:,} bytes"
        return True

    def end(self) -> None:
        """Put the body into the answer."""
        self.answer.body = b"".join(self._pieces)[: self._most or None]
        self.answer.size = min(self.answer.size, self._most or self.answer.size)
