"""Layouts: what a line means, told from the first lines."""

from __future__ import annotations

import gzip
from dataclasses import dataclass, field
from datetime import UTC, datetime

import pytest

from necropsy.evidence.access_log.formats.given import name_keys
from necropsy.model.evidence import Origin

pytestmark = pytest.mark.process

COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)
LINE = '203.0.113.9 - - [24/May/2019:20:41:34 +0200] "GET /login?next=%2F HTTP/1.1" 302 1769 "-" "curl/8.5.0"'
WHAT = "client, user_agent, host, method, path, status, first_at"
AT = datetime(2019, 5, 24, 18, 41, 34)  # noqa: DTZ001 -- the case keeps UTC without zone


@dataclass(frozen=True)
class Format:
    name: str
    text: str
    escape: str = "default"
    origin: Origin | None = field(default_factory=lambda: Origin("nginx.conf", 12))


@pytest.mark.parametrize(
    ("note", "text", "client", "host"),
    [
        ("combined", LINE, "203.0.113.9", ""),
        ("combined, X-Forwarded-For last", LINE + ' "198.51.100.7, 10.0.0.2"', "198.51.100.7", ""),
        ("combined, X-Forwarded-For last", LINE + ' "-"', "203.0.113.9", ""),
        ("combined, host first", "shop.example:443 " + LINE, "203.0.113.9", "shop.example:443"),
        (
            "Kubernetes ingress-nginx",
            LINE + " 417 0.012 [shop-web-80] [] 10.2.0.7:8080 1769 0.012 302 5c1b2e8d9f",
            "203.0.113.9",
            "",
        ),
        ("combined, with more after it", LINE + " 0.012 .", "203.0.113.9", ""),
    ],
)
def test_relatives_of_combined_are_told_apart(reading, note, text, client, host) -> None:
    read = reading(f"{text}\n" * 3)
    assert read.log.sources[0].note == note
    assert read.one(WHAT) == (client, "curl/8.5.0", host, "GET", "/login", 302, AT)


@pytest.mark.parametrize(
    ("note", "before", "behind"),
    [
        ("combined, X-Forwarded-For as client", "", ""),
        ("combined, host first, X-Forwarded-For as client", "shop.example ", ""),
        ("combined, X-Forwarded-For as client", "shop> ", ""),
        ("combined, X-Forwarded-For as client", "web-1  | ", ""),
        ("combined, X-Forwarded-For last", "", ' "198.51.100.7, 10.0.0.2"'),
    ],
)
@pytest.mark.parametrize("proxies", [", 10.0.0.1, 10.0.0.2", ",10.0.0.1", ", 2001:db8::7"])
def test_of_a_list_of_addresses_the_first_is_the_client(reading, note, before, behind, proxies) -> None:
    listed = f"{before}198.51.100.7{'' if behind else proxies} - - {LINE.partition(' - - ')[2]}{behind}\n"
    without_proxy = listed.replace(proxies, "")
    read = reading(listed + without_proxy + listed)
    assert read.log.sources[0].note == note
    assert read.classes("client, visits") == [("198.51.100.7", 3)]


def test_a_request_without_x_forwarded_for_is_of_nobody_who_is_known(reading) -> None:
    read = reading(
        LINE.replace("203.0.113.9", "198.51.100.7, 10.0.0.1") + "\n" + LINE.replace("203.0.113.9", "-") + "\n"
    )
    assert sorted(read.classes("client, visits")) == [("", 1), ("198.51.100.7", 1)]


def test_common_has_no_user_agent(reading) -> None:
    read = reading('203.0.113.9 - frank [24/May/2019:18:41:34 +0000] "GET /a HTTP/1.0" 200 2326\n')
    assert read.log.sources[0].note == "common"
    assert read.one(WHAT) == ("203.0.113.9", "", "", "GET", "/a", 200, AT)


def test_a_user_name_with_spaces_moves_nothing(reading) -> None:
    read = reading(LINE.replace("- - [", "- John Q. Public [") + "\n")
    assert read.one(WHAT) == ("203.0.113.9", "curl/8.5.0", "", "GET", "/login", 302, AT)


def test_caddy_is_json_with_nested_keys(reading) -> None:
    line = (
        '{"level":"info","ts":1558723294.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"203.0.113.9",'
        '"remote_port":"41342","proto":"HTTP/2.0","method":"GET","host":"shop.example","uri":"/login?next=/","headers":'
        '{"User-Agent":["curl/8.5.0"],"Referer":["https://shop.example/"]}},"bytes_read":0,"duration":0.5,"size":1769,"status":302}\n'
    )
    read = reading(line)
    assert read.log.sources[0].note == (
        "JSON: time=ts, client=request.remote_ip, method=request.method, target=request.uri, host=request.host, status=status,"
        " user agent=request.headers.User-Agent[0], referer=request.headers.Referer[0]"
    )
    # The line is written when the request ends; half a second earlier it began.
    assert read.one(WHAT) == ("203.0.113.9", "curl/8.5.0", "shop.example", "GET", "/login", 302, AT)


