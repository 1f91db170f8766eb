from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.probes.http.url import build_url, encode_query, path_escape, request_path, split_host_port, unrequestable


@pytest.mark.parametrize(
    ("path", "escaped"),
    [
        ("/metrics", "/metrics"),
        ("/m?x=1", "/m%3Fx=1"),
        ("/a#b", "/a%23b"),
        ("/a%2Fb", "/a%252Fb"),
        ("/sp ace+p~*(:@&=,;", "/sp%20ace+p~%2A%28:@&=,;"),
        ("/ü!')$[]", "/%C3%BC%21%27%29$%5B%5D"),
        ("*", "*"),
    ],
)
def test_paths_escape_as_prometheus_was_seen_to_request_them(path: str, escaped: str) -> None:
    assert path_escape(path) == escaped


@pytest.mark.parametrize(
    ("parts", "url"),
    [
        (("http", "h:1", "/p", ""), "http://h:1/p"),
        (("http", "h:1", "p", "a=1"), "http://h:1/p?a=1"),
        (("http", "h:1", "", "a=1"), "http://h:1?a=1"),
        (("https", "[::1]:443", "//double", ""), "https://[::1]:443//double"),
        (("", "h", "/p", ""), "//h/p"),
        (("http", "a b", "/", ""), "http://a%20b/"),
        (("http", "h", "*", ""), "http://h/*"),
    ],
)
def test_urls_are_put_together_as_go_does(parts: tuple[str, str, str, str], url: str) -> None:
    assert build_url(*parts) == url


def test_capitals_come_first_in_a_query_and_values_keep_their_order() -> None:
    assert encode_query({"b": ["2", "1"], "B": ["x y"], "a": [], "é": ["*"]}) == "B=x+y&b=2&b=1&%C3%A9=%2A"


@pytest.mark.parametrize(
    ("host", "reason"),
    [("h:80", ""), ("[::1]:80", ""), ("h:", ""), ("h", ""), ("münchen:80", ""), ("u:p@h", "@"), ("h:port", "port"), ("a b", "contain"), ("a%20", "%"), ("", "no host"), ("[::1", "]"), ("[::1]x", "port")],
)  # fmt: skip
def test_hosts_that_go_never_asks_are_known(host: str, reason: str) -> None:
    found = unrequestable("http", host)
    assert (reason in found) if reason else found == ""


def test_only_http_is_asked() -> None:
    assert "ftp" in unrequestable("ftp", "h")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("h:1", ("h", "1")), ("h:", ("h", "")), (":1", ("", "1")), ("[::1]:1", ("::1", "1")), ("h", None), ("::1", None),
        ("[::1]", None), ("[::1", None), ("[a]b:1", None), ("a:1:2", None), ("a[b]:1", None), ("[a]:1]", None),
    ],
)  # fmt: skip
def test_addresses_are_split_as_go_splits_them(address: str, expected: tuple[str, str] | None) -> None:
    assert split_host_port(address) == expected


texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=10)


@given(st.dictionaries(texts.filter(bool), st.lists(texts, max_size=3), max_size=4))
def test_an_encoded_query_decodes_to_the_same_parameters(params: dict[str, list[str]]) -> None:
    decoded: dict[str, list[str]] = {}
    for key, value in parse_qsl(encode_query(params), keep_blank_values=True, errors="strict"):
        decoded.setdefault(key, []).append(value)
    assert decoded == {key: values for key, values in params.items() if values}


@given(texts, texts)
def test_a_path_is_only_a_path_whatever_it_holds(path: str, value: str) -> None:
    query = encode_query({"x": [value]})
    split = urlsplit(build_url("http", "h:1", path, query))
    assert (split.netloc, split.query, split.fragment) == ("h:1", query, "")
    assert unquote(split.path) == (path if path.startswith("/") or not path else f"/{path}")
    assert request_path(path, query) == f"{split.path or '/'}?{query}"
