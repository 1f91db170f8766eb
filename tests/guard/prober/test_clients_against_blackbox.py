"""The client settings of a module (proxies, OAuth 2, TLS, headers) and what judges a body, beside the real blackbox exporter."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import servers
from exporters import blackbox
from guard.prober.beside import differing, halves, probed, prober
from guard.prober.proxy_stub import http_proxy, socks_proxy
from guard.prober.stub import serving
from waiting import wait_until

pytestmark = pytest.mark.integration

MODULES = """\
modules:
  http_2xx: {prober: http}
  v4: {prober: http, http: {preferred_ip_protocol: ip4, ip_protocol_fallback: false}}
  v6: {prober: http, http: {preferred_ip_protocol: ip6, ip_protocol_fallback: false}}
  bare_post: {prober: http, http: {method: POST}}
  from_file: {prober: http, http: {method: POST, body_file: BODY}}
  sent: {prober: http, http: {method: PUT, body: "a=1", headers: {Content-Type: text/x}}}
  head: {prober: http, http: {method: HEAD}}
  stay: {prober: http, http: {follow_redirects: false, valid_status_codes: [302, 307], fail_if_body_matches_regexp: [no]}}
  named: {prober: http, http: {headers: {Host: admin.example, Cookie: lang=de, X-One: 1}, http_headers: {X-Two: {values: [a, b], secrets: [c]}}}}
  user: {prober: http, http: {basic_auth: {username: u, password: p}, headers: {X-One: 1}}}
  bearer: {prober: http, http: {authorization: {type: Token, credentials: c}}}
  old_bearer: {prober: http, http: {bearer_token: c}}
  gzip: {prober: http, http: {compression: gzip, fail_if_body_not_matches_regexp: ["packed hello"]}}
  gzip_any: {prober: http, http: {compression: gzip}}
  gzip_small: {prober: http, http: {compression: gzip, body_size_limit: 1KB}}
  deflate: {prober: http, http: {compression: deflate, fail_if_body_not_matches_regexp: ["packed hello"]}}
  br: {prober: http, http: {compression: br, fail_if_body_not_matches_regexp: ["packed hello"]}}
  identity: {prober: http, http: {compression: identity, fail_if_body_not_matches_regexp: ["hello"]}}
  small: {prober: http, http: {body_size_limit: 1KB, fail_if_body_not_matches_regexp: [hello]}}
  missing: {prober: http, http: {fail_if_header_matches: [{header: X-None, regexp: a}]}}
  may_miss: {prober: http, http: {fail_if_header_matches: [{header: X-None, regexp: a, allow_missing: true}]}}
  header_and_body: {prober: http, http: {fail_if_header_matches: [{header: X-Kind, regexp: page}], fail_if_body_matches_regexp: [hello]}}
  cel: {prober: http, http: {fail_if_body_json_not_matches_cel: "CEL"}}
  not_cel: {prober: http, http: {fail_if_body_json_matches_cel: "CEL"}}
  regexp_and_cel: {prober: http, http: {fail_if_body_not_matches_regexp: [nothing], fail_if_body_json_not_matches_cel: "CEL"}}
