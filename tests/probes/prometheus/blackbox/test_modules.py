"""The blackbox exporter: modules, first requests, redirects and cookies; then the real exporter against a stub server."""

from __future__ import annotations

import itertools
import random
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import pytest

from necropsy.model.errors import ConfigurationError
from necropsy.probes.http.request import HttpUrl
from necropsy.probes.prometheus.blackbox.modules import (
    HARMLESS,
    Module,
    Modules,
    first_request,
    read_modules,
)
from necropsy.probes.prometheus.blackbox.redirects import MOST_REDIRECTS, Cookie, Hop, RedirectAnswer, follow
from probes import oracle

HTTP = Module("http_2xx", "http")
MODULES = """modules:
  http_2xx:
    prober: http
    timeout: 5s
    http:
      method: GET
      preferred_ip_protocol: ip4
  strict:
    prober: http
    http:
      method: POST
      body: '{}'
      follow_redirects: false
      valid_status_codes: [200, 302]
      headers:
        host: admin.example.com
        User-Agent: Mine/1
        Authorization: Bearer t0psecret
      basic_auth: {username: monitor, password: t0psecret}
  old: {prober: http, http: {no_follow_redirects: true}}
  ping: {prober: icmp}
"""


def asked(target: str, module: Module = HTTP) -> str:
    request = first_request(target, module)
    return request.text if isinstance(request, HttpUrl) else f"refused: {request}"


# -- modules --------------------------------------------------------------------------------------------------------


def test_modules_are_read_with_their_lines_and_without_their_secrets() -> None:
    found = read_modules(MODULES, "blackbox.yml")
    strict = found.modules["strict"]
    assert found.problems == ()
    assert (strict.method, strict.follows_redirects, strict.host_header, strict.user_agent, strict.has_body) == (
        "POST",
        False,
        "admin.example.com",
        "Mine/1",
        True,
    )
    assert str(strict.origin) == "blackbox.yml:9"
    assert "t0psecret" not in repr(found)
    assert strict.header_names == ("host", "User-Agent", "Authorization", "Authorization")
    assert [strict.succeeds_with(status) for status in (200, 204, 302)] == [True, False, True]
    assert [HTTP.succeeds_with(status) for status in (200, 204, 302)] == [True, True, False]
    assert not found.modules["old"].follows_redirects
    assert found.modules["ping"].prober in HARMLESS


def test_without_a_configuration_modules_are_what_their_names_say() -> None:
    assumed = Modules()
    assert [
        getattr(assumed.find(name), "prober", None) for name in ("http_2xx", "icmp", "tcp_tls", "dns_udp", "mine")
    ] == [
        "http",
        "icmp",
        "tcp",
        "dns",
        "http",
    ]


def test_with_a_configuration_an_unknown_module_is_none() -> None:
    assert read_modules(MODULES, "blackbox.yml").find("http_3xx") is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("modules: {a: {prober: http, htpp: {}}}", "field htpp not found"),
        ("modules: {a: {prober: http, http: {follow_redirect: true}}}", "field follow_redirect not found"),
        ("modules: {a: {prober: http, http: {valid_status_codes: 200}}}", "expected a list"),
        ("modules: {a: {prober: http, http: {follow_redirects: perhaps}}}", "not a boolean"),
    ],
)
def test_what_the_exporter_would_refuse_is_a_problem_with_its_line(text: str, reason: str) -> None:
    [problem] = read_modules(text, "blackbox.yml").problems
    assert reason in problem.reason
    assert problem.line == 1


@pytest.mark.parametrize("text", ["modules: [", "- a", "module: {}"])
def test_what_is_no_configuration_of_the_exporter_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        read_modules(text, "blackbox.yml")


