"""URLs as Go's client requests them, and as they may be shown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy._internal.masking import masked
from necropsy.probes.http.request import HttpUrl, parse_http_url, path_of, presentable


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("http://localhost/health", "localhost", 80, "/health"),
        ("https://localhost", "localhost", 443, "/"),
        ("http://[::1]:8080/a?b=c", "::1", 8080, "/a?b=c"),
        ("http://u:p@a:81/x", "a", 81, "/x"),
        ("http://a:/x", "a", 80, "/x"),
        ("HTTP://a/x", "a", 80, "/x"),
        ("not a url", "", 0, "/"),
    ],
)
def test_a_url_is_taken_apart(url: str, host: str, port: int, path: str) -> None:
    assert presentable(url)[1:] == (host, port, path)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://u:p@a/x", "http://a/x"),
        ("http://a/x?token=1&b=2", "http://a/x?token=***&b=2"),
        ("http://a/x?b=2&API_KEY=1", "http://a/x?b=2&API_KEY=***"),
        ("http://a/x;jsessionid=1F.2?b=2", "http://a/x;jsessionid=***?b=2"),
        ("/login?PHPSESSID=1", "/login?PHPSESSID=***"),
        ("http://a/x@y", "http://a/x@y"),
        ("a:80", "a:80"),
    ],
)
def test_what_may_be_a_secret_is_hidden(text: str, shown: str) -> None:
    assert masked(text) == shown


@given(st.text(max_size=30))
def test_any_text_is_a_url_or_a_reason(text: str) -> None:
    for scheme in ("", "http://", "https://"):
        parsed = parse_http_url(scheme + text)
        if isinstance(parsed, HttpUrl):
            assert parsed.hostname
            assert 0 < parsed.port <= 65535
            assert parsed.target.startswith(("/", "?", "*"))
            assert parsed.target.isprintable() or not parsed.target.isascii()
        else:
            assert parsed
        assert path_of(scheme + text)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="%?#"), max_size=20))
def test_a_path_is_sent_in_ascii_and_means_what_was_written(path: str) -> None:
    from urllib.parse import unquote

    parsed = parse_http_url(f"http://a/{path}")
    assert isinstance(parsed, HttpUrl)
    assert parsed.target.isascii()
    assert unquote(parsed.target) == f"/{path}"