def test_traefik_is_json_with_keys_of_its_own(reading) -> None:
    line = (
        '{"ClientAddr":"203.0.113.9:41342","ClientHost":"203.0.113.9","ClientPort":"41342","DownstreamStatus":302,"Duration":1234567,'
        '"RequestAddr":"shop.example","RequestHost":"shop.example","RequestMethod":"GET","RequestPath":"/login?x=1","RequestProtocol":'
        '"HTTP/1.1","StartUTC":"2019-05-24T18:41:34.000000001Z","request_User-Agent":"curl/8.5.0","level":"info","msg":"","time":'
        '"2019-05-24T18:41:35Z"}\n'
    )
    assert reading(line).one(WHAT) == ("203.0.113.9", "curl/8.5.0", "shop.example", "GET", "/login", 302, AT)


def test_values_alone_tell_no_client_and_no_program_and_it_is_said(reading) -> None:
    line = '{"a":"2019-05-24T18:41:34Z","b":"GET /login?x=1 HTTP/1.1","c":302,"d":"203.0.113.9","e":"curl/8.5.0"}\n'
    read = reading(line)
    assert read.log.sources[0].note == (
        "JSON: time=a, request=b, status=c; no known key has the client and user agent: name the keys by"
        " --field client=KEY --field agent=KEY (other keys: d, e)"
    )
    assert read.one(WHAT) == ("", "", "", "GET", "/login", 302, AT)


def test_keys_that_are_named_by_the_option_are_believed(reading) -> None:
    line = '{"a":"2019-05-24T18:41:34Z","b":"GET /login?x=1 HTTP/1.1","c":302,"d":"203.0.113.9","e":"curl/8.5.0"}\n'
    read = reading(line, log_formats=name_keys(["client=d", "agent=e"]))
    assert read.one(WHAT) == ("203.0.113.9", "curl/8.5.0", "", "GET", "/login", 302, AT)


@pytest.mark.parametrize(
    "stamp",
    [
        '"2019-05-24T20:41:34+02:00"',
        '"24/May/2019:18:41:34 +0000"',
        "1558723294",
        "1558723294000",
        '"1558723294.000"',
        "1558723294000000",
    ],
)
def test_all_forms_of_time_are_the_same_time(reading, stamp) -> None:
    assert reading(f'{{"time":{stamp},"request":"GET / HTTP/1.1","status":200}}\n').one("first_at") == (AT,)


def test_a_time_without_zone_is_read_as_utc_and_said(reading) -> None:
    read = reading('{"time":"2019-05-24 18:41:34","request":"GET / HTTP/1.1","status":200}\n')
    assert read.one("first_at") == (AT,)
    assert read.log.sources[0].note.endswith("times without a zone, read as UTC")


def test_a_given_log_format_is_named_with_the_line_that_it_stands_in(reading) -> None:
    form = Format(
        "main", '$http_host "$request" $status rt=$request_time [$time_iso8601] "$http_user_agent" $http_x_real_ip'
    )
    read = reading(
        'shop.example "GET /login?a=1 HTTP/1.1" 302 rt=0.012 [2019-05-24T18:41:34+00:00] "curl/8.5.0" 203.0.113.9\n',
        log_formats=[Format("other", "$status $time_local $request"), form],
    )
    assert read.log.sources[0].note == "log_format main from nginx.conf:12"
    assert read.one(WHAT) == ("203.0.113.9", "curl/8.5.0", "shop.example", "GET", "/login", 302, AT)


def test_a_given_json_format_means_what_its_variables_mean(reading) -> None:
    text = '{"w": "$time_iso8601", "x":"$request_method", "y": "$request_uri", "z": $status, "u":"$http_user_agent", "v":"$host", "c":"$remote_addr"}'
    line = '{"w": "2019-05-24T18:41:34+00:00", "x":"GET", "y": "/login?a=1", "z": 302, "u":"curl/8.5.0", "v":"shop.example", "c":"203.0.113.9"}\n'
    read = reading(line, log_formats=[Format("js", text, "json")])
    assert read.log.sources[0].note.startswith(
        "log_format js from nginx.conf:12, JSON: time=w, method=x, target=y, status=z"
    )
    assert read.one(WHAT) == ("203.0.113.9", "curl/8.5.0", "shop.example", "GET", "/login", 302, AT)


