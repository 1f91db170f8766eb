"""The real Consul 1.8 and the real Prometheus 2.24 against what is predicted from files alone."""

from __future__ import annotations

import json
import random
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest

from necropsy.probes.consul.catalog import ConsulText, read_catalog
from necropsy.probes.consul.checks import consul_probes
from necropsy.probes.consul.discovery import discover
from necropsy.probes.consul.filters import FilterRefused, compiled
from necropsy.probes.prometheus.configuration import parse_prometheus
from necropsy.probes.prometheus.targets.scraped import targets_of_job
from necropsy.probes.prometheus.version import prometheus_version
from waiting import wait_until

pytestmark = pytest.mark.integration

CHECKOUT = Path(__file__).parents[3]
TAGS = ("blackbox_exporter_http", "blue", "a,b", "ü", "x y")
META = ("health_check_endpoint", "a-b", "rack-no", "v")


@pytest.fixture(scope="module")
def binaries() -> Path:
    folder = CHECKOUT / ".tools" / "debian-11" / "usr" / "bin"
    fetched = subprocess.run([CHECKOUT / "tools" / "debian-release", "11"], capture_output=True, text=True, check=False)
    if fetched.returncode:
        pytest.skip(f"needs Consul 1.8 and Prometheus 2.24: {fetched.stderr.strip()}")
    return folder


def free_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in taken]


def until(answer: Callable[[], Any]) -> Any:
    """Ask until there is something other than nothing."""

    def found() -> Any:
        try:
            return answer()
        except URLError:
            return None

    return wait_until(found, "Consul or Prometheus answers")


def fetch(url: str) -> Any:
    with urlopen(url) as answer:
        return json.load(answer)


@dataclass(frozen=True)
class Agent:
    """A running agent, which is also the only server."""

    url: str

    def get(self, path: str) -> Any:
        return fetch(f"{self.url}{path}")

    def register(self, body: dict[str, Any]) -> None:
        data = json.dumps(body).encode()
        urlopen(Request(f"{self.url}/v1/catalog/register", data=data, method="PUT")).close()


def own_services(agent: Agent) -> set[str]:
    return {service["Service"] for service in agent.get("/v1/agent/services").values()}


def known_services(agent: Agent) -> set[str]:
    return {name for name in agent.get("/v1/catalog/services") if agent.get(f"/v1/health/service/{name}")}