"""
CASES = [
    ("v4", "/health"), ("v6", "/health"), ("bare_post", "/page"), ("from_file", "/page"), ("sent", "/page"), ("head", "/large"),
    ("sent", "/to/302/here/page"), ("sent", "/to/303/page"), ("sent", "/to/307/page"), ("sent", "/to/308/here/page"), ("head", "/to/302/page"),
    ("stay", "/to/302/page"), ("stay", "/to/307/here/page"), ("stay", "/health"),
    ("named", "/page"), ("named", "/to/302/page"), ("user", "/page"), ("user", "/to/302/page"), ("user", "/to/302/here/page"),
    ("bearer", "/page"), ("old_bearer", "/page"),
    ("gzip", "/gzip-as-it-is"), ("gzip", "/gzip-twice"), ("gzip", "/gzip-cut"), ("gzip", "/page"), ("gzip_any", "/gzip-cut"), ("gzip_any", "/page"),
    ("gzip_small", "/gzip-large"), ("gzip_small", "/gzip-as-it-is"), ("deflate", "/deflate"), ("deflate", "/zlib"), ("br", "/br"), ("br", "/page"),
    ("identity", "/page"), ("small", "/large"), ("small", "/page"), ("http_2xx", "/large"),
    ("missing", "/page"), ("missing", "/status/500"), ("may_miss", "/page"), ("header_and_body", "/page"), ("header_and_body", "/status/404"),
    ("cel", "/page"), ("cel", "/status/404"), ("regexp_and_cel", "/json"), ("stay", "/status/500"), ("http_2xx", "/to/302/away/page"),
]  # fmt: skip
EXPRESSIONS = [
    "body.status == 'UP'", "body.count == 2", "body.count > 2.0", "body.count + 1.0 == 3.0", "body.count + 1 == 3", "body.parts.all(p, p.up)",
    "body.parts.exists(p, !p.up && p.name == 'mq')", "has(body.nothing)", "body.nothing == 1", "body.status", "size(body.parts) == 2",
    "body.status.matches('^U')", "body.parts[0].name in ['db', 'mq']", "body.parts[9].up", "body.count in [1, 2]", "int(body.count) % 2 == 0",
    "body.status == null", "body.status.startsWith('U') || body.nothing", "body.count < 3 ? true : false", "true",
]  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    folder = tmp_path_factory.mktemp("blackbox")
    (folder / "body").write_text("from a file")
    modules = MODULES.replace("BODY", str(folder / "body")).replace("CEL", "body.status == 'UP'")
    modules += "".join(
        f'  {kind}{number}: {{prober: http, http: {{{key}: "{expression}"}}}}\n'
        for number, expression in enumerate(EXPRESSIONS)
        for kind, key in (("c", "fail_if_body_json_matches_cel"), ("n", "fail_if_body_json_not_matches_cel"))
    )
    with _both(folder, modules, http_2xx="observe") as pair:
        yield pair


@contextmanager
def _both(
    folder: Path, modules: str, environ: dict[str, str] | None = None, **policies: str
) -> Iterator[tuple[str, str]]:
    (folder / "blackbox.yml").write_text(modules)
    with blackbox(folder, **(environ or {})) as theirs, prober(folder, **policies) as ours:
        yield theirs, ours


def _alike(both: tuple[str, str], module: str, target: str, **more: str) -> dict[str, str]:
    (status, theirs), (own_status, ours) = (probed(exporter, module, target, **more) for exporter in both)
    assert (status, own_status) == (200, 200)
    assert not differing(theirs, ours)
    return ours


@pytest.mark.parametrize(("module", "path"), CASES)
def test_an_answer_gives_the_same_requests_and_metrics(both: tuple[str, str], module: str, path: str) -> None:
    with serving() as (address, requests):
        _alike(both, module, address + path)
    away = (
        ("host", "authorization") if "away" in path else ()
    )  # of another host blackbox' newest only keeps secrets back
    first, second = halves(requests, "referer", *away)
    assert first == second


@pytest.mark.parametrize("number", range(len(EXPRESSIONS)))
def test_a_cel_expression_says_the_same_of_a_body(both: tuple[str, str], number: int) -> None:
    with serving() as (address, _):
        results = [_alike(both, f"{kind}{number}", f"{address}/json")["probe_success"] for kind in ("c", "n")]
    assert results != ["1", "1"], "it is true, false, or fails both"


def test_the_name_of_a_host_that_differs_from_the_configured_one_is_refused_by_both(both: tuple[str, str]) -> None:
    with serving() as (address, requests):
        _alike(both, "http_2xx", f"{address}/page", hostname="other.example")
        assert [probed(exporter, "named", f"{address}/page", hostname="other.example")[0] for exporter in both] == [
            400,
            400,
        ]
        _alike(both, "named", f"{address}/page", hostname="admin.example")
    assert [headers["host"] for _, headers in requests] == ["other.example"] * 2 + ["admin.example"] * 2


def test_credentials_are_not_taken_to_another_host(both: tuple[str, str]) -> None:
    with serving() as (address, requests):
        probed(both[1], "user", f"{address}/to/302/away/page")
    assert ["authorization" in headers for _, headers in requests] == [True, False]


PROXIED = """\
modules:
  plain: {prober: http, http: {proxy_url: "http://u:p@PROXY", headers: {Host: admin.example}}}
  late: {prober: http, http: {proxy_url: "http://PROXY", skip_resolve_phase_with_proxy: true}}
  but: {prober: http, http: {proxy_url: "http://PROXY", no_proxy: ".inside.example,10.0.0.0/8"}}
  env: {prober: http, http: {proxy_from_environment: true, skip_resolve_phase_with_proxy: true}}
  tunnel: {prober: http, http: {proxy_url: "http://u:p@PROXY", proxy_connect_header: {X-Why: [a, b]}, tls_config: {ca_file: CA}}}