# -- the first request ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "url"),
    [
        ("172.12.1.189:8080", "http://172.12.1.189:8080/"),
        ("<address>:80", "http://<address>:80/"),
        ("admin.example.com", "http://admin.example.com/"),
        ("https://admin.example.com", "https://admin.example.com/"),
        ("http://a:80/health?full=1#part", "http://a:80/health?full=1"),
        ("a:80?x=1", "http://a:80/?x=1"),
        ("a:80/a%20b+c", "http://a:80/a%20b+c"),
        ("a:80/a%2Fb?x=1%26y", "http://a:80/a%2Fb?x=1%26y"),
        ("a:80/x y/ü", "http://a:80/x%20y/%C3%BC"),
        ("user:secret@a:80/x", "http://a:80/x"),
        ("[fd00::1]:80/x", "http://[fd00::1]:80/x"),
        ("a:80//double", "http://a:80//double"),
        ("HTTP://a/x", "refused: HTTP://"),
        ("//a/x", "refused: no host"),
        ("ftp://a/x", "refused: ftp://"),
        (" a", "refused: an address cannot contain"),
        ("a:80/%zz", "refused: invalid URL escape"),
        ("a:http", "refused: invalid port"),
        ("a:99999", "refused: port 99999"),
        ("a\n", "refused: a control character"),
        ("", "refused: the target parameter is missing"),
    ],
)
def test_a_target_becomes_the_url_that_is_really_asked(target: str, url: str) -> None:
    assert asked(target).startswith(url)
    assert url.startswith("refused") or asked(target) == url


# -- redirects and cookies ------------------------------------------------------------------------------------------


def hops(location: str, *cookies: Cookie, target: str = "/", module: Module = HTTP) -> list[Hop]:
    request = HttpUrl("http", "admin:8080", target)
    return follow(
        request,
        module,
        lambda name: "10.0.0.1",
        lambda hop: RedirectAnswer(302, location, cookies) if hop.target == target else RedirectAnswer(200),
    )


def test_a_relative_redirect_brings_the_cookie_back_and_an_absolute_one_does_not() -> None:
    assert [hop.may_create for hop in hops("/login", Cookie("SESSION"))] == [True, False]
    assert [hop.may_create for hop in hops("http://admin:8080/login", Cookie("SESSION"))] == [True, True]
    assert [hop.may_create for hop in hops("http://10.0.0.1:8080/login", Cookie("SESSION"))] == [True, False]


def test_a_secure_cookie_or_one_for_another_folder_does_not_come_back() -> None:
    assert hops("/login", Cookie("SESSION", secure=True))[1].may_create
    assert hops("/login", Cookie("SESSION", path="/admin"))[1].may_create
    assert hops("/login", Cookie("SESSION", domain="admin"))[1].may_create
    assert not hops("/admin/login", Cookie("SESSION", path="/admin"))[1].may_create


def test_an_exporter_whose_jar_goes_by_the_host_brings_the_cookie_back_to_the_same_name() -> None:
    def sent(location: str) -> bool:
        answers = {"/": RedirectAnswer(302, location, (Cookie("SESSION"),))}
        found = follow(
            HttpUrl("http", "admin:8080", "/"),
            HTTP,
            lambda name: "10.0.0.1",
            lambda hop: answers.get(hop.target, RedirectAnswer(200)),
            jar_by_host=True,
        )
        return bool(found[1].cookies)

    assert sent("/login")
    assert sent("http://admin:8080/login")
    assert not sent("http://10.0.0.1:8080/login")


def test_newer_exporters_send_secure_cookies_to_the_loopback_interface_and_nowhere_else() -> None:
    def sent(host: str) -> bool:
        second = follow(
            HttpUrl("http", host, "/"),
            HTTP,
            lambda name: "127.0.0.1" if name == "localhost" else "10.0.0.1",
            lambda hop: (
                RedirectAnswer(302, "/login", (Cookie("SESSION", secure=True),))
                if hop.target == "/"
                else RedirectAnswer(200)
            ),
            jar_by_host=True,
        )[1]
        return bool(second.cookies)

    assert sent("localhost")
    assert not sent("admin.example.com")


def test_the_referer_of_a_redirect_is_the_address_that_was_asked() -> None:
    assert hops("/login")[1].referer == "http://10.0.0.1:8080/"


