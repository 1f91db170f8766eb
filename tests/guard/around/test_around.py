"""What is generated around a guard, given to the programs that read it: a real Prometheus scrapes a guard by it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import bcrypt
import pytest
import yaml

import servers
from guard.guards import populate, running
from necropsy.guard.around.dashboards import DASHBOARDS, files
from necropsy.guard.around.scrape import as_yaml
from necropsy.guard.rules import as_yaml as rules
from waiting import wait_until

pytestmark = pytest.mark.integration

CHOICES = {"$store": ".+", "$instance": ".+", "$__rate_interval": "1m"}


WATCHED = """
scrape_configs:
  - job_name: blackbox
    metrics_path: /probe
    scrape_interval: 10s
    params: {module: [http_2xx]}
    static_configs: [{targets: ["http://10.0.0.1:8080/"]}]
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {source_labels: [__param_target], target_label: instance}
      - {target_label: __address__, replacement: "127.0.0.1:9115"}
"""
"""What the guard is told of the monitoring: a prober that starts a session each time, as the store has them."""


@contextmanager
def prometheus(folder: Path, config: str) -> Iterator[str]:
    """Run a Prometheus with a configuration."""
    (folder / "prometheus.yml").write_text(config)
    (folder / "necropsy.rules.yml").write_text(rules())
    port = servers.free_port()
    program = shutil.which("prometheus") or "/usr/bin/prometheus"
    command = [
        program,
        "--config.file=prometheus.yml",
        "--storage.tsdb.path=data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(60)


def asked(url: str, expression: str) -> list[dict[str, Any]]:
    query = urllib.parse.urlencode({"query": expression})
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?{query}", timeout=30) as answer:
            return list(json.load(answer)["data"]["result"])
    except urllib.error.HTTPError as error:
        if error.code == 503:
            return []  # it reads its data
        raise AssertionError(f"{expression}: {error.read().decode()}") from error
    except OSError:
        return []  # it starts


def test_every_expression_of_the_dashboards_finds_something_where_sessions_leak(tmp_path: Path) -> None:
    with servers.running("redis-7.0", "--maxmemory", "1700kb", tcp=True) as server:
        populate(server)
        for number in range(5):
            server.client().set(f"gone:{number}", 1, px=1)
        (tmp_path / "watched.yml").write_text(WATCHED)
        store = f'prometheus = ["watched.yml"]\n\n[[store]]\nname = "A"\nredis = "redis://127.0.0.1:{server.port}"\n'
        store += '\n[guard]\nevery = "10s"\n'
        with running(tmp_path, store) as guard:
            guard.wait_for_looks(1)
            address = guard.url.removeprefix("http://")
            config = as_yaml(address, ["A"], [f"{guard.url}/-/healthy"], "http_2xx", []).replace("15s", "1s")
            with prometheus(tmp_path, config) as url:
                wait_until(lambda: len(asked(url, "count_over_time(probe_success[5m]) > 4")) == 1, "five scrapes")
                empty = []
                for expression in (one for board in DASHBOARDS for one in board.expressions()):
                    text = expression
                    for name, value in CHOICES.items():
                        text = text.replace(name, value)
                    if not asked(url, text):
                        empty.append(expression)
                assert empty == []
                variables = [metric for board in DASHBOARDS for _, metric in board.variables]
                assert all(asked(url, metric) for metric in variables)


def test_a_guard_with_a_certificate_and_a_password_is_scraped_by_what_is_generated_for_it(tmp_path: Path) -> None:
    certificate = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "own.pem", "-days", "2",
                   "-subj", "/CN=guard", "-addext", "subjectAltName=IP:127.0.0.1"]  # fmt: skip
    subprocess.run(certificate, cwd=tmp_path, check=True, capture_output=True)
    stored = bcrypt.hashpw(b"hunter2", bcrypt.gensalt(4)).decode()
    (tmp_path / "web.yml").write_text(
        f"tls_server_config: {{cert_file: own.pem, key_file: key.pem}}\nbasic_auth_users: {{prom: {stored}}}\n"
    )
    with servers.running("redis-7.0", tcp=True) as server:
        port = servers.free_port()
        config = (
            f'[[store]]\nname = "A"\nredis = "redis://127.0.0.1:{server.port}"\n\n[guard]\nweb-config = "web.yml"\n'
        )
        config += f'listen = "0.0.0.0:{port}"\n'
        with running(tmp_path, config, f"127.0.0.1:{port}"):
            command = [sys.executable, "-m", "necropsy.cli.main", "guard", "scrape", "guard.toml", "--out", "made"]
            made = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
            assert "the password of prom goes into made/guard.password" in made.stderr
            assert "hunter2" not in "".join(path.read_text() for path in (tmp_path / "made").iterdir())
            (tmp_path / "made" / "guard.password").write_text("hunter2")
            with prometheus(
                tmp_path / "made", (tmp_path / "made" / "prometheus.yml").read_text().replace("15s", "1s")
            ) as url:
                wait_until(lambda: len(asked(url, "up == 1")) == 2, "both jobs are scraped")
                assert asked(url, 'redis_up{instance="A"} == 1')


def test_promtool_accepts_the_scrape_configuration_with_its_rules(tmp_path: Path) -> None:
    config = as_yaml("127.0.0.1:9120", ["A", "B"], ["http://10.0.0.1:8080/health"], "http_2xx", ["127.0.0.1:9093"])
    (tmp_path / "prometheus.yml").write_text(config)
    (tmp_path / "necropsy.rules.yml").write_text(rules())
    command = [shutil.which("promtool") or "/usr/bin/promtool", "check", "config", "prometheus.yml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "SUCCESS" in done.stdout


def test_dashboards_are_what_grafana_reads() -> None:
    made = files("http://prometheus:9090")
    boards = [json.loads(text) for name, text in made.items() if name.endswith(".json")]
    assert len({board["uid"] for board in boards}) == len(boards) == 3
    for board in boards:
        names = {variable["name"] for variable in board["templating"]["list"]}
        cells: set[tuple[int, int]] = set()
        for panel in board["panels"]:
            place = panel["gridPos"]
            covered = {
                (x, y)
                for x in range(place["x"], place["x"] + place["w"])
                for y in range(place["y"], place["y"] + place["h"])
            }
            assert max(x for x, _ in covered) < 24
            assert not covered & cells, panel["title"]
            cells |= covered
            for target in panel["targets"]:
                used = set(re.findall(r"\$(\w+)", target["expr"])) - {"__rate_interval"}
                assert used <= names, target["expr"]
                assert target["datasource"]["uid"] == "${datasource}"
    provider = yaml.safe_load(made["provisioning/dashboards/necropsy.yaml"])
    assert provider["providers"][0]["options"]["path"] == "/etc/grafana/dashboards"
    source = yaml.safe_load(made["provisioning/datasources/prometheus.yaml"])
    assert source["datasources"][0]["url"] == "http://prometheus:9090"
