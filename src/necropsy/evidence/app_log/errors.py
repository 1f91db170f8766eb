"""The errors that a store in trouble causes in its clients, most telling first.

An entry of a log often names several: Spring's ``QueryTimeoutException`` wraps Lettuce's
``RedisCommandTimeoutException``; Jedis wraps ``SocketTimeoutException``. The entry counts once, as the first of this
table that it names anywhere: what the server itself says comes first, then what a client says of a command, of its
pool, of a connection; the wrappers of frameworks, which say least, come last.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ErrorClass:
    """One class of errors."""

    name: str
    """As it is shown and kept."""
    pattern: str
    """Regular expression (RE2) that finds it in a line."""
    family: str
    """Who says so: ``server``, ``Java``, ``Node``, ``Python``, ``PHP``, ``Ruby``, ``.NET``, ``Go``."""


KNOWN: Final[tuple[ErrorClass, ...]] = (
    # What the server answers (src/server.c, networking.c of Redis and Valkey), whatever the client's language.
    ErrorClass("OOM command not allowed", r"OOM command not allowed|redis\.exceptions\.OutOfMemoryError", "server"),
    ErrorClass("LOADING", r"LOADING (Redis|Valkey) is loading|BusyLoadingError|RedisLoadingException", "server"),
    ErrorClass("MISCONF", r"MISCONF (Redis|Valkey|Errors)", "server"),
    ErrorClass("max number of clients reached", r"max number of clients reached|MaxClientsError", "server"),
    ErrorClass("READONLY", r"READONLY You can't write|ReadOnlyError|RedisReadOnlyException", "server"),
    ErrorClass("MASTERDOWN", r"MASTERDOWN Link with MASTER", "server"),
    ErrorClass("CLUSTERDOWN", r"CLUSTERDOWN ", "server"),
    ErrorClass("BUSY", r"BUSY (Redis|Valkey) is busy running a script", "server"),
    ErrorClass("NOAUTH", r"NOAUTH Authentication required|WRONGPASS |NOPERM ", "server"),
    # Commands that were not answered in time.
    ErrorClass("RedisCommandTimeoutException", r"RedisCommandTimeoutException", "Java"),
    ErrorClass("RedisResponseTimeoutException", r"RedisResponseTimeoutException", "Java"),
    ErrorClass("RedisTimeoutException", r"\bRedisTimeoutException", "Java"),
    ErrorClass("RedisCommandInterruptedException", r"RedisCommandInterruptedException", "Java"),
    ErrorClass(
        "redis.exceptions.TimeoutError", r"redis\.exceptions\.TimeoutError|Timeout reading from socket", "Python"
    ),
    ErrorClass("Redis::TimeoutError", r"Redis(Client)?::(Read|Write|Connect)?TimeoutError", "Ruby"),
    ErrorClass("Command timed out", r"Error: Command timed out|CommandTimeoutError", "Node"),
    ErrorClass("MaxRetriesPerRequestError", r"MaxRetriesPerRequestError|max retries per request limit", "Node"),
    ErrorClass(
        "RedisException: read error",
        r"RedisException.{0,40}read error on|Error while reading line from the server",
        "PHP",
    ),
    # No connection to be had from the client's own pool.
    ErrorClass(
        "JedisExhaustedPoolException",
        r"JedisExhaustedPoolException|Could not get a resource (from|since) the pool",
        "Java",
    ),
    ErrorClass("redis: connection pool timeout", r"redis: connection pool timeout", "Go"),
    ErrorClass("PoolException", r"lettuce\.core\.RedisConnectionException: .{0,80}[Pp]ool|PoolException", "Java"),
    # No connection at all.
    ErrorClass("JedisConnectionException", r"JedisConnectionException", "Java"),
    ErrorClass("RedisConnectionException", r"\bRedisConnectionException", "Java"),
    ErrorClass("redis.exceptions.ConnectionError", r"redis\.exceptions\.ConnectionError", "Python"),
    ErrorClass("Predis ConnectionException", r"Predis\\+Connection\\+ConnectionException", "PHP"),
    ErrorClass("Redis::CannotConnectError", r"Redis(Client)?::(CannotConnectError|BaseConnectionError)", "Ruby"),
    ErrorClass(
        "SocketClosedUnexpectedlyError",
        r"SocketClosedUnexpectedlyError|ClientClosedError|ConnectionTimeoutError",
        "Node",
    ),
    ErrorClass(
        "ECONNREFUSED",
        r"\b(ECONNREFUSED|ETIMEDOUT|ECONNRESET)\b.{0,80}:6\d{3}\b|Redis.{0,80}\bECONN(REFUSED|RESET)\b",
        "Node",
    ),
    # What wraps them.
    ErrorClass("JedisDataException", r"JedisDataException", "Java"),
    ErrorClass("RedisCommandExecutionException", r"RedisCommandExecutionException", "Java"),
    ErrorClass("RedisConnectionFailureException", r"RedisConnectionFailureException", "Java"),
    ErrorClass("RedisSystemException", r"RedisSystemException", "Java"),
    ErrorClass("QueryTimeoutException", r"QueryTimeoutException", "Java"),
    ErrorClass("RedisException", r"\bRedisException", "PHP"),
    ErrorClass("OutOfMemoryError", r"java\.lang\.OutOfMemoryError", "Java"),
)
"""The table, in order of how much each says about the store."""

OTHER: Final = r"([A-Za-z_$][\w$.\\:]*(?:Exception|Error))\b"
"""Finds the name of any other exception."""
