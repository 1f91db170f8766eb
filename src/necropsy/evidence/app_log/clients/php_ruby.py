"""PHP (phpredis, Predis, Credis, Relay), Ruby (redis-rb, redis-client, hiredis-rb), Perl."""

from __future__ import annotations

from typing import Final

from necropsy.evidence.app_log.clients.interface import ErrorClass
from necropsy.model.store_trouble import StoreTrouble as T

PHP_RUBY: Final[tuple[ErrorClass, ...]] = (
    ErrorClass(
        "RedisException: read error",
        r"RedisException.{0,60}read error on|read error on connection to |socket error on read socket"
        r"|Error while reading line from the server",
        T.SLOW,
    ),
    ErrorClass("Redis server went away", r"Redis server (?:\S+ )?went away|Connection lost.{0,20}\bredis\b", T.LOST),
    ErrorClass("ConcurrentConnectionsExceededException", r"ConcurrentConnectionsExceededException", T.BUSY),
    ErrorClass("Redis::TimeoutError", r"Redis(?:Client)?::(?:Read|Write|Connect)?TimeoutError", T.SLOW),
    ErrorClass(
        "Redis::CannotConnectError",
        r"Redis(?:Client)?::(?:CannotConnectError|BaseConnectionError|ConnectionError|InheritedError)"
        r"|Error connecting to Redis on|Could not connect to Redis (?:server )?at",
        T.LOST,
        vague=True,
    ),
    ErrorClass("Redis::CommandError", r"Redis(?:Client)?::(?:\w+::)?(?:\w*CommandError|\w+Error)", T.ERROR, vague=True),
    ErrorClass(
        "Predis ConnectionException",
        r"Predis\\+(?:Connection\\+(?:Resource\\+Exception\\+)?(?:ConnectionException|StreamInitException)|CommunicationException)",
        T.LOST,
        vague=True,
    ),
    ErrorClass(
        "Predis ServerException",
        r"Predis\\+(?:Response\\+ServerException|PredisException|ClientException)",
        T.ERROR,
        vague=True,
    ),
    ErrorClass("CredisException", r"CredisException", T.LOST, vague=True),
    ErrorClass(
        "RedisException",
        r"\bRedis(?:Cluster)?Exception\b|Relay\\+Exception|Failed to read session data: redis",
        T.ERROR,
        vague=True,
    ),
    ErrorClass(
        "ConnectionPool::TimeoutError", r"ConnectionPool::TimeoutError|Waited \d[\d.]* sec", T.POOL, shared=True
    ),
)
"""Errors of clients in PHP, Ruby and Perl."""
