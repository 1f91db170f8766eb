"""The same targets probed by the real blackbox exporter (Debian 14's) and by ours: same requests, same metrics."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import servers
from exporters import blackbox
from guard.prober.beside import differing, halves, probed, prober
from guard.prober.stub import serving
from strangers import stranger

pytestmark = pytest.mark.integration

MODULES = """\
modules:
  http_2xx: {prober: http}
  stay: {prober: http, http: {follow_redirects: false, valid_status_codes: [302]}}
  up: {prober: http, http: {fail_if_body_not_matches_regexp: ["UP"]}}
  not_hello: {prober: http, http: {fail_if_body_matches_regexp: ["hel+o"]}}
  header: {prober: http, http: {fail_if_header_not_matches: [{header: X-Kind, regexp: "^page$"}]}}
  tls_only: {prober: http, http: {fail_if_not_ssl: true}}
  post: {prober: http, http: {method: POST, body: "a=1", headers: {X-From: probe}}}
  packed: {prober: http, http: {compression: gzip, headers: {Accept-Encoding: gzip}, fail_if_body_not_matches_regexp: ["packed hello"]}}
  small: {prober: http, http: {body_size_limit: 4B}}
  version: {prober: http, http: {valid_http_versions: ["HTTP/2.0"]}}
"""
CASES = [
    ("http_2xx", "/health"), ("http_2xx", "/redirect"), ("http_2xx", "/status/404"), ("http_2xx", "/status/500"), ("stay", "/redirect"),
    ("up", "/health"), ("up", "/page"), ("not_hello", "/page"), ("header", "/page"), ("header", "/health"), ("tls_only", "/health"),
    ("post", "/page"), ("packed", "/gzip"), ("small", "/page"), ("version", "/health"), ("http_2xx", "/chunked"), ("http_2xx", "/loop"),
    ("http_2xx", "/cut"), ("http_2xx", "/status/204"), ("http_2xx", ""),
]  # fmt: skip


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    folder = tmp_path_factory.mktemp("blackbox")
    (folder / "blackbox.yml").write_text(MODULES)
    with blackbox(folder) as theirs, prober(folder, http_2xx="observe") as ours:
        yield theirs, ours


@pytest.mark.parametrize(("module", "path"), CASES)
def test_an_answer_gives_the_same_metrics(both: tuple[str, str], module: str, path: str) -> None:
    with serving() as (address, requests):
        (_, theirs), (_, ours) = (probed(exporter, module, address + path) for exporter in both)
    assert not differing(theirs, ours)
    first, second = halves(requests, "referer")
    assert first == second, "the same requests, header for header"


def test_a_refused_connection_an_unknown_name_and_a_missing_target_are_answered_alike(both: tuple[str, str]) -> None:
    for target in (f"127.0.0.1:{servers.free_port()}", "no-such-name.invalid"):
        (_, theirs), (_, ours) = (probed(exporter, "http_2xx", target) for exporter in both)
        assert theirs["probe_success"] == ours["probe_success"] == "0"
        assert theirs["probe_ip_protocol"] == ours["probe_ip_protocol"]
        assert set(theirs) <= set(ours)
    assert [probed(exporter, "nope", "x")[0] for exporter in both] == [400, 400]
    assert [probed(exporter, "http_2xx", "")[0] for exporter in both] == [400, 400]


NGINX = """\
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port} ssl{http2};
    ssl_certificate {folder}/server.crt; ssl_certificate_key {folder}/server.key;
    ssl_protocols TLSv1.2; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;  # else each client chooses what it likes
    location / {{ return 200 "hello over TLS"; }}
  }}
}}
"""


@pytest.mark.parametrize("http2", ["", " http2"])
def test_a_tls_server_gives_the_same_metrics_over_http_1_and_2(tmp_path: Path, http2: str) -> None:
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                    "-subj", "/O=Example/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"],
                   check=True, capture_output=True)  # fmt: skip
    port = servers.free_port()
    (tmp_path / "nginx.conf").write_text(NGINX.format(folder=tmp_path, port=port, http2=http2))
    (tmp_path / "blackbox.yml").write_text(
        f"modules: {{tls: {{prober: http, http: {{tls_config: {{ca_file: {certificate}}}}}}}}}"
    )
    nginx = subprocess.Popen(["nginx", "-c", tmp_path / "nginx.conf", "-p", tmp_path], stderr=subprocess.DEVNULL)
    try:
        with blackbox(tmp_path) as theirs, prober(tmp_path) as ours:
            for _ in range(50):
                both = [probed(exporter, "tls", f"https://127.0.0.1:{port}/")[1] for exporter in (theirs, ours)]
                if all(metrics["probe_success"] == "1" for metrics in both):
                    break
                time.sleep(0.1)
    finally:
        nginx.kill()
        nginx.wait()
    expected, found = both
    assert found["probe_success"] == "1"
    assert not differing(expected, found)
    assert found["probe_http_version"] == ("2" if http2 else "1.1")


def test_an_ipv6_target_is_asked_by_both(both: tuple[str, str]) -> None:
    with stranger(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nOK", host="::1") as port:
        target = f"http://[::1]:{port}/"
        (_, theirs), (_, ours) = (probed(exporter, "http_2xx", target) for exporter in both)
    for name in ("probe_success", "probe_ip_protocol", "probe_ip_addr_hash", "probe_http_status_code"):
        assert theirs[name] == ours[name], name
