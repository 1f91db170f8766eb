"""Times of application logs: many producers and languages, each read to the second."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from evidence.app_log.reading import events

AT = datetime(2024, 2, 5, 10, 0, 7)  # noqa: DTZ001 -- the case's times are UTC, and say so nowhere
ERROR = "io.lettuce.core.RedisCommandTimeoutException: Command timed out"

FORMS = {
    "ISO 8601": f"2024-02-05T10:00:07.345Z ERROR {ERROR}",
    "ISO 8601 with a zone": f"2024-02-05T18:00:07.345+08:00 ERROR {ERROR}",
    "Logback with a comma": f"2024-02-05 10:00:07,345 ERROR [main] a.B - {ERROR}",
    "Logback in brackets": f"[2024-02-05 10:00:07.345] [ERROR] {ERROR}",
    "nginx and Go": f"2024/02/05 10:00:07 {ERROR}",
    "basic format": f"20240205T100007.345Z ERROR {ERROR}",
    "basic format with a blank": f"20240205 10:00:07 ERROR {ERROR}",
    "one digit": f"2024-2-5 10:00:07 ERROR {ERROR}",
    "Apache's error log": f"[Mon Feb 05 10:00:07.345678 2024] [php:error] [pid 42] {ERROR}",
    "date(1)": f"Mon Feb  5 10:00:07 UTC 2024 ERROR {ERROR}",
    "PHP": f"[05-Feb-2024 10:00:07 UTC] PHP Fatal error: {ERROR}",
    "Tomcat": f"05-Feb-2024 10:00:07.345 SEVERE [http-nio-8080-exec-3] {ERROR}",
    "Tomcat in French": f"05-févr.-2024 10:00:07.345 GRAVE [http-nio-8080-exec-3] {ERROR}",
    "Tomcat in Chinese": f"05-2月-2024 10:00:07.345 严重 [http-nio-8080-exec-3] {ERROR}",
    "Tomcat in Chinese, Java 8": f"05-二月-2024 10:00:07.345 严重 [http-nio-8080-exec-3] {ERROR}",
    "Tomcat in Russian": f"05-февр.-2024 10:00:07.345 SEVERE [http-nio-8080-exec-3] {ERROR}",
    "java.util.logging": f"Feb 05, 2024 10:00:07 AM a.B c\nSEVERE: {ERROR}",
    "java.util.logging in the evening": f"Feb 05, 2024 10:00:07 PM a.B c\nSEVERE: {ERROR}",
    "java.util.logging, Java 20": f"Feb 5, 2024, 10:00:07\u202fAM a.B c\nSEVERE: {ERROR}",
    "java.util.logging in Chinese": f"二月 05, 2024 10:00:07 上午 a.B c\n严重: {ERROR}",
    "java.util.logging in Korean": f"2월 05, 2024 10:00:07 오전 a.B c\n심각: {ERROR}",
    "java.util.logging in Spanish": f"feb. 05, 2024 10:00:07 A. M. a.B c\nGRAVE: {ERROR}",
    "Chinese": f"2024年02月05日 10:00:07 错误 {ERROR}",
    "Chinese with hours in words": f"2024年2月5日 上午10时00分07秒 错误 {ERROR}",
    "Japanese": f"2024年2月5日 10時00分07秒 エラー {ERROR}",
    "Korean": f"2024년 2월 5일 오전 10:00:07 오류 {ERROR}",
    "Korean with full stops": f"2024. 2. 5. 오전 10:00:07 오류 {ERROR}",
    "German": f"05.02.2024 10:00:07 FEHLER {ERROR}",
    "German in words": f"5. Februar 2024 10:00:07 FEHLER {ERROR}",
    "Portuguese in words": f"5 de fevereiro de 2024 10:00:07 ERRO {ERROR}",
    "American": f"2/5/2024 10:00:07 AM ERROR {ERROR}",
    "British, told by the second day": f"13/02/2024 10:00:07 INFO up\n05/02/2024 10:00:07 ERROR {ERROR}",
    "Spark": f"24/02/05 10:00:07 ERROR Executor: {ERROR}",
    "RFC 2822": f"Mon, 05 Feb 2024 10:00:07 GMT error: {ERROR}",
    "log4j's DATE": f"05 Feb 2024 10:00:07,345 ERROR {ERROR}",
    "Oracle": f"05-Feb-24 10:00:07 ERROR {ERROR}",
    "access log's": f"[05/Feb/2024:12:00:07 +0200] error {ERROR}",
    "Ruby's Logger": f"E, [2024-02-05T10:00:07.345678 #4242] ERROR -- : {ERROR}",
    "seconds": f"1707127207.345 ERROR {ERROR}",
    "milliseconds": f"[1707127207345] ERROR {ERROR}",
    "time last": f"ERROR {ERROR} [2024-02-05 10:00:07]",
    "time far behind": f"ERROR {'x' * 200} {ERROR} at 2024-02-05T10:00:07Z",
    "TAI64N": f"@4000000065c0b1b11234abcd {ERROR}",
    "JSON, time last": f'{{"level":"error","stack":"{ERROR}\\n\\tat a.B","padding":"{"x" * 300}","time":"2024-02-05T10:00:07Z"}}',
    "JSON, pino": f'{{"level":50,"time":1707127207345,"pid":19,"msg":"{ERROR}"}}',
    "JSON, zap": f'{{"level":"error","ts":1707127207.345,"msg":"{ERROR}"}}',
    "JSON, monolog 1": f'{{"message":"{ERROR}","datetime":{{"date":"2024-02-05 10:00:07.345678","timezone_type":3,"timezone":"UTC"}}}}',
    "JSON, Serilog": f'{{"@t":"2024-02-05T10:00:07.3456789Z","@l":"Error","@x":"{ERROR}"}}',
    "JSON, log4j2": f'{{"instant":{{"epochSecond":1707127207,"nanoOfSecond":345000000}},"level":"ERROR","message":"{ERROR}"}}',
    "JSON, journald": f'{{"__REALTIME_TIMESTAMP":"1707127207345678","MESSAGE":"{ERROR}"}}',
    "year, name, day": f"2024-Feb-05 10:00:07 ERROR {ERROR}",
    "time before the day": f"上午10:00:07 2024年2月5日 {ERROR}",
    "French in words": f"5 février 2024 à 10:00:07 ERREUR {ERROR}",
    "Windows in Korean": f"2024-02-05 오전 10:00:07 {ERROR}",
    "Windows in Chinese": f"2024/2/5 上午 10:00:07 {ERROR}",
    "WebSphere": f"[1/13/24 9:00:00:345 UTC] 0000 A\n[2/5/24 10:00:07:345 UTC] 0000 SystemErr R {ERROR}",
    "java.util.logging in German": f"Feb 05, 2024 10:00:07 VORM. a.B c\nSCHWERWIEGEND: {ERROR}",
    "Java's Date": f"Mon Feb 05 11:00:07 CET 2024 {ERROR}",
    "logfmt": f'level=error msg="{ERROR}" ts=1707127207.345',
    "logfmt with ISO": f'time="2024-02-05T10:00:07Z" level=error msg="{ERROR}"',
}


@pytest.mark.process
@pytest.mark.parametrize("form", FORMS)
def test_a_time_is_read_in_the_form_of(form: str, tmp_path) -> None:
    log, rows = events(tmp_path, FORMS[form])
    hour = 22 if "evening" in form else 10
    assert rows == [(AT.replace(hour=hour, second=0), "RedisCommandTimeoutException", "slow", 1)]
    taken_at = log.sources[0].taken_at
    assert taken_at is not None
    assert taken_at.replace(tzinfo=None, microsecond=0, day=5) == AT.replace(hour=hour)


YEARLESS = {
    "syslog": f"Feb  5 10:00:07 web1 app[7]: {ERROR}",
    "glog": f"E0205 10:00:07.345678 7 client.go:12] {ERROR}",
    "journald, precise": f"Feb 05 10:00:07.345678 web1 app[7]: {ERROR}",
}


@pytest.mark.parametrize("form", YEARLESS)
def test_a_year_is_taken_from_the_file_and_said_so_for(form: str, tmp_path) -> None:
    log, rows = events(tmp_path, YEARLESS[form], written=datetime(2024, 3, 1, tzinfo=UTC))
    assert [row[0] for row in rows] == [AT.replace(second=0)]
    assert "times without a year, taken from the file" in log.sources[0].note


def test_december_before_a_file_of_january_is_of_the_year_before(tmp_path) -> None:
    text = f"Dec 31 23:59:59 web1 app[7]: {ERROR}\nJan  1 00:00:01 web1 app[7]: {ERROR}"
    _, rows = events(tmp_path, text, written=datetime(2024, 1, 1, 1, tzinfo=UTC))
    assert [row[0].year for row in rows] == [2023, 2024]


def test_times_without_a_day_get_that_of_the_file_and_it_is_said(tmp_path) -> None:
    text = f"23:59:58.001 [error] {ERROR}\n00:00:02.001 [error] {ERROR}\n10:00:07.345 [error] {ERROR}"
    log, rows = events(tmp_path, text, written=datetime(2024, 2, 5, 10, 1, tzinfo=UTC))
    assert [str(row[0]) for row in rows] == ["2024-02-04 23:59:00", "2024-02-05 00:00:00", "2024-02-05 10:00:00"]
    assert "its times name no day: 2024-02-05 is taken from the file" in log.sources[0].note


def test_a_stream_gives_times_without_a_day_none(tmp_path, monkeypatch) -> None:
    reading, writing = os.pipe()
    os.write(writing, f"10:00:07.345 [error] {ERROR}\n".encode())
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as stream:
        monkeypatch.setattr("sys.stdin", stream)
        log, rows = events(tmp_path, "", name="-")
    assert [row[0] for row in rows] == [None]
    assert "times without a day, and a stream has none" in log.sources[0].note


def test_an_order_of_day_and_month_that_nothing_shows_is_called_a_guess(tmp_path) -> None:
    log, rows = events(tmp_path, f"02/05/2024 10:00:07 ERROR {ERROR}")
    assert rows[0][0] == AT.replace(second=0)
    assert "dates are read as month/day/year: a guess" in log.sources[0].note


@pytest.mark.parametrize(
    "behind",
    ["connecting to 10.4.8.2:6379 failed", "redis-py 5.0.1: gave up", "peer 192.168.7.11 reset the connection"],
)
def test_an_address_or_a_version_behind_a_date_does_not_tell_its_order(behind: str, tmp_path) -> None:
    log, rows = events(tmp_path, f"2/5/2024 10:00:07 ERROR {ERROR}, {behind}")
    assert rows[0][0] == AT.replace(second=0)
    assert "dates are read as month/day/year: a guess" in log.sources[0].note


def test_halves_of_the_day_do_not_make_an_order_sure(tmp_path) -> None:
    log, _ = events(tmp_path, f"2/5/2024 10:00:07 PM ERROR {ERROR}")
    assert "dates are read as month/day/year: a guess" in log.sources[0].note
    log, _ = events(tmp_path, f"2/13/2024 10:00:07 PM INFO up\n2/5/2024 10:00:07 PM ERROR {ERROR}")
    assert "a guess" not in log.sources[0].note


def test_a_log_is_as_new_as_its_own_times_say_not_as_a_year_assumed_for_its_shipper(tmp_path) -> None:
    text = f"Feb  5 10:00:07 web1 app[7]: 2024-02-05 10:00:07.345 ERROR x\nFeb  5 10:00:07 web1 app[7]: {ERROR}"
    log, rows = events(tmp_path, text, written=datetime(2026, 3, 1, tzinfo=UTC))
    assert [row[0] for row in rows] == [AT.replace(second=0)]
    assert log.sources[0].taken_at is not None
    assert log.sources[0].taken_at.year == 2024


def test_a_time_that_is_not_recognised_is_said_with_its_shape_and_nothing_of_it(tmp_path) -> None:
    log, rows = events(tmp_path, f"stardate 41153.7 hunter2 {ERROR}")
    assert [row[0] for row in rows] == [None]
    assert (
        'no time was recognised; line 1, with x for each letter and 9 for each digit: "xxxxxxxx 99999.9'
        in log.sources[0].note
    )
    assert "hunter" not in log.sources[0].note


def test_a_shippers_time_with_a_zone_is_better_than_the_applications_without(tmp_path) -> None:
    text = f"2024-02-05T10:00:07.345000000Z stdout F 2024-02-05 18:00:07.345 ERROR 6 --- {ERROR}"
    log, rows = events(tmp_path, text)
    assert [row[0] for row in rows] == [AT.replace(second=0)]
    assert "no zone" not in log.sources[0].note


def test_minutes_alone_are_enough_for_a_minute(tmp_path) -> None:
    assert events(tmp_path, f"2024-02-05 10:00 ERROR {ERROR}")[1][0][0] == AT.replace(second=0)
