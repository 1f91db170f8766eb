"""Modules of blackbox.yml: read in full, or refused with file, line and what was expected."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.guard.prober.module import HeaderRule, HttpModule
from necropsy.guard.prober.module_file import read_modules
from necropsy.model.errors import ConfigurationError

FULL = """\
modules:
  login:
    prober: http
    timeout: 5s
    http:
      method: POST
      headers: {Host: admin, X-From: probe}
      body: user=x
      valid_status_codes: [200, 302]
      valid_http_versions: [HTTP/1.1, HTTP/2.0]
      follow_redirects: false
      fail_if_not_ssl: true
      fail_if_body_not_matches_regexp: [UP]
      fail_if_header_matches: [{header: Set-Cookie, regexp: ".*", allow_missing: true}]
      body_size_limit: 10MB
      preferred_ip_protocol: ip4
      tls_config: {insecure_skip_verify: true}
      basic_auth: {username: u, password: p}
"""


def test_every_key_of_an_http_module_is_read() -> None:
    module = read_modules(FULL, "blackbox.yml")["login"]
    assert (module.timeout_s, module.method, module.body, module.follow_redirects) == (5.0, "POST", b"user=x", False)
    assert module.valid_status_codes == (200, 302)
    assert module.body_not_matches == ("UP",)
    assert module.header_matches == (HeaderRule("Set-Cookie", ".*", allow_missing=True),)
    assert module.body_size_limit == 10 << 20
    assert module.tls.insecure_skip_verify
    assert module.headers == {"Host": "admin", "X-From": "probe"}
    assert module.credentials is not None
    assert module.credentials.header() == "Basic dTpw"


def test_a_password_is_in_no_representation() -> None:
    text = FULL.replace("password: p}", "password: p4ss}\n      proxy_url: http://u:p4ss@proxy:3128")
    assert "p4ss" not in repr(read_modules(text, "blackbox.yml")["login"])


def test_a_module_without_settings_is_the_default() -> None:
    assert read_modules("modules: {m: {prober: http}}", "b.yml") == {"m": HttpModule("m")}


@pytest.mark.parametrize(("text", "said"), [
    ("modules:\n  m:\n    prober: tcp\n", r"b\.yml:3: .*'tcp' is not served here"),
    ("modules:\n  m:\n    prober: ftp\n", r'b\.yml:3: .*unknown prober "ftp"'),
    ("modules:\n  m:\n    prober: http\n    session: reuse\n", r"b\.yml:4: .*unknown key 'session'"),
    ("modules:\n  m:\n    prober: http\n    http:\n      fail_if_body_json_matches_cel: 'body.a =='\n", r"b\.yml:5: .*CEL"),
    ("modules:\n  m:\n    prober: http\n    http:\n      fail_if_body_matches_regexp: ['(']\n", r"b\.yml:5: .*regular expression"),
    ("modules:\n  m:\n    prober: http\n    timeout: 5\n", r"b\.yml:4: .*duration"),
    ("modules:\n  m:\n    prober: http\n    http:\n      valid_status_codes: [2xx]\n", r"b\.yml:5: expected a number"),
    ("modules:\n  m:\n    prober: http\n    http:\n      body_size_limit: ten\n", r"b\.yml:5: ten is not a size"),
    ("modules:\n  m:\n    prober: http\n    http:\n      proxy_url: https://proxy:3128\n", r"b\.yml:5: a proxy by https is not served"),
    ("modules:\n  m:\n    prober: http\n    http:\n      enable_http2: false\n      enable_http3: true\n", r"b\.yml:6: .*HTTP/3"),
    ("modules:\n  m:\n    prober: http\n    http:\n      no_proxy: a\n", r"b\.yml:5: .*proxy_url must also"),
    ("modules:\n  m:\n    prober: http\n    http:\n      compression: zstd\n", r"b\.yml:5: unknown compression 'zstd'"),
    ("modules:\n  m:\n    prober: http\n    http:\n      oauth2: {client_id: c, token_url: u, claims: {}}\n", r"b\.yml:5: .*by certificate"),
    ("modules:\n  m:\n    prober: http\n    http:\n      tls_config: {min_version: SSL3}\n", r"b\.yml:5: unknown TLS version"),
    ("modules:\n  m:\n    prober: http\n    http:\n      basic_auth: {username: u, password_ref: p}\n", r"b\.yml:5: password_ref"),
    ("modules:\n  m:\n    prober: http\n    http:\n      body_file: /no/such\n", r"b\.yml:5: /no/such: No such file"),
])  # fmt: skip
def test_what_cannot_be_served_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read_modules(text, "b.yml")


def test_a_delegate_takes_the_modules_that_cannot_be_served_here_and_no_wrong_ones() -> None:
    text = "modules:\n  a: {prober: http}\n  b: {prober: tcp}\n  c: {prober: http, http: {proxy_url: 'https://p:1'}}\n"
    assert list(read_modules(text, "b.yml", delegates=True)) == ["a"]
    with pytest.raises(ConfigurationError, match="unknown key"):
        read_modules(text + "  d: {prober: http, http: {nonsense: 1}}\n", "b.yml", delegates=True)


def test_files_that_a_module_names_are_read_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "body").write_bytes(b"from a file")
    (tmp_path / "token").write_text("secret\n")
    text = "modules:\n  m:\n    prober: http\n    http:\n      body_file: body\n      authorization: {credentials_file: token}\n"
    module = read_modules(text, "elsewhere/b.yml")["m"]
    assert module.body_file == "body"
    assert module.credentials is not None
    assert module.credentials.header() == "Bearer secret"
    (tmp_path / "token").write_text("renewed\n")
    assert module.credentials.header() == "Bearer renewed"


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        read_modules(text, "b.yml")
