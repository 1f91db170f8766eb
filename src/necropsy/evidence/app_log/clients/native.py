"""Go (go-redis, redigo, rueidis), Rust (redis-rs, fred, deadpool, bb8), C and Lua (hiredis, lua-resty-redis)."""

from __future__ import annotations

from typing import Final

from necropsy.evidence.app_log.clients.interface import ErrorClass
from necropsy.model.store_trouble import StoreTrouble as T

NATIVE: Final[tuple[ErrorClass, ...]] = (
    ErrorClass(
        "redis: connection pool timeout", r"redis: connection pool (?:timeout|exhausted)|redis: pool timeout", T.POOL
    ),
    ErrorClass(
        "redigo: connection pool exhausted", r"redigo: connection pool exhausted|redigo: get on closed pool", T.POOL
    ),
    ErrorClass(
        "deadpool timeout",
        r"\bdeadpool(?:_redis)?\b.{0,40}(?:Timeout\(|Closed)|Timeout\((?:Wait|Create|Recycle)\)",
        T.POOL,
        shared=True,
    ),
    ErrorClass(
        "redis: client is closed",
        r"redis: client is closed|redigo: closed|rueidis: client|redis client (?:is )?clos(?:ed|ing)",
        T.LOST,
    ),
    ErrorClass(
        "redis: all ring shards are down",
        r"redis: all (?:ring shards|sentinels) |redis: cannot load cluster slots",
        T.CLUSTER_DOWN,
    ),
    ErrorClass(
        "Redis Error: Timeout", r"Redis Error - kind: Timeout|Redis Error: Timeout|kind: Timeout, details", T.SLOW
    ),
    ErrorClass(
        "Redis Error: IO",
        r"Redis Error - kind: (?:IO|Canceled|Routing|Backpressure)|kind: (?:IO|Canceled), details",
        T.LOST,
    ),
    ErrorClass("RedisError", r"\bRedisError\b|Redis Error - kind: ", T.ERROR, vague=True),
    ErrorClass("i/o timeout", r"\bi/o timeout|context deadline exceeded", T.SLOW, shared=True),
    ErrorClass(
        "pool timed out",
        r"[Tt]imed out in bb8|waiting for a slot to become available|timed out waiting for connection|PoolTimedOut",
        T.POOL,
        shared=True,
    ),
    ErrorClass("os error 110", r"\(os error (?:110|60|10060)\)", T.SLOW, shared=True),
    ErrorClass("os error 111", r"\(os error (?:32|61|104|111|113|10054|10061)\)", T.LOST, shared=True),
)
"""Errors of clients in Go, Rust, C and Lua."""
