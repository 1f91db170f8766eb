"""The GET client against a server of the standard library that misbehaves."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from necropsy._internal.masking import masked_address
from necropsy.model.errors import UnreadableSource
from necropsy.wire.http import get, is_url

seen: list[tuple[str, str, dict[str, str]]] = []


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        seen.append((self.command, self.path, dict(self.headers)))
        status, location, body = {
            "/refused": (403, "", b"Permission denied"),
            "/near": (302, "/far", b""),
            "/away": (307, "http://127.0.0.1:9/elsewhere", b""),
            "/file": (302, "file:///etc/passwd", b""),
            "/round": (302, "/round", b""),
            "/large": (200, "", b"x" * 5000),
        }.get(self.path, (200, "", b"here"))
        self.send_response(status)
        if location:
            self.send_header("Location", location)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    # Whoever asks a proxy for the loopback is told by nobody listening there.
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    seen.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


def test_what_is_asked_is_a_get_and_the_password_is_a_header_alone(host: str) -> None:
    answer = get(f"http://me:s%40cret@{host}/a?b=c", headers={"X-Consul-Token": "t"})
    [(method, path, headers)] = seen
    assert (answer.status, answer.text, answer.url) == (200, "here", f"http://{host}/a?b=c")
    assert (method, path) == ("GET", "/a?b=c")
    assert (headers["Authorization"], headers["X-Consul-Token"]) == ("Basic bWU6c0BjcmV0", "t")


def test_a_refusal_is_an_answer(host: str) -> None:
    answer = get(f"http://{host}/refused")
    assert (answer.status, answer.text) == (403, "Permission denied")


def test_a_redirect_on_the_same_server_is_followed(host: str) -> None:
    assert get(f"http://{host}/near").text == "here"
    assert [path for _, path, _ in seen] == ["/near", "/far"]


@pytest.mark.parametrize("path", ["away", "file", "round"])
def test_a_redirect_elsewhere_or_without_end_is_refused(host: str, path: str) -> None:
    with pytest.raises(UnreadableSource, match="redirect"):
        get(f"http://me:secret@{host}/{path}")


def test_an_answer_that_is_too_large_is_refused(host: str) -> None:
    assert len(get(f"http://{host}/large", limit=5000).body) == 5000
    with pytest.raises(UnreadableSource, match="answers more than"):
        get(f"http://{host}/large", limit=4999)


def test_a_server_that_says_nothing_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(UnreadableSource, match="no answer in time"):
            get(f"http://127.0.0.1:{port}/", timeout_s=0.2)


def test_a_server_that_sends_drop_by_drop_is_given_up() -> None:
    stop = threading.Event()

    def drip(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
            while not stop.wait(0.02):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=drip, args=(listener,), daemon=True)
        thread.start()
        with pytest.raises(UnreadableSource, match="no answer in time"):
            get(f"http://127.0.0.1:{listener.getsockname()[1]}/", timeout_s=0.3)
        stop.set()
        thread.join()


@pytest.mark.parametrize(
    "url",
    ["file:///etc/passwd", "ftp://a/", "http://", "http://a:b:c/", "consul.json", "http://[::1/", "http://a/ b",
     "http://a/\r\nX: y"],
)  # fmt: skip
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(UnreadableSource):
        get(url)


def test_nobody_there_is_said_without_the_password() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(UnreadableSource) as caught:
        get(f"http://me:secret@127.0.0.1:{port}/x")
    assert caught.value.message.startswith(f"http://127.0.0.1:{port}/x: ")
    assert "secret" not in f"{caught.value.message} {caught.value.hint}"


def test_only_web_addresses_are_addresses() -> None:
    assert [is_url(text) for text in ("HTTP://a", "https://a", "a.json", "-", "10.0.0.1=a.json")] == [
        True,
        True,
        *[False] * 3,
    ]
    assert masked_address("http://u:p@[::1]:8500/v1") == "http://[::1]:8500/v1"
