"""Errors of the clients of stores, as their logs hold them: class, what it says of the store; and of what is no store."""

from __future__ import annotations

import pytest

from evidence.app_log.reading import events
from necropsy.evidence.app_log.errors import KNOWN
from necropsy.model.store_trouble import StoreTrouble

STAMP = "2024-02-05T10:00:07Z "

TROUBLES = {
    # Java
    "Lettuce, slow": ("slow", "ERROR io.lettuce.core.RedisCommandTimeoutException: Command timed out after 1 minute(s)"),
    "Lettuce, refused": ("lost", ("ERROR io.lettuce.core.RedisConnectionException: Unable to connect to 10.0.0.5:6379\n"
        "Caused by: io.netty.channel.AbstractChannel$AnnotatedConnectException: Connection refused: /10.0.0.5:6379")),
    "Lettuce, reconnecting": ("lost", "WARN i.l.core.protocol.ConnectionWatchdog - Cannot reconnect to [10.0.0.5/<unresolved>:6379]: Connection refused"),
    "Lettuce, queue": ("pool", "ERROR io.lettuce.core.RedisException: Request queue size exceeded. Commands are not accepted until the queue size drops."),
    "Lettuce, read only": ("read-only", "ERROR io.lettuce.core.RedisReadOnlyException: READONLY You can't write against a read only replica."),
    "Jedis, slow": ("slow", "ERROR redis.clients.jedis.exceptions.JedisConnectionException: java.net.SocketTimeoutException: Read timed out"),
    "Jedis, refused": ("lost", "ERROR redis.clients.jedis.exceptions.JedisConnectionException: Failed to connect to any host resolved for DNS name."),
    "Jedis, cut": ("lost", "ERROR redis.clients.jedis.exceptions.JedisConnectionException: Unexpected end of stream."),
    "Jedis, pool": ("pool", "ERROR redis.clients.jedis.exceptions.JedisExhaustedPoolException: Could not get a resource since the pool is exhausted"),
    "Jedis, old pool": ("pool", ("ERROR redis.clients.jedis.exceptions.JedisConnectionException: Could not get a resource from the pool\n"
        "Caused by: java.util.NoSuchElementException: Timeout waiting for idle object")),
    "Jedis, a pool without a store": ("lost", ("ERROR redis.clients.jedis.exceptions.JedisConnectionException: Could not get a resource from the pool\n"
        "Caused by: java.net.ConnectException: Connection refused")),
    "Jedis, pool or store": ("lost", "ERROR redis.clients.jedis.exceptions.JedisConnectionException: Could not get a resource from the pool"),
    "Jedis, full": ("full", "ERROR redis.clients.jedis.exceptions.JedisDataException: OOM command not allowed when used memory > 'maxmemory'."),
    "Jedis, login": ("login", "ERROR redis.clients.jedis.exceptions.JedisAccessControlException: WRONGPASS invalid username-password pair"),
    "Jedis Cluster": ("cluster-down", "ERROR redis.clients.jedis.exceptions.JedisClusterOperationException: No more cluster attempts left."),
    "Jedis, frames alone": ("slow", ("ERROR session lookup failed\njava.net.SocketTimeoutException: Read timed out\n\tat java.net.SocketInputStream.socketRead0(Native Method)\n"
        "\tat java.net.SocketInputStream.read(SocketInputStream.java:171)\n\tat redis.clients.jedis.util.RedisInputStream.ensureFill(RedisInputStream.java:199)")),
    "Redisson, slow": ("slow", "ERROR org.redisson.client.RedisResponseTimeoutException: Redis server response timeout (3000 ms) occured after 3 retry attempts"),
    "Redisson, pool": ("pool", "ERROR org.redisson.client.RedisTimeoutException: Unable to acquire connection! Increase connection pool size"),
    "Redisson, no node": ("cluster-down", "ERROR org.redisson.client.RedisNodeNotFoundException: Node for slot: 8391 hasn't been discovered yet"),
    "Spring": ("slow", "ERROR org.springframework.dao.QueryTimeoutException: Redis command timed out"),
    "Spring, pool": ("pool", ("ERROR org.springframework.data.redis.connection.PoolException: Could not get a resource from the pool; nested exception"
        " is java.util.NoSuchElementException: Pool exhausted")),
    "Spring, pool or store": ("lost", "ERROR org.springframework.data.redis.connection.PoolException: Could not get a resource from the pool"),
    "Spring, no connection": ("lost", "ERROR org.springframework.data.redis.RedisConnectionFailureException: Unable to connect to Redis"),
    # Node
    "ioredis, gave up": ("lost", "error: MaxRetriesPerRequestError: Reached the max retries per request limit (which is 20)."),
    "ioredis, slow": ("slow", "error: Error: Command timed out\n    at Timeout._onTimeout (/app/node_modules/ioredis/built/Redis.js:331:33)"),
    "ioredis, refused": ("lost", "[ioredis] Unhandled error event: Error: connect ECONNREFUSED 127.0.0.1:6379"),
    "ioredis, closed": ("lost", "error: Error: Connection is closed.\n    at close (/app/node_modules/ioredis/built/redis/event_handler.js:184:25)"),
    "ioredis, Cluster": ("cluster-down", "error: ClusterAllFailedError: Failed to refresh slots cache."),
    "node-redis": ("lost", "error: SocketClosedUnexpectedlyError: Socket closed unexpectedly\n    at Socket.<anonymous> (/app/node_modules/@redis/client/dist/lib/client/socket.js:194:118)"),
    "node-redis, slow": ("slow", "error: ConnectionTimeoutError: Connection timeout\n    at Socket.<anonymous> (/app/node_modules/@redis/client/dist/lib/client/socket.js:177:124)"),
    "node-redis 3": ("lost", "error: AbortError: Redis connection lost and command aborted. It might have been processed."),
    "redis-parser": ("cannot-save", "error: ReplyError: MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk."),
    # Python
    "redis-py, slow": ("slow", "ERROR redis.exceptions.TimeoutError: Timeout reading from socket"),
    "redis-py, refused": ("lost", "ERROR redis.exceptions.ConnectionError: Error 111 connecting to redis:6379. Connection refused."),
    "redis-py, connecting too long": ("slow", "ERROR redis.exceptions.ConnectionError: Error 110 connecting to 10.0.0.5:6379. Connection timed out."),
    "redis-py, pool": ("pool", "ERROR redis.exceptions.MaxConnectionsError: Too many connections"),
    "redis-py, loading": ("loading", "ERROR redis.exceptions.BusyLoadingError: Redis is loading the dataset in memory"),
    "valkey-py": ("slow", "ERROR valkey.exceptions.TimeoutError: Timeout reading from 10.0.0.5:6379"),
    "django-redis": ("lost", "ERROR django_redis.exceptions.ConnectionInterrupted: Redis ConnectionError: Error while reading from socket"),
    # PHP, Ruby
    "phpredis, slow": ("slow", "PHP Fatal error:  Uncaught RedisException: read error on connection to 127.0.0.1:6379 in /a.php:3"),
    "phpredis, gone": ("lost", "PHP Fatal error:  Uncaught RedisException: Redis server 10.0.0.5:6379 went away in /a.php:3"),
    "phpredis, timed out": ("slow", "PHP Fatal error:  Uncaught RedisException: Connection timed out in /a.php:3"),
    "phpredis, session": ("error", "PHP Warning:  session_start(): Failed to read session data: redis (path: tcp://10.0.0.5:6379) in /a.php on line 3"),
    "Predis": ("slow", "[error] Predis\\Connection\\ConnectionException: Connection timed out [tcp://127.0.0.1:6379]"),
    "Predis, refused": ("lost", 'local.ERROR: Connection refused [tcp://127.0.0.1:6379] {"exception":"[object] (Predis\\\\Connection\\\\ConnectionException(code: 111)"}'),
    "Credis": ("lost", "CRITICAL: CredisException: Connection to Redis 127.0.0.1:6379 failed after 2 failures."),
    "redis-rb": ("slow", "FATAL -- : Redis::TimeoutError (Connection timed out):"),
    "redis-rb, refused": ("lost", "ERROR -- : Redis::CannotConnectError (Error connecting to Redis on localhost:6379 (Errno::ECONNREFUSED))"),
    "redis-client": ("slow", "ERROR -- : RedisClient::ReadTimeoutError (Waited 1.0 seconds)"),
    "connection_pool": ("pool", "ERROR -- : ConnectionPool::TimeoutError (Waited 5 sec, 0/5 available)\ngems/redis-store-1.9/lib/redis/store.rb:3"),
    # Go, Rust
    "go-redis, slow": ("slow", 'level=error msg="load session" err="read tcp 10.1.2.3:51234->10.0.0.5:6379: i/o timeout"'),
    "go-redis, dialling": ("slow", 'level=error msg="redis: dial tcp 10.0.0.5:7001: i/o timeout"'),
    "go-redis, pool": ("pool", 'level=error err="redis: connection pool timeout"'),
    "go-redis, refused": ("lost", '{"level":"error","msg":"session store","err":"dial tcp 10.0.0.5:6379: connect: connection refused"}'),
    "redigo": ("pool", "ERROR redigo: connection pool exhausted"),
    "rueidis": ("slow", 'level=error msg="rueidis do" err="context deadline exceeded"'),
    "redis-rs": ("lost", "ERROR shop: redis error: Connection refused (os error 111)"),
    "fred": ("slow", "ERROR shop::session: Redis Error - kind: Timeout, details: Request timed out."),
    "deadpool": ("pool", "ERROR deadpool_redis: Timeout(Wait)"),
    "bb8": ("pool", "ERROR shop: redis pool: Timed out in bb8"),
    # .NET, Elixir
    "StackExchange.Redis": ("slow", "fail: StackExchange.Redis.RedisTimeoutException: Timeout performing GET (5000ms), next: GET s, inst: 0, qu: 0"),
    "StackExchange.Redis, down": ("lost", "fail: StackExchange.Redis.RedisConnectionException: No connection is active/available to service this operation: GET s; UnableToConnect on 10.0.0.5:6379"),
    "ServiceStack": ("pool", "ERROR System.TimeoutException: Redis Timeout expired. The timeout period elapsed prior to obtaining a connection from the pool."),
    "Redix": ("lost", "[error] ** (Redix.ConnectionError) the connection to Redis is closed"),
    "Redix, disconnected": ("lost", "[error] Disconnected from Redis (localhost:6379): TCP connection closed"),
    "Redix, slow": ("slow", "[error] ** (Redix.ConnectionError) :timeout"),
    # Other words and languages
    "OpenResty": ("slow", "[error] 7#7: *1 lua tcp socket read timed out, failed to run redis.get, client: 203.0.113.9"),
    "Windows in Chinese": ("lost", "ERROR redis 10.0.0.5:7001: 由于目标计算机积极拒绝，无法连接。"),
    "Chinese": ("slow", "ERROR c.s.SessionService : 连接redis超时"),
    "Korean": ("slow", "ERROR 레디스(redis) 명령 시간 초과"),
    "German": ("lost", "FEHLER Redis: Verbindung zum Server fehlgeschlagen"),
    "Russian": ("slow", "ERROR redis: время ожидания истекло"),
    "Spanish": ("lost", "ERROR redis: conexión rechazada"),
    "unknown client": ("unclear", "ERROR session backend redis melted: error 42"),
    "exception of an unknown client": ("unclear", "ERROR com.shop.RedisGatewayException: cannot save session"),
    # The server's own answers
    "CLUSTERDOWN": ("cluster-down", "ERROR ReplyError: CLUSTERDOWN The cluster is down"),
    "NOREPLICAS": ("read-only", "ERROR ReplyError: NOREPLICAS Not enough good replicas to write."),
    "max clients": ("connections", "ERROR redis.exceptions.ConnectionError: max number of clients reached"),
    "BUSY": ("busy", "ERROR redis.exceptions.ResponseError: BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE."),
    "NOAUTH": ("login", "ERROR ReplyError: NOAUTH Authentication required."),
}  # fmt: skip


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[str, str | None, int]]]:
    """All entries in one log, a minute each."""
    times = [f"2024-02-05T{10 + n // 60}:{n % 60:02}:07Z " for n in range(len(TROUBLES))]
    text = "\n".join(time + entry for time, (_, entry) in zip(times, TROUBLES.values(), strict=True))
    _, rows = events(tmp_path_factory.mktemp("clients"), text)
    return {
        name: [tuple(row[1:]) for row in rows if f"{row[0]:%H:%M}" == time[11:16]]
        for name, time in zip(TROUBLES, times, strict=True)
    }