@contextmanager
def consul(binaries: Path, folder: Path) -> Iterator[Agent]:
    """Start an agent that reads the definitions of a folder."""
    http, server, lan, wan = free_ports(4)
    ports = [f"-http-port={http}", f"-server-port={server}", f"-serf-lan-port={lan}", f"-serf-wan-port={wan}"]
    command = [binaries / "consul", "agent", "-dev", *ports, "-dns-port=-1", "-grpc-port=-1", f"-config-dir={folder}"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            agent = Agent(f"http://127.0.0.1:{http}")
            # A leader is there, and the agent has told it of its own services.
            until(lambda: own_services(agent) and own_services(agent) <= known_services(agent))
            yield agent
        finally:
            process.terminate()


@contextmanager
def prometheus(binaries: Path, folder: Path, configuration: str) -> Iterator[str]:
    (folder / "prometheus.yml").write_text(configuration)
    [port] = free_ports(1)
    command = [
        binaries / "prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()


def random_service(source: random.Random, number: int) -> dict[str, Any]:
    service: dict[str, Any] = {
        "name": f"web-{number % 4}",
        "id": f"Server:{number}",
        "port": source.choice((0, 80, 8080 + number)),
    }
    service["tags"] = source.sample(TAGS, source.randrange(4))
    if source.random() < 0.4:
        service["address"] = source.choice(("10.1.1.1", "fd00::7", "web.example.com"))
    service["meta"] = {key: source.choice(("health", "", "1 2")) for key in source.sample(META, source.randrange(3))}
    check = {
        "name": f"check {number}",
        "http": f"http://localhost:{number}/health",
        "interval": "2h",
        "status": "passing",
    }
    if source.random() < 0.5:
        service["checks" if source.random() < 0.5 else "check"] = check
        if "checks" in service:
            service["checks"] = [check, {"name": "other", "ttl": "3h", "status": "passing"}]
    return service


def as_hcl(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + "\n".join(f'"{key}" = {as_hcl(item)}' for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(as_hcl(item) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False)


def written_definitions(source: random.Random, folder: Path) -> list[Path]:
    folder.mkdir()
    services = [random_service(source, number) for number in range(16)]
    (folder / "agent.json").write_text(
        json.dumps({"node_name": "admin-1", "datacenter": "eu-1", "bind_addr": "127.0.0.1"})
    )
    (folder / "many.json").write_text(json.dumps({"services": services[:6]}))
    (folder / "one.json").write_text(json.dumps({"service": services[6]}))
    (folder / "many.hcl").write_text("\n".join(f"services {as_hcl(service)}" for service in services[7:15]))
    (folder / "one.hcl").write_text(f"service = {as_hcl(services[15])}\n")
    return sorted(folder.iterdir())


def register_nodes(source: random.Random, agent: Agent) -> None:
    """Nodes without agents, with everything that an agent's own registration would not show."""
    for node in range(5):
        address = source.choice((f"10.0.0.{node}", f"fd00::{node}"))
        for number in range(4):
            checks = [
                {"Node": f"n{node}", "CheckID": f"c{number}", "Name": "c", "ServiceID": f"s{number}",
                 "Status": source.choice(("passing", "warning", "critical"))}
            ]  # fmt: skip
            if source.random() < 0.3:
                checks.append({"Node": f"n{node}", "CheckID": f"_service_maintenance:s{number}", "Name": "m",
                               "ServiceID": f"s{number}", "Status": "critical"})  # fmt: skip
            if node == 4:
                checks.append({"Node": "n4", "CheckID": "_node_maintenance", "Name": "m", "Status": "critical"})
            service = random_service(source, number)
            agent.register(
                {
                    "Node": f"n{node}", "Address": address, "NodeMeta": {"rack-no": str(node % 2), "a-b": "x"},
                    "TaggedAddresses": {"lan": address, "wan": "203.0.113.9"},
                    "Service": {"ID": f"s{number}", "Service": service["name"], "Port": service["port"],
                                "Address": service.get("address", ""), "Tags": service["tags"], "Meta": service["meta"]},
                    "Checks": checks,
                }
            )  # fmt: skip


def random_jobs(source: random.Random, server: str) -> list[dict[str, Any]]:
    jobs = []
    # Of several targets that become the same, Prometheus shows one, whichever it is.
    unique = {"source_labels": ["__meta_consul_node", "__meta_consul_service_id"], "target_label": "who"}
    for number in range(12):
        settings: dict[str, Any] = {"server": server}
        if source.random() < 0.4:
            settings["services"] = source.sample(["web-0", "web-1", "web-2", "web-3", "nobody"], source.randrange(1, 3))
        if source.random() < 0.4:
            settings["tags"] = source.sample(TAGS, source.randrange(1, 3))
        if source.random() < 0.3:
            settings["node_meta"] = {"rack-no": source.choice(("0", "1"))}
        if source.random() < 0.3:
            settings["tag_separator"] = source.choice(("|", "", ";"))
        rules = [
            {"source_labels": ["__meta_consul_health"], "regex": "passing|critical", "action": "keep"},
            {"source_labels": ["__address__", "__meta_consul_service_metadata_health_check_endpoint"],
             "regex": "(.*);(.*)", "target_label": "__param_target", "replacement": "$1/$2"},
            {"source_labels": ["__meta_consul_tags"], "target_label": "tags"},
        ]  # fmt: skip
        jobs.append(
            {"job_name": f"job-{number}", "metrics_path": "/probe", "scrape_interval": "1h", "consul_sd_configs": [settings],
             "relabel_configs": [unique, *source.sample(rules, source.randrange(4))]}
        )  # fmt: skip
    return jobs


def predicted(configuration: str, texts: list[ConsulText], only_node: str = "") -> dict[str, list[Any]]:
    """Targets by job: (labels before relabelling, URL or nothing)."""
    catalog = read_catalog(texts)
    assert catalog.problems == ()
    version = prometheus_version("2.24.1+ds")
    found: dict[str, list[Any]] = {}
    for job in parse_prometheus(configuration, "prometheus.yml", prometheus="2.24.1+ds").jobs:
        groups = [group for discovery in job.discoveries for group in discover(discovery.node, catalog)[0]]
        found[job.name] = [
            (target.discovered_labels, target.url if not target.dropped_because else "")
            for target in targets_of_job(job, groups, version=version)
            if only_node in ("", target.discovered_labels["__meta_consul_node"])
        ]
    return found


def measured(url: str, only_node: str = "") -> dict[str, list[Any]]:
    answer = fetch(f"{url}/api/v1/targets")["data"]
    found: dict[str, list[Any]] = {}
    for target in answer["activeTargets"]:
        found.setdefault(target["scrapePool"], []).append((target["discoveredLabels"], target["scrapeUrl"]))
    for target in answer["droppedTargets"]:
        labels = target["discoveredLabels"]
        found.setdefault(labels["job"], []).append((labels, ""))
    return {
        job: [pair for pair in pairs if only_node in ("", pair[0]["__meta_consul_node"])]
        for job, pairs in found.items()
    }


def comparable(found: dict[str, list[Any]]) -> dict[str, list[str]]:
    return {
        job: sorted(json.dumps(pair, sort_keys=True) for pair in pairs) for job, pairs in sorted(found.items()) if pairs
    }


def settled(url: str, expected: dict[str, list[str]], only_node: str = "") -> dict[str, list[str]]:
    """Return what Prometheus has found as soon as it is what is expected, or what it has after half a minute."""
    found: dict[str, list[str]] = {}
    for _ in range(150):
        try:
            found = comparable(measured(url, only_node))
        except URLError:
            found = {}
        if found == expected:
            break
        time.sleep(0.2)
    return found


@pytest.mark.parametrize("seed", [1, 2])
def test_discovery_from_files_is_what_prometheus_finds_through_consul(
    binaries: Path, tmp_path: Path, seed: int
) -> None:
    source = random.Random(seed)
    definitions = written_definitions(source, tmp_path / "consul.d")
    with consul(binaries, tmp_path / "consul.d") as agent:
        register_nodes(source, agent)
        jobs = random_jobs(source, agent.url.removeprefix("http://"))
        configuration = json.dumps({"scrape_configs": jobs})
        answers = [
            ConsulText(f"health-{name}.json", json.dumps(agent.get(f"/v1/health/service/{name}")))
            for name in agent.get("/v1/catalog/services")
        ]
        files = [ConsulText(str(path), path.read_text()) for path in definitions]
        with prometheus(binaries, tmp_path, configuration) as url:
            # Saved answers alone, then with the definitions beside them: the same.
            expected = comparable(predicted(configuration, answers))
            assert settled(url, expected) == expected
            assert comparable(predicted(configuration, [*answers, *files])) == expected
            # The definitions alone, as far as their own node goes.
            from_files = comparable(predicted(configuration, files, "admin-1"))
            assert comparable(without_consul(measured(url, "admin-1"))) == from_files
    assert sum(len(pairs) for pairs in expected.values()) > 50


def without_consul(found: dict[str, list[Any]]) -> dict[str, list[Any]]:
    """Consul registers itself, too, in no file."""
    return {
        job: [pair for pair in pairs if pair[0]["__meta_consul_service"] != "consul"] for job, pairs in found.items()
    }


# What 1.8 takes; texts for each kind of selector, right ones and wrong ones.
SELECTORS = {
    "health": ("Service.Service", "Service.ID", "Service.Address", "Service.Port", "Service.Tags", "Service.Meta",
               "Service.Meta.v", 'Service.Meta["a-b"]', "Service.Meta.rack", "Node.Node", "Node.Address", "Node.Datacenter",
               "Node.Meta", 'Node.Meta["rack-no"]', "Node.TaggedAddresses.wan", "Checks", "Checks.Status", "Checks.CheckID",
               "Checks.ServiceTags", "Service.Nothing", "ServiceName", "Node"),
    "catalog": ("ServiceName", "ServiceID", "ServiceAddress", "ServicePort", "ServiceTags", "ServiceMeta", "ServiceMeta.v",
                'ServiceMeta["a-b"]', "Node", "Address", "Datacenter", "NodeMeta", 'NodeMeta["rack-no"]',
                "TaggedAddresses.wan", "Service.Service", "ServiceNothing"),
}  # fmt: skip
VALUES = ("web", '"web-1"', "`s1`", "80", '"0x50"', "8080", "blue", '"a,b"', '"x y"', "v", "passing", "critical", '"1"', "n1",
          '"10.0.0.1"', '""', "dc1", "s", '"^s[12]$"', '"("', "0", '"\\u0062lue"', "'x'")  # fmt: skip


def random_filter(source: random.Random, kind: str, depth: int = 0) -> str:
    if depth < 3 and source.random() < 0.4:
        parts = [random_filter(source, kind, depth + 1) for _ in range(source.randrange(2, 4))]
        joined = parts[0]
        for part in parts[1:]:
            joined += source.choice((" and ", " or ", "\tor ")) + part
        return f"( {joined})" if source.random() < 0.5 else joined
    negation = "not " * source.choice((0, 0, 0, 1, 2))
    selector, value = source.choice(SELECTORS[kind]), source.choice(VALUES)
    keyed = any(mark in selector for mark in ("Meta.", "Meta[", "Addresses."))
    comparisons = (
        (f"{selector} == {value}", f"{selector}!={value}", f"{selector} contains {value}", f"{selector} not contains {value}",
         f"{value} in {selector}", f"{value}  not in {selector}",
         f"{selector} matches {value}", f"{selector} not matches {value}")
    )  # fmt: skip
    if not keyed:  # 1.8 refuses this for the value of a key, later ones do not
        comparisons += (f"{selector} is empty", f"{selector} is not empty")
    return negation + source.choice(comparisons)


def consuls_choice(agent: Agent, kind: str, text: str) -> list[tuple[str, str]] | None:
    """What the real one answers for all services: (node, service ID); None where it refuses the filter."""
    chosen: list[tuple[str, str]] = []
    path = "/v1/health/service/" if kind == "health" else "/v1/catalog/service/"
    for name in ("web-0", "web-1", "web-2", "web-3"):
        try:
            answer = agent.get(f"{path}{name}?filter={quote(text)}")
        except HTTPError as error:
            error.close()
            return None
        for item in answer:
            where, what = (
                (item["Node"]["Node"], item["Service"]["ID"]) if kind == "health" else (item["Node"], item["ServiceID"])
            )
            chosen.append((where, what))
    return sorted(chosen)


@pytest.mark.parametrize("kind", ["health", "catalog"])
def test_filters_choose_what_consul_chooses_and_are_refused_where_it_refuses(
    binaries: Path, tmp_path: Path, kind: str
) -> None:
    source = random.Random(11)
    written_definitions(source, tmp_path / "consul.d")
    compared = refused = 0
    with consul(binaries, tmp_path / "consul.d") as agent:
        register_nodes(source, agent)
        answers = [
            ConsulText(f"{name}.json", json.dumps(agent.get(f"/v1/health/service/{name}")))
            for name in ("web-0", "web-1", "web-2", "web-3")
        ]
        instances = read_catalog(answers).instances
        for _ in range(400):
            text = random_filter(source, kind)
            expected = consuls_choice(agent, kind, text)
            try:
                ours = compiled(text)
                found = [(i, ours.of_health(i) if kind == "health" else ours.of_catalog(i)) for i in instances]
            except FilterRefused:
                assert expected is None, text
                refused += 1
                continue
            assert expected is not None, text
            if "matches" in text and "Meta" in text:
                continue  # 1.8 lets a key that is not there match everything; mended in go-bexpr 0.1.11
            assert sorted((i.node.name, i.service_id) for i, passes in found if passes) == expected, text
            assert not any(passes is None for _, passes in found), text
            compared += 1
    assert compared > 100
    assert refused > 50


def test_where_1_8_differs_from_later_ones_it_differs_as_the_documentation_says(binaries: Path, tmp_path: Path) -> None:
    source = random.Random(12)
    written_definitions(source, tmp_path / "consul.d")
    with consul(binaries, tmp_path / "consul.d") as agent:
        register_nodes(source, agent)
        everybody = consuls_choice(agent, "health", "Service.Port != 1")
        matching = consuls_choice(agent, "health", "Service.Meta.nobody matches `^x$`")
        equal = consuls_choice(agent, "health", "Service.Meta.nobody == x")
        empty = consuls_choice(agent, "health", "Service.Meta.nobody is empty")
    assert everybody
    assert matching == everybody  # a key that is missing matches every expression there
    assert equal == []
    assert empty is None  # refused for the value of a key


def test_consuls_own_check_sends_what_is_predicted_and_keeps_no_cookie(binaries: Path, tmp_path: Path) -> None:
    seen: list[tuple[str, str, dict[str, str]]] = []

    class Stub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append((self.command, self.path, dict(self.headers)))
            self.send_response(302 if self.path == "/health" else 200)
            self.send_header("Location", "/health/ready")
            self.send_header("Set-Cookie", "SESSION=value; Path=/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    port = server.server_address[1]
    definition = {
        "service": {"name": "web", "port": port, "check": {"http": f"http://localhost:{port}/health", "interval": "1s"}}
    }
    (tmp_path / "consul.d").mkdir()
    (tmp_path / "consul.d" / "web.json").write_text(json.dumps(definition))
    try:
        with consul(binaries, tmp_path / "consul.d"):
            until(lambda: len(seen) >= 4)
    finally:
        server.shutdown()
        server.server_close()
    [probe] = consul_probes(read_catalog([ConsulText("web.json", json.dumps(definition))]))
    method, path, headers = seen[0]
    assert (method, path, headers["Host"]) == (probe.method, probe.path, f"{probe.host}:{probe.port}")
    assert headers["User-Agent"].startswith(probe.user_agents)
    assert probe.follows_redirects
    assert [path for _, path, _ in seen[:4]] == ["/health", "/health/ready"] * 2
    assert not any("Cookie" in headers for _, _, headers in seen)
    assert dict(probe.headers).items() <= headers.items()
    assert headers["Connection"] == "close"