def test_redirects_are_followed_ten_times_or_not_at_all() -> None:
    def endless(hop: Hop) -> RedirectAnswer:
        return RedirectAnswer(302, f"/{len(hop.target)}x{hop.target[1:]}")

    request = HttpUrl("http", "a", "/")
    assert len(follow(request, HTTP, lambda name: "10.0.0.1", endless)) == 1 + MOST_REDIRECTS
    module = Module("m", "http", follows_redirects=False)
    assert len(follow(request, module, lambda name: "10.0.0.1", endless)) == 1


# -- the real exporter ----------------------------------------------------------------------------------------------


@pytest.fixture(params=(12, 13, 14), ids=lambda number: f"debian-{number}")
def release(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Each exporter that Debian has: 0.23, 0.26, 0.28."""
    oracle.use(request.param, monkeypatch)
    return int(request.param)


class Stub:
    """A server that answers each path from a table and keeps what it was sent, byte for byte."""

    def __init__(self) -> None:
        self.answers: dict[str, RedirectAnswer] = {}
        self.seen: list[bytes] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                data = b""
                while b"\r\n\r\n" not in data:
                    more = connection.recv(65_536)
                    if not more:
                        break
                    data += more
                self.seen.append(data)
                connection.sendall(self._answer(data.split(b" ")[1].decode()))

    def _answer(self, target: str) -> bytes:
        answer = self.answers.get(target, RedirectAnswer(200))
        lines = [f"HTTP/1.1 {answer.status} X", "Content-Length: 0"]
        lines += [f"Location: {answer.location}"] if answer.location else []
        for cookie in answer.cookies:
            attributes = f"; Path={cookie.path}" if cookie.path else ""
            attributes += f"; Domain={cookie.domain}" if cookie.domain else ""
            attributes += "; Secure" if cookie.secure else ""
            lines.append(f"Set-Cookie: {cookie.name}=value{attributes}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def close(self) -> None:
        # accept() only returns for a connection, or for a socket that was shut down.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(10)


@contextmanager
def exporter(folder: Path) -> Iterator[str]:
    program = oracle.program("prometheus-blackbox-exporter")
    (folder / "blackbox.yml").write_text(MODULES)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    command = [program, f"--config.file={folder}/blackbox.yml", f"--web.listen-address=127.0.0.1:{port}"]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}/probe"
        finally:
            process.terminate()


def ask(exporter_url: str, target: str, module: str) -> None:
    for _ in range(200):
        try:
            with urlopen(f"{exporter_url}?{urlencode({'target': target, 'module': module})}") as answer:
                answer.read()
                return
        except URLError as error:
            if not isinstance(error.reason, ConnectionRefusedError):
                raise
            time.sleep(0.05)
    pytest.fail("the exporter did not start")


def sent(hop: Hop) -> bytes:
    """What the exporter writes for this request."""
    version = oracle.version("prometheus-blackbox-exporter")
    # Since 0.28 the name has a hyphen.
    name = "Blackbox Exporter" if tuple(map(int, version.split(".")[:2])) < (0, 28) else "Blackbox-Exporter"
    cookies = f"Cookie: {'; '.join(f'{name}=value' for name in hop.cookies)}\r\n" if hop.cookies else ""
    referer = f"Referer: {hop.referer}\r\n" if hop.referer else ""
    return (
        f"{hop.method} {hop.target} HTTP/1.1\r\nHost: {hop.host}\r\nUser-Agent: {name}/{version}\r\n"
        f"{cookies}{referer}Connection: close\r\n\r\n"
    ).encode()


def random_answers(random_source: random.Random, port: int) -> dict[str, RedirectAnswer]:
    """A chain of redirects in every form, with cookies in every form."""
    paths = ["/", "/start", "/a/b", "/a/c", "/admin/login", "/x?y=1", "/end"]
    random_source.shuffle(paths)
    answers: dict[str, RedirectAnswer] = {}
    for here, there in itertools.pairwise(paths):
        forms = [
            there,
            f"http://localhost:{port}{there}",
            f"http://127.0.0.1:{port}{there}",
            f"//localhost:{port}{there}",
            "." + there if "/" not in here[1:] else there,
            there + "#part",
        ]
        cookies = tuple(
            Cookie(
                name,
                path=random_source.choice(("", "", "/", "/a", "/admin")),
                domain=random_source.choice(("", "", "", "localhost")),
                secure=random_source.random() < 0.2,
            )
            for name in ("SESSION", "other")
            if random_source.random() < 0.6
        )
        status = random_source.choice((301, 302, 303, 307, 308))
        answers[here] = RedirectAnswer(status, random_source.choice(forms), cookies)
    return answers


@pytest.mark.integration
def test_the_real_exporter_sends_byte_for_byte_what_is_predicted(tmp_path: Path, release: int) -> None:
    source = random.Random(20190524)
    module = read_modules(MODULES, "blackbox.yml").modules["http_2xx"]
    stub = Stub()
    compared = 0
    try:
        with exporter(tmp_path) as url:
            for _ in range(60):
                stub.answers = random_answers(source, stub.port)
                stub.seen.clear()
                name = source.choice(("localhost", "127.0.0.1"))
                path = source.choice(("", *stub.answers))
                target = source.choice(("", "http://")) + f"{name}:{stub.port}{path}"
                ask(url, target, "http_2xx")
                request = first_request(target, module)
                assert isinstance(request, HttpUrl)
                expected = follow(
                    request,
                    module,
                    lambda name: "127.0.0.1",
                    lambda hop: stub.answers.get(hop.target, RedirectAnswer(200)),
                    jar_by_host=release >= 14,
                )
                # Cookies of one length of path are sent in the order of their creation: compare them as a set.
                assert [ordered(data) for data in stub.seen] == [ordered(sent(hop)) for hop in expected]
                compared += len(expected)
    finally:
        stub.close()
    assert compared > 150


def ordered(data: bytes) -> list[bytes]:
    return [
        b"Cookie: " + b"; ".join(sorted(line[8:].split(b"; "))) if line.startswith(b"Cookie: ") else line
        for line in data.split(b"\r\n")
    ]


@pytest.mark.integration
@pytest.mark.usefixtures("release")
@pytest.mark.parametrize(
    "path",
    ["", "/", "?x=1", "/a%20b+c", "/a%2Fb?x=1%26y", "/x y/ü'(*)", "//double", "/a;b=1,2:@&=+$", '/é%2f "', "/#part"],
)
def test_the_real_exporter_asks_for_the_very_target_that_is_predicted(tmp_path: Path, path: str) -> None:
    stub = Stub()
    try:
        with exporter(tmp_path) as url:
            ask(url, f"127.0.0.1:{stub.port}{path}", "http_2xx")
    finally:
        stub.close()
    request = first_request(f"127.0.0.1:{stub.port}{path}", HTTP)
    assert isinstance(request, HttpUrl)
    assert [data.split(b"\r\n")[0] for data in stub.seen] == [f"GET {request.target} HTTP/1.1".encode()]


@pytest.mark.integration
@pytest.mark.usefixtures("release")
@pytest.mark.parametrize("target", ["HTTP://{}", "//{}", "ftp://{}", " {}", "{}/%zz", "{}x"])
def test_the_real_exporter_sends_nothing_where_a_refusal_is_predicted(tmp_path: Path, target: str) -> None:
    stub = Stub()
    target = target.format(f"127.0.0.1:{stub.port}")
    try:
        with exporter(tmp_path) as url:
            ask(url, target, "http_2xx")
    finally:
        stub.close()
    assert stub.seen == []
    assert isinstance(first_request(target, HTTP), str)


@pytest.mark.integration
@pytest.mark.usefixtures("release")
def test_the_real_exporter_sends_a_modules_method_host_and_user_agent_and_follows_nothing(tmp_path: Path) -> None:
    stub = Stub()
    stub.answers = {"/": RedirectAnswer(302, "/login")}
    try:
        with exporter(tmp_path) as url:
            ask(url, f"127.0.0.1:{stub.port}", "strict")
    finally:
        stub.close()
    [data] = stub.seen
    lines = data.decode().split("\r\n")
    assert lines[0] == "POST / HTTP/1.1"
    assert {"Host: admin.example.com", "User-Agent: Mine/1"} <= set(lines)
