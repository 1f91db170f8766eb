"""The exporter's addresses, asked over HTTP: one server or several, hanging ones, strangers' targets, passwords."""

from __future__ import annotations

import base64
import contextlib
import os
import signal
import ssl
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPMessage
from pathlib import Path

import bcrypt
import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families

import servers
from necropsy.guard.exporter.site import Exporter
from necropsy.guard.exporter.target import Options
from necropsy.guard.web import TIMEOUT_HEADER, Site, WebConfig, read_web_config, serve
from necropsy.model.errors import UsageError
from necropsy.wire.redis.address import parse_address
from strangers import stranger
from waiting import wait_until
from wire.redis.nodes import sentinel_of

pytestmark = pytest.mark.integration


@contextmanager
def exporter(urls: Mapping[str, str], config: WebConfig | None = None) -> Iterator[str]:
    shown = Exporter([(name, parse_address(url, environ={})) for name, url in urls.items()], Options())
    server = serve("127.0.0.1:0", Site(shown.routes(), config))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        shown.close()


def get(url: str, **headers: str) -> tuple[int, str, HTTPMessage]:
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def test_one_server_is_shown_at_metrics_and_the_text_is_read_by_prometheus_client() -> None:
    with servers.running("redis-7.0", tcp=True) as server, exporter({"A": f"redis://127.0.0.1:{server.port}"}) as url:
        status, text, headers = get(f"{url}/metrics")
        assert status == 200
        assert headers["Content-Type"].startswith("text/plain; version=0.0.4")
        names = {family.name for family in text_string_to_metric_families(text)}
        assert {"redis_up", "redis_memory_used_bytes", "process_resident_memory_bytes"} <= names
        assert get(f"{url}/-/healthy")[:2] == (200, "ok\n")


def test_of_several_servers_each_is_shown_by_its_name_or_its_address_and_no_other() -> None:
    with contextlib.ExitStack() as stack:
        a, b = (stack.enter_context(servers.running(name, tcp=True)) for name in ("redis-7.0", "valkey-9"))
        url = stack.enter_context(exporter({"A": f"redis://127.0.0.1:{a.port}", "B": f"redis://127.0.0.1:{b.port}"}))
        assert "valkey_version" in get(f"{url}/scrape?target=B")[1]
        assert f'tcp_port="{a.port}"' in get(f"{url}/scrape?target=redis://127.0.0.1:{a.port}")[1]
        status, text, _ = get(f"{url}/scrape?target=redis://10.0.0.9:6379")
        assert status == 400
        assert "not configured here; known: A, B" in text
        assert "redis_target_scrape_request_errors_total 1\n" in get(f"{url}/scrape?target=A")[1]
        assert "redis_up" not in get(f"{url}/metrics")[1]


def test_a_server_that_is_down_is_up_0_with_the_reason_and_nothing_of_the_server() -> None:
    with exporter({"A": f"redis://user:hunter2@127.0.0.1:{servers.free_port()}"}) as url:
        status, text, _ = get(f"{url}/metrics")
        assert status == 200
        assert "redis_up 0\n" in text
        assert 'redis_exporter_last_scrape_error{err="127.0.0.1:' in text
        assert "hunter2" not in text
        assert "redis_memory_used_bytes" not in text


def test_a_server_that_hangs_is_up_0_within_the_time_allowed_and_shown_again_when_it_goes_on() -> None:
    with servers.running("redis-7.0", tcp=True) as server, exporter({"A": f"redis://127.0.0.1:{server.port}"}) as url:
        assert "redis_up 1\n" in get(f"{url}/metrics")[1]
        os.kill(server.process.pid, signal.SIGSTOP)
        try:
            began = time.monotonic()
            text = get(f"{url}/metrics", **{TIMEOUT_HEADER: "1"})[1]
            took = time.monotonic() - began
        finally:
            os.kill(server.process.pid, signal.SIGCONT)
        assert "redis_up 0\n" in text
        assert "no answer within" in text
        assert took < 5, "a deadline, not a timing: 15 s would be the connection's own"
        assert "redis_up 1\n" in get(f"{url}/metrics")[1]


def test_a_server_that_restarted_is_shown_at_the_next_scrape() -> None:
    with servers.running("redis-7.0", tcp=True) as server, exporter({"A": f"redis://127.0.0.1:{server.port}"}) as url:
        get(f"{url}/metrics")
        server.client().client_kill_filter(_type="normal", skipme=True)
        assert "redis_up 1\n" in get(f"{url}/metrics")[1]


