"""Who created a session, out of a saved request."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.sessions.jdk import STREAM_MAGIC
from necropsy.sessions.saved_request import NOBODY, SavedRequest, creator
from sessions.keyspaces import string

ARRAY_LIST = b"sq\x00~\x00\x06\x00\x00\x00\x01w\x04\x00\x00\x00\x01"
TREE_MAP = b"sq\x00~\x00\x08pw\x04\x00\x00\x00\x00"


def tagged(text: str) -> bytes:
    return b"t" + struct.pack(">H", len(text.encode())) + text.encode()


def stream(headers: dict[str, str], method: str, url: str, parameters: bytes = TREE_MAP) -> bytes:
    """The strings of a DefaultSavedRequest where Java puts them; the real thing is in the Spring dumps."""
    body = STREAM_MAGIC + b"sr\x00Aorg.springframework.security.web.savedrequest.DefaultSavedRequest" + tagged("")
    for name, value in headers.items():
        body += tagged(name) + ARRAY_LIST + tagged(value) + b"x"
    path = "/" + url.split("/", 3)[3]
    scheme = url.split(":", maxsplit=1)[0]
    return body + b"x" + tagged(method) + parameters + b"pp" + b"".join(map(tagged, (path, url, scheme, "host", path)))


def in_json(headers: dict[str, str], **fields: str) -> bytes:
    lists = {name: ["java.util.ArrayList", [value]] for name, value in headers.items()}
    kind = "org.springframework.security.web.savedrequest.DefaultSavedRequest"
    return json.dumps({"@class": kind, "headers": {"@class": "java.util.TreeMap", **lists}, **fields}).encode()


KUBELET = SavedRequest("kube-probe/1.28", "10.0.3.17:8080", "GET", "/")


@pytest.mark.parametrize("names", [("host", "user-agent"), ("Host", "User-Agent"), ("HOST", "USER-AGENT")])
def test_headers_are_known_in_any_case(names: tuple[str, str]) -> None:
    headers = dict(zip(names, ("10.0.3.17:8080", "kube-probe/1.28"), strict=True))
    url = "http://10.0.3.17:8080/"
    assert creator(stream(headers, "GET", url)) == KUBELET
    assert creator(in_json(headers, method="GET", requestURI="/", requestURL=url)) == KUBELET


def test_a_referer_is_not_taken_for_the_url_nor_an_override_for_the_method() -> None:
    headers = {"host": "a", "referer": "http://evil.example/elsewhere", "x-http-method-override": "DELETE"}
    assert creator(stream(headers, "GET", "https://a/here")) == SavedRequest(None, "a", "GET", "/here")


def test_parameters_that_look_like_headers_come_too_late() -> None:
    parameters = b"sq\x00~\x00\x08pw\x04\x00\x00\x00\x01" + tagged("host") + b"ur\x00\x01" + tagged("evil.example")
    assert creator(stream({"host": "a"}, "GET", "http://a/", parameters)).host == "a"


def test_a_header_value_that_holds_json_does_not_name_another_creator() -> None:
    headers = {"accept": '"user-agent":["evil"]', "user-agent": 'say "hi" \\ é'}
    assert creator(in_json(headers, method="GET", requestURI="/")).user_agent == 'say "hi" \\'


def test_a_reactive_application_keeps_the_path_alone() -> None:
    assert creator(string("/orders?continue")) == SavedRequest(path="/orders")
    assert creator(b'"/orders?continue"') == SavedRequest(path="/orders")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("http://a/orders;jsessionid=0123abc?token=hush", "/orders"),
        ("http://a/reset/3fa85f64-5717-4562-b3fc-2c963f66afa6/now", "/reset/*/now"),
        ("http://a/verify/someone@mail.example", "/verify/*"),
        ("http://a/t/Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6", "/t/*"),
        ("http://a/orders/42/items", "/orders/42/items"),
    ],
)
def test_a_path_keeps_nothing_that_opens_a_door(url: str, path: str) -> None:
    assert creator(stream({"host": "a"}, "GET", url)).path == path


def test_the_host_of_the_url_stands_in_for_a_missing_header() -> None:
    assert creator(stream({}, "GET", "http://user:secret@10.0.3.17:8080/")).host == "10.0.3.17:8080"


@pytest.mark.parametrize("host", ["a b", "evil\x1b[31m", "", "a:b:c", "x" * 300])
def test_what_is_no_host_is_not_kept(host: str) -> None:
    assert creator(stream({"host": host, "user-agent": "x"}, "GET", "http:///")).host is None


def test_a_request_that_was_cut_off_still_names_its_user_agent() -> None:
    whole = in_json({"host": "a:1", "user-agent": "Go-http-client/1.1", "x": "y" * 99}, method="GET", requestURI="/")
    assert creator(whole[:-60]) == SavedRequest("Go-http-client/1.1", "a:1", None, None)
    whole = stream({"host": "a:1", "user-agent": "Go-http-client/1.1", "x": "y" * 99}, "GET", "http://a:1/")
    assert creator(whole[:-60]) == SavedRequest("Go-http-client/1.1", "a:1", None, None)


@given(st.binary(max_size=400), st.sampled_from([b"", STREAM_MAGIC, b'{"headers":', b'"', b"[", string("/a")]))
def test_arbitrary_bytes_never_raise(noise: bytes, start: bytes) -> None:
    found = creator(start + noise)
    assert all(part is None or part.isprintable() for part in found)


@given(st.integers(0, 400))
def test_a_real_request_cut_anywhere_never_raises_and_never_invents(length: int) -> None:
    whole = stream({"host": "10.0.3.17:8080", "user-agent": "kube-probe/1.28"}, "GET", "http://10.0.3.17:8080/")
    found = creator(whole[:length])
    assert all(part in (None, real) for part, real in zip(found, KUBELET, strict=True))


def test_an_unknown_serializer_names_nobody() -> None:
    assert creator(b"\x01\x02kryo user-agent") == NOBODY


@pytest.mark.parametrize("url", ["http://a:8080/error", "http://a:8080/shop/error"])
def test_the_error_page_names_nobodys_request_but_its_client_all_the_same(url: str) -> None:
    headers = {"host": "a:8080", "user-agent": "kube-probe/1.28"}
    expected = SavedRequest(user_agent="kube-probe/1.28", host="a:8080")
    assert creator(stream(headers, "GET", url)) == expected
    assert creator(in_json(headers, method="GET", requestURL=url, requestURI="/" + url.split("/", 3)[3])) == expected