@pytest.mark.parametrize("name", TROUBLES)
def test_what_an_error_says_of_the_store_is_told(name: str, found) -> None:
    (trouble, _) = TROUBLES[name]
    assert [(row[1], row[2]) for row in found[name]] == [(trouble, 1)]


@pytest.mark.parametrize("name", ["ioredis, slow", "Jedis, frames alone", "Chinese", "Predis, refused", "fred"])
def test_an_error_says_the_same_alone_in_a_log_without_times(name: str, tmp_path) -> None:
    trouble, entry = TROUBLES[name]
    assert [row[2:] for row in events(tmp_path, entry)[1]] == [(trouble, 1)]


ELSEWHERE = {
    "payment": "ERROR c.s.PaymentClient : payment provider did not answer\njava.net.SocketTimeoutException: Read timed out\n\tat com.shop.payment.PaymentClient.charge(PaymentClient.java:77)",
    "HTTP": "ERROR java.net.http.HttpTimeoutException: request timed out",
    "JDBC": "ERROR org.springframework.dao.QueryTimeoutException: JDBC; SQL [select 1]; canceling statement due to user request",
    "JDBC pool": "ERROR java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after 30000ms.",
    "gRPC": "ERROR io.grpc.StatusRuntimeException: DEADLINE_EXCEEDED: context deadline exceeded",
    "Kafka": "ERROR org.apache.kafka.common.errors.TimeoutException: Topic orders not present in metadata after 60000 ms.",
    "mail": "error: Error: Connection timeout\n    at SMTPConnection._formatError (/app/node_modules/nodemailer/lib/smtp-connection/index.js:790:19)",
    "PostgreSQL in Node": "error: Error: connect ECONNREFUSED 10.0.0.7:5432\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1606:16)",
    "HTTP behind a session's middleware": "error: Error: connect ETIMEDOUT 203.0.113.9:443\n    at TCPConnectWrap.afterConnect [as oncomplete] (node:net:1606:16)\n"
        "    at a (/app/axios/b.js:1:1)\n    at Immediate.<anonymous> (/app/node_modules/connect-redis/dist/index.js:40:3)",
    "requests": "ERROR requests.exceptions.ReadTimeout: HTTPConnectionPool(host='pay.example', port=443): Read timed out. (read timeout=5)",
    "Go": 'level=error msg="charge" err="Post \\"https://pay.example/charge\\": dial tcp 203.0.113.9:443: i/o timeout"',
    "MongoDB": "ERROR com.mongodb.MongoSocketReadTimeoutException: Timeout while receiving message",
    "Ruby": "ERROR -- : Net::ReadTimeout (Net::ReadTimeout with #<TCPSocket:(closed)>)",
    ".NET": "fail: Npgsql.NpgsqlException: The operation has timed out",
    "Elixir": "[error] ** (DBConnection.ConnectionError) connection not available and request was dropped from queue after 2998ms",
    "heap": "ERROR java.lang.OutOfMemoryError: Java heap space",
    "a setting at INFO": "INFO redis connection timeout: 2000 ms, retries on error: 3",
    "a missing key": 'level=error msg="session not found" err="redis: nil"',
    "a session filter in the frames": "ERROR java.net.SocketTimeoutException: Read timed out\n"
        + "\tat org.apache.http.a.B.c(D.java:1)\n" * 9
        + "\tat org.springframework.session.data.redis.RedisIndexedSessionRepository.findById(RedisIndexedSessionRepository.java:410)",
}  # fmt: skip


@pytest.mark.process
@pytest.mark.parametrize("name", ELSEWHERE)
def test_trouble_with_something_else_is_not_the_stores(name: str, tmp_path) -> None:
    _, rows = events(tmp_path, STAMP + ELSEWHERE[name])
    assert [row[2] for row in rows] in ([None], [])


def test_every_trouble_but_the_unclear_has_a_class_and_names_are_unique() -> None:
    assert {error.trouble for error in KNOWN} == set(StoreTrouble) - {StoreTrouble.UNCLEAR}
    names = [error.name for error in KNOWN]
    assert len(set(names)) == len(names)
