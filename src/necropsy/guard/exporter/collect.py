"""Ask one server what the exporter shows: INFO, CONFIG GET, SLOWLOG, LATENCY, in one round trip; nothing per key."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any

from necropsy.guard.exporter.families import CONFIG_NAMES, ServerReplies
from necropsy.wire.redis.connection import Connection
from necropsy.wire.redis.gate import Word
from necropsy.wire.redis.info import parse_info
from necropsy.wire.redis.replies import ServerError, understood

_ASKED: tuple[tuple[Word, ...], ...] = (
    ("INFO", "ALL"),
    ("SLOWLOG", "LEN"),
    ("SLOWLOG", "GET", 1),
    ("LATENCY", "LATEST"),
    ("CONFIG", "GET", *CONFIG_NAMES),
)


def collect(connection: Connection, who: str, *, with_histograms: bool = True) -> ServerReplies:
    """Ask a server everything; what it refuses (an ACL, a managed service, an older release) stays empty.

    Raises
    ------
    ConnectionLost
        The connection broke.
    UnreadableSource
        INFO is refused, or what listens there is no Redis.
    """
    asked = [*_ASKED, ("LATENCY", "HISTOGRAM")] if with_histograms else list(_ASKED)
    with understood(who):
        replies = connection.pipeline(asked)
        if isinstance(replies[0], ServerError):
            raise ServerError(replies[0].text)  # not itself: its traceback would hold the replies, and these hold it
        info = parse_info(replies[0])
        length, newest, spikes, configured = replies[1:5]
        answers = ServerReplies(info=info, config=_configuration(connection, configured), now_s=time.time())
        if not isinstance(length, ServerError) and not isinstance(newest, ServerError):
            answers.slow_length, answers.slow = int(length), newest
        if not isinstance(spikes, ServerError):
            answers.spikes = spikes
        if with_histograms and not isinstance(replies[-1], ServerError):
            answers.histograms = _histograms(replies[-1])
        if info.get("cluster_enabled") == "1":
            answers.cluster = _cluster(connection)
        if info.get("redis_mode") == "sentinel":
            answers.masters = _masters(connection)
    return answers


def _configuration(connection: Connection, reply: Any) -> dict[str, str]:
    """Return the configuration; before Redis 7 each name is asked by itself."""
    if not isinstance(reply, ServerError):
        return _mapping(reply)
    found: dict[str, str] = {}
    for one in connection.pipeline([("CONFIG", "GET", name) for name in CONFIG_NAMES]):
        if not isinstance(one, ServerError):
            found |= _mapping(one)
    return found


def _histograms(reply: Sequence[Any]) -> dict[str, tuple[int, Sequence[int]]]:
    """Return LATENCY HISTOGRAM: of each command ``[calls, n, histogram_usec, [upper, count, …]]``."""
    found = {}
    for command, said in zip(reply[::2], reply[1::2], strict=True):
        fields = dict(zip(said[::2], said[1::2], strict=True))
        found[command.decode(errors="replace")] = (int(fields[b"calls"]), fields[b"histogram_usec"])
    return found


def _cluster(connection: Connection) -> Mapping[str, str]:
    reply = connection.pipeline([("CLUSTER", "INFO")])[0]
    return {} if isinstance(reply, ServerError) else parse_info(reply)


def _masters(connection: Connection) -> list[dict[str, str]]:
    reply = connection.pipeline([("SENTINEL", "MASTERS")])[0]
    return [] if isinstance(reply, ServerError) else [_mapping(row) for row in reply]


def _mapping(flat: Sequence[bytes]) -> dict[str, str]:
    texts = [word.decode(errors="replace") for word in flat]
    return dict(zip(texts[::2], texts[1::2], strict=False))
