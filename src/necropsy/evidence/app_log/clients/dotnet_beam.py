""".NET (StackExchange.Redis, ServiceStack, FreeRedis, CSRedis), Elixir and Erlang (Redix, eredis), Haskell (hedis)."""

from __future__ import annotations

from typing import Final

from necropsy.evidence.app_log.clients.interface import ErrorClass
from necropsy.model.store_trouble import StoreTrouble as T

DOTNET_BEAM: Final[tuple[ErrorClass, ...]] = (
    ErrorClass(
        "Timeout performing a command",
        r"Timeout (?:performing [A-Z]+|awaiting response) \(?.{0,200}(?:inst|mgr|ms)\b",
        T.SLOW,
    ),
    ErrorClass("Redis Timeout expired", r"Redis Timeout expired\..{0,120}\bpool", T.POOL),
    ErrorClass(
        "It was not possible to connect to the redis server(s)",
        r"It was not possible to connect to the redis server|No connection is (?:active/)?available to service this operation"
        r"|SocketFailure on |SocketClosed \(",
        T.LOST,
    ),
    ErrorClass("RedisServerException", r"\bRedisServerException|RedisCommandException", T.ERROR, vague=True),
    ErrorClass(
        "RedisClientException", r"\b(?:CSRedis|FreeRedis)\b.{0,40}Exception|RedisClientException", T.ERROR, vague=True
    ),
    ErrorClass(
        "Redix.ConnectionError",
        r"Redix\.ConnectionError|Disconnected from Redis|Failed to connect to Redis|:eredis\b.{0,80}no_connection",
        T.LOST,
        vague=True,
    ),
    ErrorClass("Redix.Error", r"\bRedix\.(?:Protocol\.)?(?:Parse)?Error", T.ERROR, vague=True),
    ErrorClass(
        "tcp_closed", r":tcp_closed|\btcp_closed\b|:econnrefused|\beconnrefused\b|no_connection", T.LOST, shared=True
    ),
    ErrorClass("etimedout", r":timeout\b|\betimedout\b", T.SLOW, shared=True),
)
"""Errors of clients in .NET and on Erlang's machine."""