"""


def test_an_http_proxy_is_asked_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with http_proxy(("127.0.0.1", 1)) as (proxy, asked), serving() as (address, _):
        environ = {"HTTP_PROXY": proxy, "NO_PROXY": "inside.example"}
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        modules = PROXIED.replace("PROXY", proxy).replace("CA", "/dev/null")
        with _both(tmp_path, modules, environ) as both:
            for module, target in (
                ("plain", f"{address}/page?a=b"), ("late", "http://app.example/health"), ("env", "http://app.example:8080/"), ("but", f"{address}/page"),
            ):  # fmt: skip
                assert _alike(both, module, target)["probe_success"] == "1", module
            before = len(asked)
            for exporter in both:
                assert probed(exporter, "env", "http://a.inside.example/")[1]["probe_success"] == "0"
    first, second = asked[:before:2], asked[1:before:2]
    assert first == second
    assert [line for line, _ in first] == [
        "GET http://admin.example/page?a=b HTTP/1.1", "GET http://app.example/health HTTP/1.1", "GET http://app.example:8080/ HTTP/1.1",
    ]  # fmt: skip
    assert first[0][1]["proxy-authorization"] == "Basic dTpw"
    assert len(asked) == before, "an exception is not asked through the proxy, nor is this machine"


SOCKS = """\
modules:
  socks: {prober: http, http: {proxy_url: "socks5://PROXY"}}
  known: {prober: http, http: {proxy_url: "socks5://u:p%40@KNOWN", skip_resolve_phase_with_proxy: true}}
  wrong: {prober: http, http: {proxy_url: "socks5://u:no@KNOWN"}}
"""


def test_a_socks_proxy_is_asked_the_same(tmp_path: Path) -> None:
    with serving() as (address, _):
        to = ("127.0.0.1", int(address.rpartition(":")[2]))
        with (
            socks_proxy(to) as (proxy, asked),
            socks_proxy(to, b"u", b"p@") as (known, also),
            _both(tmp_path, SOCKS.replace("PROXY", proxy).replace("KNOWN", known)) as both,
        ):
            assert _alike(both, "socks", f"{address}/page")["probe_success"] == "1"
            assert _alike(both, "known", "http://app.example:81/page")["probe_success"] == "1"
            assert _alike(both, "wrong", f"{address}/page")["probe_success"] == "0"
    assert asked[0] == asked[1] == b"\x01\x7f\x00\x00\x01" + to[1].to_bytes(2)
    assert also[0] == also[1] == b"\x03app.example\x00\x51"


OAUTH2 = """\
modules:
  basic: {prober: http, http: {oauth2: {client_id: prober, client_secret: s3cret, scopes: [read, write], token_url: "URL/token/basic", endpoint_params: {audience: a b}}}}
  form: {prober: http, http: {oauth2: {client_id: prober, client_secret: s3cret, token_url: "URL/token/form"}}}
  wrong: {prober: http, http: {oauth2: {client_id: prober, client_secret: other, token_url: "URL/token/basic"}}}
