"""The application's error log while Redis hangs: timeouts with their stack traces, as Spring Boot's log file has them.

An entry (shortened)::

    2019-05-24 15:37:10.012 ERROR 21457 --- [pool-1-thread-1] o.s.s.s.TaskUtils$LoggingErrorHandler    : Unexpected …

    org.springframework.dao.QueryTimeoutException: Redis command timed out; nested exception is com.lambdaworks.redis…
    <tab>at org.springframework.data.redis.connection.lettuce.LettuceExceptionConverter.convert(LettuceException…:66)
    Caused by: com.lambdaworks.redis.RedisCommandTimeoutException: Command timed out
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

_DRIVER: Final = "com.lambdaworks.redis"
_DATA: Final = "org.springframework.data.redis"
_CAUSE: Final = f"{_DRIVER}.RedisCommandTimeoutException: Command timed out"
_ERROR: Final = f"org.springframework.dao.QueryTimeoutException: Redis command timed out; nested exception is {_CAUSE}"

_CONVERSION: Final = (
    (f"{_DATA}.connection.lettuce.LettuceExceptionConverter", "convert", 66),
    (f"{_DATA}.connection.lettuce.LettuceExceptionConverter", "convert", 41),
    (f"{_DATA}.PassThroughExceptionTranslationStrategy", "translate", 37),
    (f"{_DATA}.FallbackExceptionTranslationStrategy", "translate", 37),
    (f"{_DATA}.connection.lettuce.LettuceConnection", "convertLettuceAccessException", 330),
)
_WAITING: Final = ((f"{_DRIVER}.LettuceFutures", "await", 113), (f"{_DRIVER}.LettuceFutures", "awaitOrCancel", 92))


@dataclass(frozen=True, slots=True)
class StackOrigin:
    """A part of the application that waited for Redis: its name in the log, and its part of the stack."""

    thread: str
    logger: str
    said: str
    frames: tuple[tuple[str, str, int], ...]
    omitted: int
    """Frames that the cause has in common with the error."""
    error: str = _ERROR
    cause: str = _CAUSE


REQUEST: Final = StackOrigin(
    "nio-8080-exec-",
    "o.a.c.c.C.[.[.[/].[dispatcherServlet]",
    "Servlet.service() for servlet [dispatcherServlet] in context with path [] threw exception",
    (
        (f"{_DATA}.connection.lettuce.LettuceConnection", "hGetAll", 2853),
        (f"{_DATA}.core.RedisTemplate", "execute", 207),
        ("org.springframework.session.data.redis.RedisOperationsSessionRepository", "getSession", 466),
        ("org.springframework.session.web.http.SessionRepositoryFilter", "doFilterInternal", 141),
        ("org.apache.catalina.core.ApplicationFilterChain", "internalDoFilter", 193),
        ("java.lang.Thread", "run", 748),
    ),
    61,
)
TASK: Final = StackOrigin(
    "pool-1-thread-",
    "o.s.s.s.TaskUtils$LoggingErrorHandler",
    "Unexpected error occurred in scheduled task.",
    (
        (f"{_DATA}.connection.lettuce.LettuceConnection", "sMembers", 2112),
        (f"{_DATA}.core.RedisTemplate", "execute", 207),
        ("org.springframework.session.data.redis.RedisSessionExpirationPolicy", "cleanExpiredSessions", 132),
        ("java.util.concurrent.ThreadPoolExecutor$Worker", "run", 624),
    ),
    11,
)


def refused(answer: str) -> StackOrigin:
    """Return the origin of a request to which Redis answered with an error, such as ``OOM command not allowed …``."""
    cause = f"{_DRIVER}.RedisCommandExecutionException: {answer}"
    return replace(
        REQUEST,
        error=f"org.springframework.data.redis.RedisSystemException: Error in execution; nested exception is {cause}",
        cause=cause,
    )


def write(path: Path, failures_ms: Iterable[int], task_failures_ms: Iterable[int], chance: random.Random) -> int:
    """Write one entry for each timeout, in their order; return how many.

    Parameters
    ----------
    failures_ms
        Unix milliseconds at which a request gave up waiting.
    task_failures_ms
        The same for the task that cleans up expired sessions every minute.
    """
    process = chance.randrange(1_000, 30_000)
    events = sorted(
        [(at, REQUEST) for at in failures_ms] + [(at, TASK) for at in task_failures_ms],
        key=lambda event: (event[0], event[1].thread),
    )
    with path.open("w", encoding="utf-8", newline="\n") as log:
        log.writelines(entry(at, origin, process, chance.randrange(1, 10)) for at, origin in events)
    return len(events)


def entry(at_ms: int, origin: StackOrigin, process: int, thread: int) -> str:
    """Return one entry, with its stack trace."""
    stamp = f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%d %H:%M:%S}.{at_ms % 1000:03d}"
    return "\n".join(
        (
            f"{stamp} ERROR {process} --- [{origin.thread}{thread}] {origin.logger:<40} : {origin.said}",
            "",
            origin.error,
            *map(_frame, _CONVERSION + origin.frames),
            f"Caused by: {origin.cause}",
            *map(_frame, _WAITING),
            f"\t... {origin.omitted} common frames omitted",
            "",
        )
    )


def _frame(place: tuple[str, str, int]) -> str:
    """Return one frame; the source file is that of the outermost class."""
    java_class, method, line = place
    file = java_class.rpartition(".")[2].partition("$")[0]
    return f"\tat {java_class}.{method}({file}.java:{line})"