def test_the_master_that_a_sentinel_names_is_shown_also_after_a_failover() -> None:
    with contextlib.ExitStack() as stack:
        first, second = (stack.enter_context(servers.running("redis-7.0", tcp=True)) for _ in range(2))
        second.client().replicaof("127.0.0.1", first.port)
        wait_until(lambda: second.client().info("replication")["master_link_status"] == "up", "the replica follows")
        port = stack.enter_context(
            sentinel_of({"store": first}, "redis-7.0", "sentinel down-after-milliseconds store 2000")
        )
        sentinel = redis.Redis(port=port)
        wait_until(lambda: sentinel.execute_command("SENTINEL", "REPLICAS", "store"), "the Sentinel knows the replica")
        url = stack.enter_context(
            exporter({"A": f"redis://127.0.0.1:{port}?master=store", "S": f"redis://127.0.0.1:{port}"})
        )
        assert f'tcp_port="{first.port}"' in get(f"{url}/scrape?target=A")[1]
        assert 'redis_sentinel_master_status{master_address="127.0.0.1:' in get(f"{url}/scrape?target=S")[1]

        def asked() -> bool:
            with contextlib.suppress(redis.RedisError):  # not yet: it looks around first
                return bool(sentinel.execute_command("SENTINEL", "FAILOVER", "store"))
            return False

        wait_until(asked, "the Sentinel begins a failover")
        named = "SENTINEL GET-MASTER-ADDR-BY-NAME"
        wait_until(
            lambda: int(sentinel.execute_command(named, "store")[1]) == second.port, "the replica is the master now"
        )
        wait_until(lambda: first.client().info("replication")["role"] == "slave", "the old master is its replica")
        text = get(f"{url}/scrape?target=A")[1]
        assert "redis_up 1\n" in text
        assert f'tcp_port="{second.port}"' in text


def test_a_stranger_that_speaks_no_redis_is_up_0() -> None:
    with (
        stranger(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port,
        exporter({"A": f"redis://127.0.0.1:{port}"}) as url,
    ):
        assert "redis_up 0\n" in get(f"{url}/metrics")[1]


def test_a_scrape_reads_no_key_and_resets_no_idle_time() -> None:
    with servers.running("redis-7.0", tcp=True) as server, exporter({"A": f"redis://127.0.0.1:{server.port}"}) as url:
        client = server.client()
        client.set("session:1", "x")
        client.config_resetstat()
        get(f"{url}/metrics")
        get(f"{url}/metrics")
        asked = set(client.info("commandstats"))
        assert asked <= {f"cmdstat_{name}" for name in (
            "info", "slowlog|len", "slowlog|get", "latency|latest", "latency|histogram", "config|get", "ping",
            "client|setname", "client|no-touch", "config|resetstat", "hello")}  # fmt: skip


@pytest.mark.checkout
@pytest.mark.parametrize("server", ["redis-7.0", "redis-8.2", "valkey-9"])
def test_the_user_that_the_documentation_makes_can_do_all_that_a_scrape_asks(server: str) -> None:
    text = (Path(__file__).parents[3] / "docs" / "guard.md").read_text()
    (line,) = [line for line in text.splitlines() if line.startswith("ACL SETUSER exporter on >PASSWORD ")]
    words = [word for word in line.split() if server != "redis-7.0" or word != "+client|no-touch"]
    with servers.running(server, tcp=True) as running:
        running.client().execute_command(*words)
        with (
            exporter({"A": f"redis://127.0.0.1:{running.port}"}) as whole,
            exporter({"A": f"redis://exporter:PASSWORD@127.0.0.1:{running.port}"}) as limited,
        ):
            names = [
                {family.name for family in text_string_to_metric_families(get(f"{url}/metrics")[1])}
                for url in (whole, limited, whole)
            ]
        assert names[0] <= names[1] | {"redis_errors"}
        assert names[1] <= names[2]
        assert running.client().acl_log() == []


def test_basic_authentication_lets_only_those_in_who_know_the_password() -> None:
    stored = bcrypt.hashpw(b"right", bcrypt.gensalt(4)).decode()
    with exporter({"A": "redis://127.0.0.1:1"}, WebConfig(users={"prometheus": stored})) as url:

        def with_password(password: str) -> int:
            coded = base64.b64encode(f"prometheus:{password}".encode()).decode()
            return get(f"{url}/-/healthy", Authorization=f"Basic {coded}")[0]

        assert get(f"{url}/-/healthy")[0] == 401
        assert [with_password("wrong"), with_password("right"), with_password("right")] == [401, 200, 200]


def test_tls_is_served_with_the_certificate_of_the_web_config(tmp_path: Path) -> None:
    certificate, key = tmp_path / "server.crt", tmp_path / "server.key"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)  # fmt: skip
    (tmp_path / "web.yml").write_text("tls_server_config:\n  cert_file: server.crt\n  key_file: server.key\n")
    with exporter({"A": "redis://127.0.0.1:1"}, read_web_config(tmp_path / "web.yml")) as url:
        context = ssl.create_default_context(cafile=str(certificate))
        with urllib.request.urlopen(url.replace("http", "https") + "/-/healthy", context=context, timeout=10) as answer:
            assert answer.status == 200


def test_a_web_config_with_a_key_that_is_not_served_is_refused(tmp_path: Path) -> None:
    (tmp_path / "web.yml").write_text("tls_server_config:\n  min_version: TLS13\nrate_limit:\n  burst: 1\n")
    with pytest.raises(UsageError, match=r"not served here: rate_limit, tls_server_config\.min_version"):
        read_web_config(tmp_path / "web.yml")


@pytest.mark.parametrize("listen", ["9121", "nowhere", "127.0.0.1:http", "127.0.0.1:99999", "256.0.0.1:80"])
def test_an_address_to_listen_on_that_is_none_is_refused(listen: str) -> None:
    with pytest.raises(UsageError):
        serve(listen, Site({}))