def test_milliseconds_and_the_time_of_the_request_give_its_true_start(reading) -> None:
    form = Format("fine", '$remote_addr [$msec] "$request" $status $request_time "$http_user_agent"')
    read = reading('203.0.113.9 [1558723294.250] "GET / HTTP/1.1" 200 0.250 "curl/8.5.0"\n', log_formats=[form])
    assert read.one("first_at") == (AT,)


def test_a_format_whose_variables_touch_is_passed_over(reading) -> None:
    read = reading(LINE + "\n", log_formats=[Format("bad", "$remote_addr$status [$time_local] $request")])
    assert read.log.sources[0].note == "combined"


def test_a_format_without_escaping_is_read_by_expression(reading) -> None:
    form = Format("raw", COMBINED, "none")
    read = reading(LINE + "\n", log_formats=[form])
    assert read.log.sources[0].note == "log_format raw from nginx.conf:12"
    assert read.one(WHAT) == ("203.0.113.9", "curl/8.5.0", "", "GET", "/login", 302, AT)


def test_a_file_of_another_kind_is_absent_with_the_next_step(reading) -> None:
    log = reading("Dear all,\n\nplease find attached\n").log
    assert (log.sources, log.requests, log.first_at) == ([], 0, None)
    assert log.absent[0].hint.startswith("Give it by --log-format")


def test_a_missing_file_is_absent_and_the_others_are_read(reading, tmp_path) -> None:
    (tmp_path / "there.log").write_text(LINE + "\n")
    log = reading([tmp_path / "missing.log", tmp_path / "there.log", tmp_path]).log
    assert log.requests == 1
    assert [absent.reason.rpartition(": ")[2] for absent in log.absent] == ["no such file", "is a folder"]
    assert log.last_at == AT.replace(tzinfo=UTC)


ENVOY = (
    '[2019-05-24T18:41:34.000Z] "GET /login?x=1 HTTP/1.1" 302 - 0 1769 12 11 "203.0.113.9" "curl/8.5.0" "5c1b2e8d-9f" "shop.example"'
    ' "10.2.0.7:8080"'
)
BALANCER = (
    "h2 2019-05-24T18:41:34.000000Z app/web/50dc6c495c0c9188 203.0.113.9:2817 10.0.0.1:80 0.000 0.001 0.000 302 302 34 366"
    ' "GET https://shop.example:443/login?x=1 HTTP/2.0" "curl/8.5.0" ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 arn:aws:x "Root=1-5" "-" "-" 0'
)
CLOUDFRONT = (
    "#Version: 1.0\n"
    "#Fields: date time x-edge-location c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query\n"
    "2019-05-24\t18:41:34\tFRA2\t203.0.113.9\tGET\tshop.example\t/login\t302\t-\tcurl/8.5.0\tx=1"
)
IIS = "#Fields: date time cs-method cs-uri-stem c-ip cs(User-Agent) sc-status\n2019-05-24 18:41:34 GET /login 203.0.113.9 curl/8.5.0 302"
DOCKER = '{"log":"' + LINE.replace('"', '\\"') + '\\n","stream":"stdout","time":"2019-05-24T18:41:34.25Z"}'


@pytest.mark.parametrize(
    ("note", "text", "host"),
    [
        ("Envoy", ENVOY, "shop.example"),
        ("application load balancer", BALANCER, ""),
        ("W3C extended", CLOUDFRONT, "shop.example"),
        ("W3C extended", IIS, ""),
        ("combined", DOCKER, ""),
        ("combined", "2019-05-24T18:41:34.250000000Z stdout F " + LINE, ""),
    ],
    ids=["envoy", "balancer", "cloudfront", "iis", "docker", "kubernetes"],
)
def test_logs_of_others_are_read(reading, note, text, host) -> None:
    read = reading(text + "\n")
    assert read.log.sources[0].note.startswith(note)
    assert read.one(WHAT) == ("203.0.113.9", "curl/8.5.0", host, "GET", "/login", 302, AT)
    assert read.log.blemishes == []


def test_a_damaged_line_inside_a_wrapper_keeps_its_number(reading) -> None:
    log = reading(f'{DOCKER}\n{{"log":"rubbish\\n","stream":"stdout"}}\n{DOCKER}\n').log
    assert log.requests == 2
    assert [(b.place, b.count) for b in log.blemishes] == [(2, 1)]


