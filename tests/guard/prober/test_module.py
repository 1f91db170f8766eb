"""Modules of blackbox.yml: read in full, or refused with file, line and what was expected."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.guard.prober.module import HeaderRule, HttpModule, read_modules
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
    assert module.headers == {"Host": "admin", "X-From": "probe", "Authorization": "Basic dTpw"}


def test_a_password_is_in_no_representation() -> None:
    assert "dTpw" not in repr(read_modules(FULL, "blackbox.yml")["login"])


def test_a_module_without_settings_is_the_default() -> None:
    assert read_modules("modules: {m: {prober: http}}", "b.yml") == {"m": HttpModule("m")}


@pytest.mark.parametrize(("text", "said"), [
    ("modules:\n  m:\n    prober: tcp\n", r"b\.yml:3: .*'tcp' is not served here"),
    ("modules:\n  m:\n    prober: ftp\n", r"b\.yml:3: .*unknown prober 'ftp'"),
    ("modules:\n  m:\n    prober: http\n    session: reuse\n", r"b\.yml:4: .*unknown key 'session'"),
    ("modules:\n  m:\n    prober: http\n    http:\n      fail_if_body_json_matches_cel: 'body.a == 1'\n", r"b\.yml:5: .*CEL"),
    ("modules:\n  m:\n    prober: http\n    http:\n      fail_if_body_matches_regexp: ['(']\n", r"b\.yml:5: .*regular expression"),
    ("modules:\n  m:\n    prober: http\n    timeout: 5\n", r"b\.yml:4: .*duration"),
    ("modules:\n  m:\n    prober: http\n    http:\n      valid_status_codes: [2xx]\n", r"b\.yml:5: expected a number"),
    ("modules:\n  m:\n    prober: http\n    http:\n      body_size_limit: ten\n", r"b\.yml:5: not a size"),
    ("modules:\n  m:\n    prober: http\n    http:\n      proxy_url: http://proxy:3128\n", r"b\.yml:5: .*proxies"),
])  # fmt: skip
def test_what_cannot_be_served_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        read_modules(text, "b.yml")


def test_files_that_a_module_names_are_read_from_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "body").write_bytes(b"from a file")
    (tmp_path / "token").write_text("secret\n")
    text = "modules:\n  m:\n    prober: http\n    http:\n      body_file: body\n      authorization: {credentials_file: token}\n"
    module = read_modules(text, "elsewhere/b.yml")["m"]
    assert (module.body, module.headers["Authorization"]) == (b"from a file", "Bearer secret")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        read_modules(text, "b.yml")
