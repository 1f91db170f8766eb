"""Application error logs: exception chains become classes of errors, counted over time."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blank_cases import blank_case
from necropsy.evidence.app_log.errors import KNOWN
from necropsy.evidence.app_log.reader import read
from necropsy.model.evidence import Absent
from necropsy.model.figures import size

INCIDENT = """\
org.springframework.dao.QueryTimeoutException: Redis command timed out; nested exception is com.lambdaworks.redis.RedisCommandTimeoutException: Command timed out
\tat org.springframework.data.redis.connection.lettuce.LettuceExceptionConverter.convert(LettuceExceptionConverter.java:66)
\tat org.springframework.data.redis.connection.lettuce.LettuceExceptionConverter.convert(LettuceExceptionConverter.java:41)
"""

SPRING_BOOT = """\
2019-05-24 15:37:10.012  INFO 21457 --- [main] o.s.b.Application : Started in 12 s
2019-05-24 15:37:10.512 ERROR 21457 --- [pool-1-thread-1] o.s.s.s.TaskUtils$LoggingErrorHandler : Unexpected error

org.springframework.dao.QueryTimeoutException: Redis command timed out
\tat org.springframework.data.redis.core.RedisTemplate.execute(RedisTemplate.java:207)
Caused by: com.lambdaworks.redis.RedisCommandTimeoutException: Command timed out
\tat com.lambdaworks.redis.LettuceFutures.await(LettuceFutures.java:113)
\t... 61 common frames omitted
2019-05-24 15:37:59.999 ERROR 21457 --- [x] o.s.Y : redis.clients.jedis.exceptions.JedisConnectionException: java.net.SocketTimeoutException: Read timed out
2019-05-24 15:38:00.000 ERROR 21457 --- [x] o.s.Y : java.lang.IllegalStateException: user jo.doe@example.org has no token hunter2
Caused by: java.lang.NullPointerException: null
"""


def events(tmp_path: Path, content: str | bytes, name: str = "error.log"):
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with blank_case() as case:
        log = read(case, [str(path)])
        rows = case.rows("SELECT bin, class, events FROM error_event ORDER BY ALL")
    return log, [tuple(row.values()) for row in rows]


def test_the_error_of_the_incident_is_one_timeout_without_a_time(tmp_path) -> None:
    log, rows = events(tmp_path, INCIDENT)
    assert rows == [(None, "RedisCommandTimeoutException", 1)]
    assert (log.events, log.sources[0].taken_at) == (1, None)
    assert log.sources[0].note.startswith(
        "1 error in 3 lines; no time was recognised; line 1, with x for each letter and 9 "
    )


def test_an_entry_counts_once_by_its_innermost_known_cause_and_its_minute(tmp_path) -> None:
    log, rows = events(tmp_path, SPRING_BOOT)
    assert rows == [
        (datetime(2019, 5, 24, 15, 37), "JedisConnectionException", 1),  # noqa: DTZ001
        (datetime(2019, 5, 24, 15, 37), "RedisCommandTimeoutException", 1),  # noqa: DTZ001
        (datetime(2019, 5, 24, 15, 38), "NullPointerException", 1),  # noqa: DTZ001
    ]
    assert log.sources[0].note.endswith("times without a zone, read as UTC")


def test_nothing_but_class_and_minute_is_kept(tmp_path) -> None:
    _, rows = events(tmp_path, SPRING_BOOT)
    assert "hunter2" not in str(rows)
    assert "jo.doe" not in str(rows)


CAUSES = (
    ("redis.clients.jedis.exceptions.JedisDataException: OOM command not allowed when used memory > 'maxmemory'.", "OOM command not allowed"),
    ("io.lettuce.core.RedisCommandExecutionException: LOADING Redis is loading the dataset in memory", "LOADING"),
    ("redis.exceptions.BusyLoadingError: Redis is loading the dataset in memory", "LOADING"),
    ("ReplyError: MISCONF Redis is configured to save RDB snapshots, but it is currently not able to persist on disk.", "MISCONF"),
    ("ReplyError: MISCONF Valkey is configured to save RDB snapshots", "MISCONF"),
    ("redis.clients.jedis.exceptions.JedisDataException: ERR max number of clients reached", "max number of clients reached"),
    ("redis.exceptions.ReadOnlyError: You can't write against a read only replica.", "READONLY"),
    ("org.redisson.client.RedisTimeoutException: Command execution timeout", "RedisTimeoutException"),
    ("StackExchange.Redis.RedisTimeoutException: Timeout performing GET", "RedisTimeoutException"),
    ("redis.exceptions.TimeoutError: Timeout reading from socket", "redis.exceptions.TimeoutError"),
    ("Error: Command timed out at Commander.sendCommand (/app/node_modules/ioredis/built/utils.js:1)", "Command timed out"),
    ("MaxRetriesPerRequestError: Reached the max retries per request limit (which is 20).", "MaxRetriesPerRequestError"),
    ("[ioredis] Unhandled error event: Error: connect ECONNREFUSED 127.0.0.1:6379", "ECONNREFUSED"),
    ("PHP Fatal error:  Uncaught RedisException: read error on connection to 127.0.0.1:6379 in /a.php:3", "RedisException: read error"),
    ("PHP Fatal error:  Uncaught Predis\\Connection\\ConnectionException: Connection timed out [tcp://127.0.0.1:6379]", "Predis ConnectionException"),
    ("Redis::CannotConnectError (Error connecting to Redis on localhost:6379)", "Redis::CannotConnectError"),
    ("redis: connection pool timeout error=Error", "redis: connection pool timeout"),
    ("redis.clients.jedis.exceptions.JedisExhaustedPoolException: Could not get a resource since the pool is exhausted", "JedisExhaustedPoolException"),
    ("Predis\\Response\\ServerException: OOM command not allowed when used memory", "OOM command not allowed"),
    ("java.lang.OutOfMemoryError: Java heap space", "OutOfMemoryError"),
    ("com.example.shop.CartFullException: 12 items", "CartFullException"),
)  # fmt: skip


def test_errors_are_recognised_in_every_language(tmp_path) -> None:
    # One minute a line, so that each is told apart.
    text = "".join(f"2024-05-01 10:{minute:02}:00 {line}\n" for minute, (line, _) in enumerate(CAUSES))
    assert [(row[0].minute, row[1], row[2]) for row in events(tmp_path, text)[1]] == [
        (minute, name, 1) for minute, (_, name) in enumerate(CAUSES)
    ]


def test_a_python_traceback_is_one_entry(tmp_path) -> None:
    text = """\