@pytest.mark.parametrize(
    "decoy",
    ['"request_id":"5c1b2e8d9f"', '"port":35595', '"version":"8.1.0"', '"size":"5120"', '"upstream":"10.0.0.1:8080"', '"id":"::"',
     '"client":"mobile-app"', '"log":{"file":{"path":"/var/log/x"}}', '"agent":{"type":"filebeat","version":"8.1.0"}', '"server":{"ip":"10.0.0.9"}'],
)  # fmt: skip
def test_what_only_looks_like_a_client_or_a_target_is_neither(reading, decoy) -> None:
    line = '{"time":"2019-05-24T18:41:34Z","request":"GET /login HTTP/1.1","status":302,' + decoy + "}\n"
    assert reading(line * 3).one(WHAT) == ("", "", "", "GET", "/login", 302, AT)


def test_a_format_that_fits_no_line_is_said_to_fit_none_and_where(reading) -> None:
    wrong = Format("--log-format", '$remote_addr [$time_iso8601] "$request"', origin=None)
    log = reading(LINE + "\n", log_formats=[wrong]).log
    assert log.sources[0].note.startswith("combined; --log-format fits no line: behind $remote_addr it expects ")
    log = reading("Dear all,\n", log_formats=[wrong]).log
    assert log.absent[0].reason.startswith("--log-format fits no line: ")


def test_keys_that_mean_nothing_are_listed_with_the_option_that_names_them(reading) -> None:
    line = '{"wann":"2019-05-24T18:41:34Z","was":"/login","wer":"203.0.113.9"}\n'
    absent = reading(line).log.absent[0]
    assert absent.reason == "JSON, but no known key has the requested path (keys: wann, was, wer)"
    assert "--field target=KEY" in absent.hint
    read = reading(line, log_formats=name_keys(["target=was", "client=wer"]))
    assert read.one(WHAT) == ("203.0.113.9", "", "", "GET", "/login", None, AT)


@pytest.mark.parametrize(
    ("time", "at"),
    [
        ("24.05.2019 18:41:34", AT),
        ("24.05.2019 18:41:34,250", AT.replace(microsecond=250_000)),
        ("24.05.2019, 18:41:34", AT),
        ("24.05.2019 20:41:34 +02:00", AT),
        ("24.05.2019T18:41:34.5Z", AT.replace(microsecond=500_000)),
    ],
)
def test_dates_with_full_stops_have_their_day_first(reading, time, at) -> None:
    line = f'{{"ts":"{time}","client_ip":"203.0.113.9","request":"GET /login HTTP/1.1","status":302}}\n'
    assert reading(line * 3).one(WHAT) == ("203.0.113.9", "", "", "GET", "/login", 302, at)


@pytest.mark.parametrize(
    ("time", "shape"),
    [
        ("05/24/2019 06:41:34 PM", "99/99/9999 99:99:99 xx"),
        ("24. Mai 2019 18:41:34", "99. xxx 9999 99:99:99"),
        ("18:41:34", "99:99:99"),
    ],
)
def test_a_time_in_an_unknown_form_is_said_to_be_that_and_not_to_be_missing(reading, time, shape) -> None:
    line = f'{{"zeit":"{time}","client_ip":"203.0.113.9","request":"GET /login HTTP/1.1","status":302}}\n'
    assert "no known key has the time" in reading(line).log.absent[0].reason
    for text, formats in ((line.replace("zeit", "datetime"), []), (line, name_keys(["time=zeit"]))):
        reason = reading(text, log_formats=formats).log.absent[0].reason
        assert reason.startswith("JSON, but the times of its key ")
        assert reason.endswith(f" are in a form that is not known: {shape}")


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ('2024/02/05 10:00:07 [error] 7#7: *9 access forbidden by rule, client: 203.0.113.9, request: "GET / HTTP/1.1"', "nginx's error log"),
        ("[Mon Feb 05 10:00:07.345678 2024] [proxy:error] [pid 42] AH00898: Error reading from remote server", "Apache's error log"),
        ("Feb  5 10:00:07 lb haproxy[9]: Connect from 203.0.113.9:55262 to 192.0.2.102:80 (http/HTTP)", "HAProxy's log of connections"),
    ],
)  # fmt: skip
def test_another_log_is_called_what_it_is(reading, line, what) -> None:
    (absent,) = reading(f"{line}\n" * 3).log.absent
    assert what in absent.reason
    assert "--log-format" not in absent.hint


