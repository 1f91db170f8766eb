"""VictoriaMetrics beside Prometheus: both read one Consul, and necropsy reads the past from either."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from cli.running import run
from necropsy.lab.live import conductor
from necropsy.lab.live.acts import act
from necropsy.lab.live.plan import LabOptions, LabPlan
from waiting import wait_until

pytestmark = pytest.mark.integration
CHECKOUT = Path(__file__).parents[3]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[LabPlan]:
    for release in ("11", "14"):
        fetched = subprocess.run(
            [CHECKOUT / "tools" / "debian-release", release], capture_output=True, text=True, check=False
        )
        assert fetched.returncode == 0, fetched.stderr
    wish = LabOptions(interval_s=1, users=2, without=("alertmanager", "prometheus-metrics"), victoria_metrics=True)
    made = conductor.up(tmp_path / "lab", wish, lambda _: None)
    yield made.plan
    conductor.down(made.plan.folder)
    assert made.supervisor.left() == []


def answer(url: str) -> Any:
    with urllib.request.urlopen(url, timeout=60) as answered:
        return json.load(answered)


def asked(lab: LabPlan, component: str, job: str) -> set[str]:
    """``HOST:PORT`` of what a program has a prober ask."""
    active = answer(f"http://{lab.at(component)}/api/v1/targets?state=active")["data"]["activeTargets"]
    urls = (one["scrapeUrl"] for one in active if one["labels"]["job"] == job)
    return {urlsplit(target).netloc or target for url in urls for target in parse_qs(urlsplit(url).query)["target"]}


def test_it_finds_what_prometheus_finds_and_necropsy_reads_the_past_from_it(lab: LabPlan) -> None:
    act(lab.folder, "prober-on")
    places = {str(place) for machine in lab.machines for place in (machine.proxy, machine.blue, machine.green)}
    wait_until(lambda: asked(lab, "prometheus", "blackbox_exporter_http") == places, "Prometheus has the catalogue")
    wait_until(lambda: asked(lab, "victoria-metrics", "health") == places, "VictoriaMetrics has the same")
    where = f"http://{lab.at('victoria-metrics')}"
    query = f"{where}/api/v1/query?query=count_over_time(redis_db_keys%7Bdb%3D%22db0%22%7D[10m])"

    def samples() -> int:
        counts = [int(one["value"][1]) for one in answer(query)["data"]["result"]]
        return min(counts) if len(counts) == len(lab.admins) else 0

    wait_until(lambda: samples() >= 8, "metrics of both stores")
    exporter = lab.at("redis-exporter-b")  # by its name the store is known there
    said = run(
        "examine",
        "--redis",
        f"{exporter}=redis://{lab.admin('admin-b').redis}",
        "--history",
        where,
        "--history-since",  # fine enough for a past of a minute
        "1h",
        "--format",
        "json",
        "-q",
    )
    assert said.error is None
    report = json.loads(said.out)
    (history,) = [one for one in report["histories"] if one["source"].startswith(where)]
    assert history["store"] == str(exporter)