[2024-05-01 10:00:01,123] ERROR in app: Exception on / [GET]
Traceback (most recent call last):
  File "/app/redis/connection.py", line 1, in read_response
    raise TimeoutError("Timeout reading from socket")
redis.exceptions.TimeoutError: Timeout reading from socket

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/app/sessions.py", line 9, in open
RuntimeError: no session
[2024-05-01 10:00:02,123] INFO fine
"""
    assert [row[1:] for row in events(tmp_path, text)[1]] == [("redis.exceptions.TimeoutError", 1)]


STAMPS = (
    "2024-05-01T12:00:30+02:00", "2024-05-01 10:01:30,123", "[01-May-2024 10:02:30 UTC]", "2024/05/01 10:03:30 [error]",
    "[01/May/2024:12:04:30 +0200]", '{"@timestamp":"2024-05-01T10:05:30.123Z","level":"ERROR"',
)  # fmt: skip


def test_times_of_all_forms_are_read(tmp_path) -> None:
    text = "".join(f"{stamp} x JedisConnectionException\n" for stamp in STAMPS)
    assert [row[0] for row in events(tmp_path, text)[1]] == [
        datetime(2024, 5, 1, 10, minute)  # noqa: DTZ001
        for minute in range(len(STAMPS))
    ]


def test_json_with_an_escaped_stack_trace_counts_once(tmp_path) -> None:
    line = (
        '{"@timestamp":"2024-05-01T10:00:30Z","message":"failed","stack_trace":"org.springframework.dao.QueryTimeoutException: x\\n\\tat a.b.C\\n'
        'Caused by: io.lettuce.core.RedisCommandTimeoutException: Command timed out after 1 minute(s)"}\n'
    )
    assert [row[1:] for row in events(tmp_path, line * 3)[1]] == [("RedisCommandTimeoutException", 3)]


@pytest.mark.parametrize("errors", [300, 20_000])
def test_compressed_and_cut_logs_are_read_as_far_as_they_go(tmp_path, errors) -> None:
    text = "".join(
        f"2024-05-01 10:{i // 60 % 60:02}:{i % 60:02} JedisConnectionException {i * 7919}\n" for i in range(errors)
    )
    packed = gzip.compress(text.encode())
    log, rows = events(tmp_path, packed[: len(packed) * 2 // 3], "error.log.gz")
    assert errors // 3 < sum(row[2] for row in rows) < errors
    assert [b.unit for b in log.blemishes] == ["byte"]


def test_a_missing_log_is_absent(tmp_path) -> None:
    with blank_case() as case:
        log = read(case, [str(tmp_path / "none.log")])
    assert log.absent == [
        Absent(
            "app_log",
            str(tmp_path / "none.log"),
            f"{tmp_path / 'none.log'}: no such file",
            "Check the path; quote globs.",
        )
    ]


def test_a_log_of_which_not_a_byte_can_be_unpacked_is_absent(tmp_path) -> None:
    path = tmp_path / "error.log.gz"
    path.write_bytes(b"\x1f\x8bnot gzip at all")
    with blank_case() as case:
        log = read(case, [str(path)])
    assert log.sources == []
    (absent,) = log.absent
    assert "truncated or damaged" in absent.reason
    assert absent.hint


def test_known_classes_have_names_of_their_own() -> None:
    assert len({error.name for error in KNOWN}) == len(KNOWN)


@pytest.mark.process
@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    st.lists(
        st.one_of(st.binary(max_size=50), st.sampled_from([b"\tat a.B", b"x JedisDataException", b"Caused by: y"])),
        max_size=20,
    )
)
def test_no_bytes_break_it(tmp_path, lines) -> None:
    log, rows = events(tmp_path, b"2024-05-01 10:00:00 JedisDataException\n" + b"\n".join(lines))
    assert sum(row[2] for row in rows) == log.events >= 1


NO_LOGS = {
    "empty": (b"", "it is empty"),
    "prose": (b"hello\nworld\n", "not recognised: 2 of 2 lines"),
    "access log": (
        b'203.0.113.9 - - [05/Feb/2024:10:00:01 +0000] "GET / HTTP/1.1" 500 5 "-" "curl"\n' * 3,
        "it is an access log",
    ),
    "access log in JSON": (
        b'{"@timestamp":"2024-02-05T10:00:01Z","request":"GET / HTTP/1.1","status": "302"}\n' * 3,
        "it is an access log",
    ),
    "access log with nested requests": (
        b'{"level":"info","ts":1707127201.5,"request":{"method":"GET","uri":"/"},"status":200}\n' * 3,
        "it is an access log",
    ),
    "JSON that is no log": (b'{"a": 1}\n', "not recognised"),
    "bytes": (bytes(range(14, 256)) * 20, "a binary file, not a log"),
    "dump": (b"REDIS0011\xfa\x09redis-ver\n2024-02-05 10:00:01 INFO x\n" * 9, "a Redis dump, not a log"),
    "zip archive": (b"PK\x03\x04\x14\x00\n2024-02-05 10:00:01 ERROR x\n", "a zip archive, not a log"),
    "tar archive": (
        b"app.log".ljust(100, b"\0") + b"0000644\0" * 19 + b"     ustar  \0\n2024-02-05 10:00:01 INFO x\n",
        "a tar archive, not a log",
    ),
    "program": (b"\x7fELF\x02\x01\x01\n2024-02-05 10:00:01 INFO x\n" + bytes(range(1, 32)) * 9, "a program, not a log"),
}


@pytest.mark.parametrize("kind", NO_LOGS)
def test_a_file_that_is_no_application_log_is_absent_and_clears_nobody(kind: str, tmp_path) -> None:
    content, reason = NO_LOGS[kind]
    log, _ = events(tmp_path, content)
    assert log.sources == []
    (absent,) = log.absent
    assert reason in absent.reason
    assert absent.hint


ENTRIES = [
    {"time": f"2024-02-05T10:00:{second:02d}Z", "message": "RedisCommandTimeoutException"} for second in range(60)
]


@pytest.mark.parametrize(
    ("text", "each"),
    [
        (json.dumps(ENTRIES), ".[]"),
        (json.dumps(ENTRIES, indent=2), ".[]"),
        ("[\n" + ",\n".join(map(json.dumps, ENTRIES)) + "\n]\n", ".[]"),
        ("[" + json.dumps({"message": "x" * 40_000}) + "]", ".[]"),
        ("".join(json.dumps(ENTRIES[at : at + 10]) + "\n" for at in range(0, 60, 10)), ".[]"),
        (json.dumps({"events": ENTRIES, "searchedLogStreams": []}, indent=4), ".events[]"),
        (json.dumps({"events": ENTRIES}), ".events[]"),
        ("\n".join(json.dumps(entry, indent=1) for entry in ENTRIES), "."),
    ],
)
def test_json_whose_lines_are_no_entries_is_told_how_they_become_some(text: str, each: str, tmp_path) -> None:
    log, rows = events(tmp_path, text)
    (absent,) = log.absent
    assert (rows, log.sources) == ([], [])
    assert "not one object a line" in absent.reason
    assert f"jq -c '{each}' FILE" in absent.hint


@pytest.mark.parametrize(
    "first", ["[{main}] 2024-02-05 10:00:07 INFO up", '[{"a": 1}] INFO up', "{", "[", '{"tags": [{"a": 1}], "x": 2}']
)
def test_a_line_that_begins_as_json_does_is_no_array(first: str, tmp_path) -> None:
    _, rows = events(tmp_path, first + "\n" + "2024-02-05 10:00:07 ERROR RedisCommandTimeoutException\n" * 3)
    assert [row[2] for row in rows] == [3]


def test_a_log_without_an_error_is_a_source(tmp_path) -> None:
    log, rows = events(tmp_path, "2024-02-05 10:00:07 INFO started\n\n  banner\n2024-02-05 10:00:08 INFO ready\n")
    assert (rows, len(log.sources), log.absent) == ([], 1, [])


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1", "gb18030", "utf-8-sig"])
def test_a_log_of_another_encoding_loses_no_line(encoding: str, tmp_path) -> None:
    text = "2024-02-05 10:00:07 ERROR ¡é§ RedisCommandTimeoutException\n" * 3
    assert [row[2] for row in events(tmp_path, text.encode(encoding))[1]] == [3]


PIECES = st.sampled_from([
    "2024-02-05T10:00:07Z ", "Feb  5 10:00:07 web1 java[1]: ", "web-1  | ", '{"log":"', '"time":1707127207345}', "\\n", "\tat a.B(C.java:1)",
    "Caused by: ", "JedisConnectionException: ", "Traceback (most recent call last):", "redis", "timed out", "10:00:07 ", "05/02/2024 10:00:07 PM",
    "99/99/9999 99:99:99", "1" * 19, "@4" + "f" * 23, "2024년 13월 5일 오전 10:00:07", '{"message":{"a":[]}}', "\x1b[3", "\x00", "'", "<11>1 - - - - - - ",
])  # fmt: skip


@pytest.mark.process
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(st.lists(st.lists(st.one_of(PIECES, st.text(max_size=6)), max_size=6).map("".join), max_size=12))
def test_no_mixture_of_prefixes_times_and_objects_breaks_it(tmp_path, lines) -> None:
    log, rows = events(tmp_path, "2024-02-05 10:00:00 JedisDataException\n" + "\n".join(lines))
    assert sum(row[2] for row in rows) == log.events >= 1


def test_progress_names_each_log_and_the_share_that_was_read_before(tmp_path: Path) -> None:
    logs = [tmp_path / "a.log", tmp_path / "b.log"]
    for log in logs:
        log.write_text(SPRING_BOOT)
    told: list[tuple[str, float | None]] = []
    with blank_case() as case:
        read(case, [str(log) for log in logs], progress=lambda stage, share: told.append((stage, share)))
    length = size(logs[0].stat().st_size)
    named = [
        f"reading application logs: a.log ({length}), 1 of 2",
        f"reading application logs: b.log ({length}), 2 of 2",
    ]
    assert list(dict.fromkeys(stage for stage, _ in told)) == named
    assert [next(share for stage, share in told if stage == name) for name in named] == [0.0, 0.5]


def test_progress_within_one_log_never_falls_and_comes_near_its_end(tmp_path: Path) -> None:
    log = tmp_path / "a.log"
    log.write_text(SPRING_BOOT)
    told: list[tuple[str, float | None]] = []
    with blank_case() as case:
        read(case, [str(log)], progress=lambda stage, share: told.append((stage, share)))
    shares = [share for _, share in told if share is not None]
    assert {stage for stage, _ in told} == {f"reading application logs: a.log ({size(log.stat().st_size)}), 1 of 1"}
    assert shares[0] == 0.0
    assert len(shares) == len(told) >= 3
    assert shares == sorted(set(shares))
    assert 0.8 < shares[-1] <= 1.0
