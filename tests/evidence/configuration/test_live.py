"""Running servers as evidence: the real Consul 1.8, the real Prometheus 2.24, 2.42, 2.53 and 3.5."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

from necropsy.evidence.configuration.reader import read
from necropsy.probes.monitoring import Monitoring
from necropsy.probes.simulate import simulate
from probes.consul.test_against_consul import Agent, binaries, consul, free_ports, until
from probes.oracle import RELEASES, running, use, version

__all__ = ["binaries"]
pytestmark = pytest.mark.integration

SECRET = "3f1c1a52-0000-4000-8000-feedfacecafe"


def definitions(folder: Path) -> Path:
    folder.mkdir()
    service = {"id": "web-1", "name": "web", "port": 8080, "tags": ["blue"], "meta": {"health": "/health"}}
    (folder / "web.json").write_text(json.dumps({"services": [service, {"name": "db", "port": 5432}]}))
    return folder


def test_a_running_consul_is_read_as_its_saved_answers_would_be(binaries: Path, tmp_path: Path) -> None:
    with consul(binaries, definitions(tmp_path / "consul.d")) as agent:
        files, [source], absent = read("consul", [agent.url])
    assert absent == []
    assert (source.locator, source.note) == (agent.url, "live Consul 1.8.7: 3 services")
    job = "{scrape_configs: [{job_name: a, consul_sd_configs: [{server: x, services: [web]}]}]}"
    (tmp_path / "prometheus.yml").write_text(job)
    configuration, _, _ = read("prometheus", [str(tmp_path / "prometheus.yml")])
    [probe] = [probe for probe in simulate([*files, *configuration]).probes if probe.kind == "scrape"]
    assert (probe.url, probe.health, probe.health_path) == ("http://127.0.0.1:8080/metrics", "passing", "/health")
    # Several lines a record: a line says which.
    origin = next(origin for origin in probe.origin if origin.file.startswith(agent.url))
    assert origin.line > 1


@contextmanager
def guarded(binaries: Path, folder: Path) -> Iterator[Agent]:
    """A Consul that refuses everybody without a token."""
    http, server, lan, wan = free_ports(4)
    (folder / "acl.json").write_text(
        json.dumps({"acl": {"enabled": True, "default_policy": "deny", "tokens": {"master": SECRET, "agent": SECRET}}})
    )
    ports = [f"-http-port={http}", f"-server-port={server}", f"-serf-lan-port={lan}", f"-serf-wan-port={wan}"]
    command = [binaries / "consul", "agent", "-dev", *ports, "-dns-port=-1", "-grpc-port=-1", f"-config-dir={folder}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield Agent(f"http://127.0.0.1:{http}")
        finally:
            process.terminate()
            process.wait()


def put(agent: Agent, path: str, body: dict[str, object]) -> dict[str, object]:
    data = json.dumps(body).encode()
    request = Request(f"{agent.url}{path}", data=data, method="PUT", headers={"X-Consul-Token": SECRET})
    with urlopen(request) as answer:
        text = answer.read()
    return json.loads(text) if text.startswith(b"{") else {}


def test_a_consul_that_refuses_is_absent_with_the_rule_to_add(
    binaries: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with guarded(binaries, definitions(tmp_path / "consul.d")) as agent:
        monkeypatch.setenv("CONSUL_HTTP_TOKEN", SECRET)

        def complete() -> bool:
            files, _, absent = read("consul", [agent.url])
            return not absent and any("web-1" in file.text for file in files)

        for _ in range(150):
            if complete():
                break
            time.sleep(0.2)
        files, sources, absent = read("consul", [agent.url])
        assert (absent, len(sources)) == ([], 1)

        # Services, but no nodes: Consul 1.8 leaves out every instance and says nothing.
        policy = put(agent, "/v1/acl/policy", {"Name": "half", "Rules": 'service_prefix "" { policy = "read" }'})
        token = put(agent, "/v1/acl/token", {"Policies": [{"ID": policy["ID"]}]})
        path = tmp_path / "token"
        path.write_text(f"{token['SecretID']}\n")
        monkeypatch.delenv("CONSUL_HTTP_TOKEN")
        monkeypatch.setenv("CONSUL_HTTP_TOKEN_FILE", str(path))
        half_files, _, half = read("consul", [agent.url])

        monkeypatch.setenv("CONSUL_HTTP_TOKEN", "11111111-0000-4000-8000-000000000000")
        _, _, unknown = read("consul", [agent.url])

        monkeypatch.delenv("CONSUL_HTTP_TOKEN")
        monkeypatch.delenv("CONSUL_HTTP_TOKEN_FILE")
        _, _, anonymous = read("consul", [agent.url])
    assert any("no instance that the token may read" in value.reason for value in half)
    assert any("403" in value.reason for value in unknown)
    assert any("may not even read the service consul" in value.reason for value in anonymous)
    for absences in (half, unknown, anonymous):
        hints = " ".join(value.hint for value in absences)
        assert 'service_prefix "" { policy = "read" }' in hints
        assert 'node_prefix "" { policy = "read" }' in hints
    shown = repr((files, half_files, sources, half, unknown, anonymous))
    assert SECRET not in shown
    assert str(token["SecretID"]) not in shown


CONFIGURATION = """
global: {scrape_interval: 7s, scrape_timeout: 7s}
scrape_configs:
  - job_name: probe
    metrics_path: /probe
    params: {module: [http_2xx]}
    file_sd_configs: [{files: [TARGETS]}]
    relabel_configs:
      - {source_labels: [gone], regex: "yes", action: drop}
      - {source_labels: [__address__], target_label: __param_target}
      - {target_label: __address__, replacement: "127.0.0.1:9"}
  - job_name: plain
    scheme: https
    static_configs: [{targets: ["a.example:8443", "b.example"]}]
