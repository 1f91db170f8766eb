"""Java, Kotlin, Scala, Clojure: Lettuce, Jedis, Redisson, Spring Data, Vert.x, Valkey GLIDE."""

from __future__ import annotations

from typing import Final

from necropsy.evidence.app_log.clients.interface import ErrorClass
from necropsy.model.store_trouble import StoreTrouble as T

JVM: Final[tuple[ErrorClass, ...]] = (
    ErrorClass("RedisCommandTimeoutException", r"RedisCommandTimeoutException", T.SLOW),
    ErrorClass("RedisResponseTimeoutException", r"RedisResponseTimeoutException", T.SLOW),
    ErrorClass("RedisTimeoutException", r"\bRedisTimeoutException|RedisRetryException", T.SLOW),
    ErrorClass("RedisCommandInterruptedException", r"RedisCommandInterruptedException", T.SLOW),
    ErrorClass(
        "JedisExhaustedPoolException",
        r"JedisExhaustedPoolException|Could not get a resource since the pool"
        r"|jedis\.exceptions\..{0,80}(?:NoSuchElementException|exhausted)",
        T.POOL,
    ),
    ErrorClass(
        "RedisConnectionException: pool",
        r"RedisConnectionException: .{0,80}[Pp]ool|Request queue size exceeded\. Commands are not accepted",
        T.POOL,
    ),
    ErrorClass("Unable to acquire connection", r"Unable to acquire connection!", T.POOL),
    ErrorClass("RedisNodeNotFoundException", r"RedisNodeNotFoundException", T.CLUSTER_DOWN),
    ErrorClass(
        "Cannot reconnect to the store",
        r"Cannot reconnect to \[|Currently not connected\. Commands are rejected|WriteRedisConnectionException"
        r"|Can't connect to servers!",
        T.LOST,
    ),
    # The pool may be empty, or the store may be away: the cause says which.
    ErrorClass(
        "Could not get a resource from the pool",
        r"Could not get a resource from the pool|data\.redis.{0,60}PoolException",
        T.LOST,
        vague=True,
    ),
    ErrorClass("JedisConnectionException", r"JedisConnectionException", T.LOST, vague=True),
    ErrorClass("RedisConnectionException", r"\bRedisConnectionException", T.LOST, vague=True),
    ErrorClass("RedisConnectionFailureException", r"RedisConnectionFailureException", T.LOST, vague=True),
    ErrorClass("JedisDataException", r"JedisDataException|JedisException\b", T.ERROR, vague=True),
    ErrorClass(
        "RedisCommandExecutionException",
        r"RedisCommandExecutionException|JedisClusterException|JedisClusterOperationException",
        T.ERROR,
        vague=True,
    ),
    ErrorClass("RedisSystemException", r"RedisSystemException", T.ERROR, vague=True),
    # Spring gives this name to time-outs of SQL as well.
    ErrorClass("QueryTimeoutException", r"QueryTimeoutException", T.SLOW, shared=True),
    ErrorClass(
        "no idle connection in the pool", r"Timeout waiting for idle object|Pool exhausted", T.POOL, shared=True
    ),
    ErrorClass(
        "SocketTimeoutException",
        r"SocketTimeoutException|ConnectTimeoutException|ReadTimeoutException",
        T.SLOW,
        shared=True,
    ),
)
"""Errors of clients on the Java virtual machine."""