@pytest.mark.parametrize(
    "line",
    [
        '{"time":"2023-08-28T18:22:44+03:00","host":shop.example,"uri":"/"}',
        '{"time":"2023-08-28T18:22:44+03:00","uri":"/","agent":"\t',
        "{'time': '2023-08-28T18:22:44+03:00', 'uri': '/'}",
    ],
    ids=["a value without quotes", "cut", "Python's own quotes"],
)
def test_lines_that_are_nearly_json_are_called_that_with_the_place(reading, line) -> None:
    (absent,) = reading(f"{line}\n".replace('"\t\n', '\x01"}\n') * 3).log.absent
    assert "look like JSON and are not: line 1 is damaged at character" in absent.reason


@pytest.mark.parametrize("tail", ["TLSv1.3 TLS_AES_256_GCM_SHA384 ", "", "shop.example 12 - "])
def test_haproxy_may_write_more_before_the_request(reading, tail) -> None:
    line = (
        "203.0.113.9:2842 [24/May/2019:18:41:34.000] www~ app/one 0/0/1/6/7 302 649 - - ---- 3/3/2/0/0 0/0"
        f' {{shop.example|curl/8.5.0}} {tail}"GET /login HTTP/1.1"\n'
    )
    assert reading(line * 3).one(WHAT) == ("203.0.113.9", "curl/8.5.0", "shop.example", "GET", "/login", 302, AT)


def test_a_duration_is_not_called_a_time_in_an_unknown_form(reading) -> None:
    line = '{"request_time":"0.010","client_ip":"203.0.113.9","request":"GET /login HTTP/1.1","status":302}\n'
    assert "no known key has the time" in reading(line).log.absent[0].reason


def test_the_host_of_cloudfront_is_the_one_that_was_asked_for(reading) -> None:
    line = (
        "2019-05-24\t18:41:34\tLHR62-P1\t1045\t203.0.113.9\tGET\td222xyz.cloudfront.net\t/login\t302\t-\tcurl/8.5.0\t-\t-"
        "\tMiss\tAbC-9_==\twww.example.org\thttps\t310\t0.002\n"
    )
    assert reading(line * 3).one(WHAT) == ("203.0.113.9", "curl/8.5.0", "www.example.org", "GET", "/login", 302, AT)


def test_host_beside_vhost_is_the_client_as_ltsv_has_it(reading) -> None:
    line = "time:24/May/2019:18:41:34 +0000\thost:203.0.113.9\tmethod:GET\turi:/login\tstatus:302\tua:curl/8.5.0\tvhost:www.example.org\n"
    assert reading(line * 3).one(WHAT) == ("203.0.113.9", "curl/8.5.0", "www.example.org", "GET", "/login", 302, AT)


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace("/login", r"/caf\xC3\xA9").replace("curl/8.5.0", r"caf\xc3\xa9/1"),
        '{"time":"2019-05-24T18:41:34Z","remote_addr":"203.0.113.9","request":"GET /café HTTP/1.1","status":302,"http_user_agent":"café/1"}',
        r'{"time":"2019-05-24T18:41:34Z","remote_addr":"::ffff:203.0.113.9","request":"GET /caf\xC3\xA9 HTTP/1.1","status":302,"http_user_agent":"caf\xC3\xA9/1"}',
        LINE.replace("/login", "/café").replace("curl/8.5.0", "café/1").replace("203.0.113.9", "::ffff:203.0.113.9"),
    ],
    ids=["escaped", "JSON", "escaped JSON", "as it is"],
)
def test_letters_beyond_ascii_are_the_same_however_they_were_escaped(reading, line) -> None:
    assert reading(f"{line}\n" * 2).one(WHAT) == ("203.0.113.9", "café/1", "", "GET", "/*", 302, AT)


def test_bytes_that_are_no_letters_stay_as_they_were_escaped(reading) -> None:
    line = LINE.replace("curl/8.5.0", r"a\xC3 \x22b\x22 100%41")
    assert reading(f"{line}\n").one("user_agent") == (r"a\xC3 \x22b\x22 100%41",)


def test_how_far_the_reading_is_comes_with_file_bytes_and_share(reading) -> None:
    said: list[tuple[str, float | None]] = []
    reading(
        {"access.log.1": f"{LINE}\n" * 30_000, "access.log": f"{LINE}\n" * 10_000},
        progress=lambda stage, share: said.append((stage, share)),
    )
    shares = [share for _, share in said]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0, abs=0.01)
    assert said[0][0].startswith("reading access.log")
    assert " of " in said[0][0]


def test_of_a_packed_log_it_is_said_how_much_was_unpacked(reading) -> None:
    said: list[tuple[str, float | None]] = []
    reading({"access.log.gz": gzip.compress(f"{LINE}\n".encode() * 10_000)}, progress=lambda *told: said.append(told))
    assert said[-1][0].endswith(" unpacked")
    assert said[-1][1] is None