"""


def check_prometheus(url: str, ask: object) -> None:
    files, [source], absent = read("prometheus", [url])
    assert absent == []
    assert source.locator == url
    found = simulate(files)
    [*_, last] = [problem.reason for problem in found.problems]
    assert "http_2xx" in last  # nothing else: no discovery is missing
    assert sorted(probe.url for probe in found.probes) == [
        "http://one.example/", "http://two.example/x",
        "https://a.example:8443/metrics", f"https://b.example{'' if version().startswith('3.') else ':443'}/metrics",
    ]  # fmt: skip
    assert {probe.period_s for probe in found.probes} == {7.0}
    assert [dropped.address for dropped in found.dropped] == ["http://three.example"]
    # Relabelled again here, they are what the server asks.
    active = ask("/api/v1/targets?state=active")["activeTargets"]  # type: ignore[operator]
    ours = [found.target.url for found in Monitoring(files).targets() if not found.target.dropped_because]
    assert sorted(ours) == sorted(target["scrapeUrl"] for target in active)
    static = next(probe for probe in found.probes if "a.example" in probe.url)
    assert static.origin[0].file == f"{url}/api/v1/status/config"


def written(folder: Path) -> str:
    targets = folder / "targets.json"
    targets.write_text(
        json.dumps(
            [{"targets": ["http://one.example", "http://two.example/x"]},
             {"targets": ["http://three.example"], "labels": {"gone": "yes"}}]
        )
    )  # fmt: skip
    return CONFIGURATION.replace("TARGETS", str(targets))


@pytest.mark.parametrize("release", RELEASES)
def test_a_running_prometheus_is_better_evidence_than_its_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, release: int
) -> None:
    use(release, monkeypatch)
    with running(tmp_path, written(tmp_path)) as server:
        until(lambda: len(server.active_targets()) == 4)
        check_prometheus(f"http://127.0.0.1:{server.port}", server.ask)


def test_whoever_is_not_there_or_something_else_is_absent(tmp_path: Path) -> None:
    [port] = free_ports(1)
    for kind in ("consul", "prometheus"):
        files, sources, [absent] = read(kind, [f"http://me:{SECRET}@127.0.0.1:{port}/"])
        assert (files, sources, absent.kind) == ([], [], kind)
        assert absent.hint
        assert SECRET not in repr(absent)
    with running(tmp_path, "{}") as server:
        _, sources, absents = read("consul", [f"http://127.0.0.1:{server.port}"])
    assert sources == []
    assert "answers 404" in absents[0].reason
    with pytest.raises(URLError):
        urlopen(f"http://127.0.0.1:{port}")
