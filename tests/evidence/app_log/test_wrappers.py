"""Shippers' prefixes and objects: they stamp every line, and an error with its causes still counts once."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from evidence.app_log.reading import events

TIMES = tuple(f"10:{minute:02}:07" for minute in range(12))


def java(stamp: str = "2024-02-05 {} ERROR 6 --- [exec-5] o.a.c.c.C : ") -> list[tuple[str, str]]:
    """Twelve errors of Spring Boot with their stack traces: the time of day and the text of each line."""
    return [
        (time, line)
        for time in TIMES
        for line in (
            stamp.format(time) + "Servlet.service() threw exception",
            "org.springframework.dao.QueryTimeoutException: Redis command timed out; nested exception is io.lettuce.core.RedisCommandTimeoutException: Command timed out",
            "\tat org.springframework.data.redis.connection.lettuce.LettuceExceptionConverter.convert(LettuceExceptionConverter.java:70)",
            "Caused by: io.lettuce.core.RedisCommandTimeoutException: Command timed out after 1 minute(s)",
            "\tat io.lettuce.core.internal.ExceptionFactory.createTimeoutException(ExceptionFactory.java:59)",
            "\t... 44 common frames omitted",
        )
    ]


def python(stamp: str = "[2024-02-05 {},123] ERROR in app: ") -> list[tuple[str, str]]:
    """Twelve errors of Flask with their tracebacks."""
    return [
        (time, line)
        for time in TIMES
        for line in (
            stamp.format(time) + "Exception on / [GET]",
            "Traceback (most recent call last):",
            '  File "/app/redis/connection.py", line 1, in read_response',
            '    raise TimeoutError("Timeout reading from socket")',
            "redis.exceptions.TimeoutError: Timeout reading from socket",
            "",
            "During handling of the above exception, another exception occurred:",
            "",
            "Traceback (most recent call last):",
            '  File "/app/sessions.py", line 9, in open',
            "RuntimeError: redis store failed",
        )
    ]


WRAPPERS: dict[str, Callable[[str, str], str]] = {
    "nothing": lambda time, line: line,
    "CRI": lambda time, line: f"2024-02-05T{time}.345000001Z stdout F {line}",
    "docker's JSON": lambda time, line: json.dumps({"log": line + "\n", "stream": "stderr", "time": f"2024-02-05T{time}.345Z"}),
    "docker logs -t": lambda time, line: f"2024-02-05T{time}.345000001Z {line}",
    "Docker Compose": lambda time, line: f"web-1  | {line}",
    "Docker Compose with times": lambda time, line: f"web-1  | 2024-02-05T{time}.345000001Z {line}",
    "kubectl --prefix": lambda time, line: f"[pod/web-7d9f8c6b5-x2x4z/app] {line}",
    "kubectl --prefix --timestamps": lambda time, line: f"[pod/web-7d9f8c6b5-x2x4z/app] 2024-02-05T{time}.345000001Z {line}",
    "stern": lambda time, line: f"web-7d9f8c6b5-x2x4z app {line}",
    "syslog": lambda time, line: f"Feb  5 {time} web1 java[123]: {line}",
    "syslog with a priority": lambda time, line: f"<11>Feb  5 {time} web1 java[123]: {line}",
    "syslog, RFC 5424": lambda time, line: f'<11>1 2024-02-05T{time}.345Z web1 java 123 - [a@1 b="c]"] {line}',
    "rsyslog": lambda time, line: f"2024-02-05T{time}.345678+00:00 web1 java[123]: {line}",
    "journald": lambda time, line: f"Feb 05 {time} web1 java[123]: {line}",
    "journald, unix": lambda time, line: f"1707127207.345678 web1 java[123]: {line}",
    "journald, JSON": lambda time, line: json.dumps({"__REALTIME_TIMESTAMP": "1707127207345678", "MESSAGE": line}),
    "Heroku": lambda time, line: f"2024-02-05T{time}.345678+00:00 app[web.1]: {line}",
    "Cloud Foundry": lambda time, line: f"   2024-02-05T{time}.34+0000 [APP/PROC/WEB/0] ERR {line}",
    "CloudWatch": lambda time, line: f"2024-02-05T{time}.345000+00:00 web/app/8c1f {line}",
    "Filebeat": lambda time, line: json.dumps({"@timestamp": f"2024-02-05T{time}.345Z", "message": line, "agent": {"type": "filebeat"}}),
    "Cloud Logging": lambda time, line: json.dumps({"textPayload": line, "timestamp": f"2024-02-05T{time}.345Z"}),
    "Fluent Bit": lambda time, line: json.dumps({"date": 1707127207.345, "log": line, "kubernetes": {"pod_name": "web"}}),
    "CRI around JSON": lambda time, line: f"2024-02-05T{time}.345000001Z stdout F " + json.dumps({"message": line, "ts": 1707127207.3}),
    "PM2": lambda time, line: f"0|web  | {line}",
    "Foreman": lambda time, line: f"{time} web.1  | {line}",
    "multilog": lambda time, line: f"@4000000065c0b1b11234abcd {line}",
    "colours": lambda time, line: f"\x1b[36mweb-1  | \x1b[0m{line}",
    "nobody known": lambda time, line: f"2024-02-05T{time}.3Z#web!1# {line}",
}  # fmt: skip


@pytest.mark.process
@pytest.mark.parametrize("name", WRAPPERS)
def test_twelve_errors_of_java_are_twelve_behind(name: str, tmp_path) -> None:
    text = "\n".join(WRAPPERS[name](time, line) for time, line in java())
    rows = events(tmp_path, text)[1]
    assert {row[1:3] for row in rows} == {("RedisCommandTimeoutException", "slow")}
    assert sum(row[3] for row in rows) == 12


@pytest.mark.process
@pytest.mark.parametrize("name", [name for name in WRAPPERS if name != "nobody known"])
def test_twelve_errors_of_python_are_twelve_behind(name: str, tmp_path) -> None:
    text = "\n".join(WRAPPERS[name](time, line) for time, line in python())
    rows = events(tmp_path, text)[1]
    assert {row[1:3] for row in rows} == {("redis.exceptions.TimeoutError", "slow")}
    assert sum(row[3] for row in rows) == 12


@pytest.mark.parametrize("name", ["CRI", "syslog", "Docker Compose", "docker's JSON"])
def test_entries_without_times_of_their_own_are_told_apart_behind(name: str, tmp_path) -> None:
    for lines in (java("ERROR "), python("ERROR:app:")):
        text = "\n".join(WRAPPERS[name](time, line) for time, line in lines)
        assert sum(row[3] for row in events(tmp_path, text)[1]) == 12


def test_lines_of_two_services_between_each_other_are_told_apart(tmp_path) -> None:
    pairs = zip(java(), java(), strict=True)
    text = "\n".join(
        f"{service}  | {line}" for pair in pairs for service, (_, line) in zip(("web-1", "web-2"), pair, strict=True)
    )
    assert sum(row[3] for row in events(tmp_path, text)[1]) == 24


def test_the_shippers_time_stands_in_where_the_application_writes_none(tmp_path) -> None:
    text = "\n".join(WRAPPERS["CRI"](time, line) for time, line in java("ERROR "))
    assert [f"{row[0]:%H:%M}" for row in events(tmp_path, text)[1]] == [time[:5] for time in TIMES]


def test_the_note_names_what_was_taken_off(tmp_path) -> None:
    log, _ = events(tmp_path, "\n".join(WRAPPERS["CRI around JSON"](time, line) for time, line in java()))
    assert "unwrapped from container runtime and JSON" in log.sources[0].note


@pytest.mark.parametrize("level", ["ERROR", "SEVERE", "CRIT", "fail", "FINEST"])
def test_a_column_of_levels_is_no_service(level, tmp_path) -> None:
    text = "\n".join(f"{level} | 2024-02-05 {time} | RedisCommandTimeoutException" for time in TIMES)
    log, rows = events(tmp_path, text)
    assert (sum(row[3] for row in rows), "taken out" in log.sources[0].note) == (12, False)


def test_an_object_that_escapes_half_of_a_surrogate_pair_stops_no_reading(tmp_path) -> None:
    said = [f"2024-02-05 10:00:{second:02d},000 ERROR redis.exceptions.TimeoutError: no answer" for second in range(9)]
    lines = [json.dumps({"log": f"{line}\n", "stream": "stdout"}) for line in said]
    lines.insert(1, json.dumps({"log": "\ud800 and more\n", "stream": "stdout"}))
    assert sum(row[-1] for row in events(tmp_path, "\n".join(lines) + "\n")[1]) == 9