"""


def test_a_token_of_oauth_2_is_fetched_alike_and_kept_here(tmp_path: Path) -> None:
    with serving() as (address, requests), _both(tmp_path, OAUTH2.replace("URL", address)) as both:
        for module, success in (("basic", "1"), ("form", "1"), ("wrong", "0")):
            requests.clear()
            assert _alike(both, module, f"{address}/private")["probe_success"] == success
            first, second = halves(requests, "accept-encoding", "content-length", "user-agent")
            assert [(path, _form(headers)) for path, headers in first] == [
                (path, _form(headers)) for path, headers in second
            ]
        requests.clear()
        for _ in range(3):
            assert probed(both[1], "basic", f"{address}/private")[1]["probe_success"] == "1"
    assert [path for path, _ in requests] == ["/private"] * 3, "the token is not fetched again"


def _form(headers: dict[str, str]) -> dict[str, str]:
    return {name: "&".join(sorted(value.split("&"))) if name == "(body)" else value for name, value in headers.items()}


TLS = """\
modules:
  whole: {prober: http, http: {tls_config: {ca_file: DIR/ca.crt}}}
  unchecked: {prober: http, http: {tls_config: {insecure_skip_verify: true}}}
  unknown: {prober: http}
  other_name: {prober: http, http: {tls_config: {ca_file: DIR/ca.crt, server_name: other.example}}}
  right_name: {prober: http, http: {tls_config: {ca_file: DIR/ca.crt, server_name: app.example}}}
  by_host: {prober: http, http: {tls_config: {ca_file: DIR/ca.crt}, headers: {Host: app.example}}}
  too_new: {prober: http, http: {tls_config: {ca_file: DIR/ca.crt, min_version: TLS13}}}
  old: {prober: http, http: {tls_config: {ca_file: DIR/ca.crt, max_version: TLS12}, enable_http2: false}}
  with_cert: {prober: http, http: {tls_config: {ca_file: DIR/ca.crt, cert_file: DIR/server.crt, key_file: DIR/server.key}}}
  with_texts: {prober: http, http: {tls_config: {ca: "CA", cert: "CERT", key: "KEY"}}}
  never: {prober: http, http: {tls_config: {ca_file: DIR/ca.crt}, fail_if_ssl: true}}
  posts: {prober: http, http: {method: POST, body: "a=1", tls_config: {ca_file: DIR/ca.crt}}}
  tunnel: {prober: http, http: {proxy_url: "http://u:p@PROXY", proxy_connect_header: {X-Why: [a]}, tls_config: {ca_file: DIR/ca.crt}}}
  refused: {prober: http, http: {proxy_url: "http://REFUSING", tls_config: {ca_file: DIR/ca.crt}}}
"""
NGINX = """\
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port} ssl http2;
    ssl_certificate {folder}/chain.crt; ssl_certificate_key {folder}/server.key;
    ssl_client_certificate {folder}/ca.crt; ssl_verify_client optional;
    ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;
    location / {{ return 200 "$ssl_client_verify $ssl_server_name $request_method"; }}
  }}
}}
"""


def test_tls_settings_chains_and_tunnels_give_the_same_metrics(tmp_path: Path) -> None:
    _authority(tmp_path)
    port = servers.free_port()
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, port=port))
    texts = {"CA": "ca.crt", "CERT": "server.crt", "KEY": "server.key"}
    nginx = subprocess.Popen(["nginx", "-c", tmp_path / "nginx.conf", "-p", tmp_path], stderr=subprocess.DEVNULL)
    target = f"https://127.0.0.1:{port}/"
    try:
        with (
            http_proxy(("127.0.0.1", port)) as (proxy, asked),
            http_proxy(("127.0.0.1", 1), refuses=True) as (refusing, _),
        ):
            modules = TLS.replace("PROXY", proxy).replace("REFUSING", refusing).replace("DIR", str(tmp_path))
            for word, file in texts.items():
                modules = modules.replace(f'"{word}"', '"' + (tmp_path / file).read_text().replace("\n", "\\n") + '"')
            with _both(tmp_path, modules) as both:
                wait_until(lambda: probed(both[1], "whole", target)[1]["probe_success"] == "1", "nginx answers")
                success = {line.split(":")[0].strip(): "" for line in TLS.splitlines()[1:]}
                for module in success:
                    success[module] = _alike(both, module, target)["probe_success"]
                verified = [
                    probed(exporter, "with_cert", target)[1]["probe_http_uncompressed_body_length"] for exporter in both
                ]
    finally:
        nginx.kill()
        nginx.wait()
    failing = {module for module, value in success.items() if value == "0"}
    assert failing == {"unknown", "other_name", "too_new", "never", "refused"}
    assert verified[0] == verified[1] == str(float(len("SUCCESS  GET"))).removesuffix(".0")
    heads = [{name: value for name, value in headers.items() if name != "user-agent"} for _, headers in asked]
    assert asked[0][0] == asked[1][0] == f"CONNECT 127.0.0.1:{port} HTTP/1.1"
    assert heads[0] == heads[1]


def _authority(folder: Path) -> None:
    """Make an authority, a server's certificate by it that lives for a shorter time, and the chain of both."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl(
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "ca.key",
        "-out",
        "ca.crt",
        "-days",
        "9",
        "-subj",
        "/CN=Authority",
    )
    openssl(
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        "server.key",
        "-out",
        "server.csr",
        "-subj",
        "/O=Example/CN=app",
    )
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1,DNS:app.example")
    openssl("x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-out", "server.crt", "-days", "2",
            "-extfile", "names")  # fmt: skip
    (folder / "chain.crt").write_text((folder / "server.crt").read_text() + (folder / "ca.crt").read_text())
