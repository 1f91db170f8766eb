"""What the blackbox exporter refuses in a module: each fault at its line."""

from __future__ import annotations

import pytest

from necropsy.probes.prometheus.blackbox.modules import Module, first_request, read_modules
from necropsy.probes.prometheus.blackbox.version import blackbox_version

MODULE = "modules:\n  page:\n    prober: {}\n    {}\n"

REFUSED = [
    (MODULE.format("https", "timeout: 5s"), 3, "https"),
    ("modules:\n  page:\n    timeout: 5s\n", 3, "prober is missing"),
    (MODULE.format("http", "timeout: soon"), 4, "duration"),
    (MODULE.format("http", "http: {body: a, body_file: b}"), 4, "body_file"),
    (MODULE.format("http", "http: {fail_if_body_matches_regexp: ['(open']}"), 4, "refused"),
    (MODULE.format("http", "http: {fail_if_header_matches: [{header: Set-Cookie}]}"), 4, "regexp is missing"),
    (MODULE.format("http", "http: {basic_auth: {username: a}, bearer_token: b}"), 4, "basic_auth"),
    (MODULE.format("http", "http: {valid_http_versions: [HTTP/3.0]}"), 4, "enable_http3"),
    (MODULE.format("http", "http: {compression: br, headers: {Accept-Encoding: 'gzip, br;q=0'}}"), 4, "does not allow"),
    (MODULE.format("http", "http: {body_size_limit: 10}"), 4, "not a size"),
    (MODULE.format("icmp", "icmp: {ttl: 900}"), 4, "255"),
    (MODULE.format("dns", "dns: {query_name: a, query_type: NAME}"), 4, "NAME"),
    (MODULE.format("tcp", "tcp: {query_response: [{expect: '+', expect_bytes: x}]}"), 4, "expect_bytes"),
    (MODULE.format("websocket", "websocket: {query_response: [{expect: 'a{2,1}'}]}"), 4, "refused"),
    (MODULE.format("unix", "unix: {path: /a}"), 4, "path"),
]


@pytest.mark.parametrize(("text", "line", "word"), REFUSED, ids=[word for _, _, word in REFUSED])
def test_what_the_exporter_refuses_is_refused_at_its_line(text: str, line: int, word: str) -> None:
    (problem,) = read_modules(text, "blackbox.yml").problems
    assert problem.line == line
    assert word in problem.reason


@pytest.mark.parametrize(
    "settings",
    [
        "http: {compression: gzip, headers: {Accept-Encoding: '*'}}",
        "http: {enable_http3: true, enable_http2: false, valid_http_versions: [HTTP/3.0]}",
        "http: {fail_if_header_not_matches: [{header: A, regexp: b, allow_missing: true}]}",
        "dns: {query_name: shop.example, query_class: CH, validate_answer_rrs: {fail_if_matches_regexp: [a]}}",
        "timeout: 500ms",
    ],
)
def test_what_the_exporter_takes_is_taken(settings: str) -> None:
    assert read_modules(MODULE.format("http", settings), "blackbox.yml").problems == ()


def test_an_unknown_prober_keeps_only_a_later_exporter_from_loading() -> None:
    text = MODULE.format("ftp", "timeout: 5s")
    assert read_modules(text, "b.yml", version="0.28.0").problems == ()
    assert read_modules(text, "b.yml", version="0.29.0").problems


def test_a_scheme_in_capitals_is_understood_after_0_28_0() -> None:
    old, new = (Module("m", "http", version=blackbox_version(text)) for text in ("0.28.0", "0.28.1"))
    assert "0.28.0" in str(first_request("HTTP://shop.example/health", old))
    assert getattr(first_request("HTTP://shop.example/health", new), "text", "") == "http://shop.example/health"
    assert getattr(first_request("Https://shop.example", new), "port", 0) == 443
