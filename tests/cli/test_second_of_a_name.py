"""A second thing of a name, in another file, is a thing of its own: jobs, checks, containers, log formats, modules."""

from __future__ import annotations

from pathlib import Path

import pytest

from .running import run

JOB = """\
scrape_configs:
  - job_name: web
    scrape_interval: {seconds}s
    metrics_path: {path}
    static_configs: [{{targets: ["{host}"]}}]
"""
SERVICE = (
    '{{"services": [{{"id": "shop", "name": "shop", "port": {port},'
    ' "check": {{"http": "http://{host}{path}", "interval": "{seconds}s"}}}}]}}'
)
DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: shop, namespace: {space}}}
spec:
  template:
    metadata: {{labels: {{app: shop}}}}
    spec:
      containers:
        - name: web
          ports: [{{name: http, containerPort: {port}}}]
          livenessProbe: {{httpGet: {{path: {path}, port: http}}, periodSeconds: {seconds}}}
"""
FIRST = {"host": "10.0.0.1:8080", "path": "/one", "seconds": 10, "space": "one", "port": 8080}
SECOND = {"host": "10.0.0.2:9090", "path": "/two", "seconds": 30, "space": "two", "port": 9090}
OF_ONE_NAME = {
    "jobs of two servers": (JOB, "prometheus.yml", ("--prometheus", "{file}"), ("10.0.0.1", "10.0.0.2")),
    "services of two agents": (SERVICE, "services.json", ("--consul", "{file}"), ("10.0.0.1", "10.0.0.2")),
    "services of two nodes": (SERVICE, "services.json", ("--consul", "{folder}={file}"), ("10.0.0.1", "10.0.0.2")),
    "containers of two namespaces": (DEPLOYMENT, "shop.yml", ("--prober", "kubernetes={file}"), ("<address>",) * 2),
}


@pytest.mark.parametrize("name", OF_ONE_NAME)
def test_both_of_one_name_are_probes_with_their_own_address_path_and_period(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, file, option, hosts = OF_ONE_NAME[name]
    monkeypatch.chdir(tmp_path)
    given = []
    for folder, values in (("a", FIRST), ("b", SECOND)):
        Path(folder).mkdir()
        Path(folder, file).write_text(text.format(**values))
        given += [word.format(folder=folder, file=f"{folder}/{file}") for word in option]
    probes = run("probes", *given, "--format", "json").json["probes"]
    ports = [8080, 9090]
    assert sorted((p["url"], p["period_s"], p["origin"][0]["file"]) for p in probes) == sorted(
        (f"http://{host}:{port}{one['path']}", one["seconds"], f"{folder}/{file}")
        for host, port, one, folder in zip(hosts, ports, (FIRST, SECOND), ("a", "b"), strict=True)
    )


def test_services_of_two_agents_that_nothing_tells_apart_are_counted_once_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder, values in (("a", FIRST), ("b", {**SECOND, "port": 8080})):
        Path(folder).mkdir()
        Path(folder, "services.json").write_text(SERVICE.format(**values))
    said = run("probes", "--consul", "a/services.json", "--consul", "b/services.json").out
    assert "neither node's address is known: counted once" in " ".join(said.split())


def test_each_log_is_read_by_the_format_of_its_own_nginx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    formats = {
        "a": '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "-" "$http_user_agent"',
        "b": "$http_user_agent|$time_iso8601|$remote_addr|$status|$request",
    }
    for folder, written in formats.items():
        Path(folder).mkdir()
        Path(folder, "nginx.conf").write_text(
            f"events {{}}\nhttp {{\n  log_format main '{written}';\n  access_log /var/log/nginx/access.log main;\n}}\n"
        )
    Path("a.log").write_text(
        "".join(
            f'10.1.1.1 - - [09/Mar/2025:10:00:{s:02} +0000] "GET /one HTTP/1.1" 200 12 "-" "curl/8"\n'
            for s in range(0, 60, 5)
        )
    )
    Path("b.log").write_text(
        "".join(f"wget|2025-03-09T10:00:{s:02}+00:00|10.1.1.9|200|GET /two HTTP/1.1\n" for s in range(0, 60, 6))
    )
    said = run("traffic", "b.log", "a.log", "--nginx", "a/nginx.conf", "--nginx", "b/nginx.conf").out
    assert "GET /one 200" in said
    assert "GET /two 200" in said
    assert "a.log  log_format main from a/nginx.conf:3" in said
    assert "b.log  log_format main from b/nginx.conf:3" in said


def test_a_second_module_of_a_name_that_differs_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("prometheus.yml").write_text(
        JOB.format(**FIRST).replace(
            "metrics_path: /one", "metrics_path: /probe\n    params: {module: [m], target: [x.example]}"
        )
    )
    for name, method in (("one.yml", "GET"), ("two.yml", "POST"), ("three.yml", "GET")):
        Path(name).write_text(f"modules:\n  m: {{prober: http, http: {{method: {method}}}}}\n")
    given = ("probes", "--prometheus", "prometheus.yml", "--blackbox", "one.yml", "--blackbox")
    assert "two.yml:2: module m differs from that of one.yml:2" in " ".join(run(*given, "two.yml").out.split())
    assert "differs" not in run(*given, "three.yml").out
