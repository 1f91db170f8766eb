from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.model.probe import Probe, UpstreamPort
from necropsy.probes.nginx.backends import NginxMap, read_nginx
from necropsy.probes.visibility import RequestQuestion, fires_after, location, logs

PROBE = Probe("prometheus/a", "blackbox-http", "GET", "http://10.0.0.1:80/", "10.0.0.1", 80, "/", 10.0)
PROXY = UpstreamPort("*", 80, "proxy", "live", access_log="default.log")
NAMED = UpstreamPort("*", 80, "proxy", "live", access_log="admin.log", server_names=("admin.example.com",))


@pytest.mark.parametrize(
    ("probe", "backends", "expected"),
    [
        (PROBE, [], None),
        (PROBE, [UpstreamPort("127.0.0.1", 80, "upstream", "live")], None),
        (PROBE, [PROXY, NAMED], ("default.log",)),
        (replace(PROBE, host="admin.example.com"), [PROXY, NAMED], ("admin.log",)),
        (PROBE, [replace(PROXY, access_log=None), NAMED], ()),
        (replace(PROBE, port=8080), [PROXY], ()),
        (PROBE, [replace(PROXY, address="127.0.0.1")], ()),
        (replace(PROBE, host="localhost"), [replace(PROXY, address="127.0.0.1")], ("default.log",)),
        (replace(PROBE, url="tcp://10.0.0.1:80"), [PROXY], ()),
    ],
)
def test_the_log_that_shows_a_probe_is_that_of_the_server_that_answers_it(
    probe: Probe, backends: list[UpstreamPort], expected: tuple[str, ...] | None
) -> None:
    assert logs(probe, backends) == expected


@given(
    st.floats(0, 9.999),
    st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_a_probe_fires_within_one_period_at_its_phase(phase_s: float, moment: datetime) -> None:
    fires = fires_after(replace(PROBE, phase_s=phase_s), moment)
    assert fires is not None
    assert -0.001 <= (fires - moment).total_seconds() <= 10.001
    off = (fires.timestamp() - phase_s) % 10
    assert min(off, 10 - off) < 0.001


def test_without_a_phase_nobody_knows_when() -> None:
    assert fires_after(PROBE, datetime(2019, 5, 24, tzinfo=UTC)) is None


@pytest.mark.parametrize(
    ("question", "hit"),
    [
        ("http://10.0.0.1/", "asks"),
        ("10.0.0.1", "asks"),
        ("10.0.0.1:80", "asks"),
        ("10.0.0.1:8080", ""),
        ("https://10.0.0.1/", ""),
        ("/", "asks"),
        ("/login", "redirected"),
        ("http://10.0.0.1/login?x=1", "redirected"),
        ("http://user:secret@10.0.0.1/", "asks"),
        ("10.0.0.2", ""),
        ("http://10.0.0.1/login?to=http://10.0.0.2/", "redirected"),
        ("10.0.0.1?to=http://10.0.0.2/", "redirected"),
        ("[::1]:80", ""),
    ],
)
def test_a_question_is_answered_by_what_it_names(question: str, hit: str) -> None:
    assert RequestQuestion.of(question).hit_by(PROBE) == hit


def test_a_probe_that_follows_no_redirect_stays_where_it_is() -> None:
    assert RequestQuestion.of("/login").hit_by(replace(PROBE, follows_redirects=False)) == ""


def test_a_name_is_reached_through_the_proxy_that_answers_it() -> None:
    assert RequestQuestion.of("https://admin.example.com/login").hit_by(PROBE, [NAMED]) == "redirected"
    assert RequestQuestion.of("https://admin.example.com/login").hit_by(PROBE, [PROXY]) == ""


def two_hosts() -> NginxMap:
    text = (
        "events {{}} http {{ upstream app {{ server 127.0.0.1:8080; server 127.0.0.1:8081 down; }} server {{ listen 80;"
    )
    text += " server_name {} shop.example localhost; location / {{ proxy_pass http://app; }} }} }}"
    return read_nginx({f"{name}/nginx.conf": text.format(f"10.0.0.{name[-1]}") for name in ("web1", "web2")})


@pytest.mark.parametrize(
    ("question", "host", "hit"),
    [
        ("http://10.0.0.2:80/", "10.0.0.1", ""),
        ("http://10.0.0.2:80/", "10.0.0.2", "asks"),
        ("http://10.0.0.2:8080/", "10.0.0.2", "proxied"),
        ("http://10.0.0.2:8080/", "10.0.0.1", ""),
        ("http://10.0.0.2:8081/", "10.0.0.2", ""),
        ("http://shop.example/", "10.0.0.1", "asks"),
        ("http://shop.example/", "10.0.0.3", ""),
    ],
)
def test_several_nginx_are_several_hosts(question: str, host: str, hit: str) -> None:
    probe = replace(PROBE, host=host, url=f"http://{host}/", path="/", port=80)
    assert RequestQuestion.of(question).hit_by(probe, two_hosts().backends) == hit


def test_a_probe_is_served_by_the_nginx_of_its_own_host() -> None:
    found = two_hosts()
    for host, file in (("10.0.0.1", "web1"), ("10.0.0.2", "web2")):
        served = location(replace(PROBE, host=host, path="/", port=80), found.servers)
        assert served is not None
        assert served.origin.file == f"{file}/nginx.conf"
    elsewhere = replace(PROBE, host="10.0.0.9", path="/", port=80)
    assert location(elsewhere, found.servers) is None
    assert logs(elsewhere, found.backends, found.servers) == ()


@given(st.text(max_size=40))
def test_any_text_is_a_question(text: str) -> None:
    assert RequestQuestion.of(text).hit_by(PROBE, [NAMED]) in ("asks", "redirected", "")


NGINX = """
http {
    access_log main.log;
    server {
        listen 80;
        location / { proxy_pass http://127.0.0.1:8080; }
        location = /health { access_log off; proxy_pass http://127.0.0.1:8080; }
        location ~ ^/api/ { access_log api.log; access_log all.log; }
    }
    server { listen 80; server_name other.example.com; access_log other.log; }
}
"""


@pytest.mark.parametrize(
    ("path", "host", "expected", "place"),
    [
        ("/", "10.0.0.1", ("main.log",), "/"),
        ("/health", "10.0.0.1", (), "/health"),
        ("/health?full=1", "10.0.0.1", (), "/health"),
        ("/api/v1%2Fx", "10.0.0.1", ("api.log", "all.log"), "^/api/"),
        ("/health", "other.example.com", ("other.log",), ""),
    ],
)
def test_the_location_that_serves_a_path_decides_which_log_shows_it(
    path: str, host: str, expected: tuple[str, ...], place: str
) -> None:
    read = read_nginx({"nginx.conf": NGINX})
    probe = replace(PROBE, path=path, host=host)
    assert logs(probe, read.backends, read.servers) == expected
    served = location(probe, read.servers)
    assert served is not None
    assert served.pattern == place


def test_a_port_that_nobody_listens_on_is_served_by_nobody() -> None:
    read = read_nginx({"nginx.conf": NGINX})
    probe = replace(PROBE, port=8080)
    assert location(probe, read.servers) is None
    assert logs(probe, read.backends, read.servers) == ()
