"""The name of Prometheus' machine, found from an access log whose lines were written at the moments that it decides."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from necropsy import autopsy
from necropsy.autopsy.sources import Sources
from necropsy.probes.prometheus.configuration import parse_prometheus
from necropsy.probes.prometheus.targets.scrape_phase import phase
from necropsy.probes.prometheus.targets.scraped import targets

HOST = "monitor-1.corp.example"
CONFIGURATION = """
global: {scrape_interval: 15s, external_labels: {replica: a}}
scrape_configs:
- job_name: prometheus
  static_configs: [{targets: [monitor-1:9090, db-1.corp.example:9100]}]
- job_name: web
  metrics_path: /probe
  params: {module: [http_2xx]}
  static_configs: [{targets: [10.0.0.1:80, 10.0.0.2:80, 10.0.0.3:80, 10.0.0.4:80, 10.0.0.5:80, 10.0.0.6:80]}]
  relabel_configs:
  - {source_labels: [__address__], target_label: __param_target}
  - {target_label: __address__, replacement: 'blackbox:9115'}
"""
START = 1_558_700_000


def log(host: str, agent: str = "Go-http-client/1.1") -> str:
    """Ten minutes of an access log with milliseconds, as a Prometheus on this machine would have caused it."""
    read = parse_prometheus(CONFIGURATION, "prometheus.yml", prometheus="2.42")
    lines = []
    for number, target in enumerate(target for target in targets(read) if target.job == "web"):
        first = START // 15 * 15 + phase(target, host, read.external_labels, "2.42")
        for tick in range(40):
            moment = first + 15 * tick + 0.003 + (number * 7 + tick) % 3 / 1000
            said = datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds")
            asked = target.params["target"][0]
            line = {"@timestamp": said, "remote_addr": "", "host": asked, "request": "GET / HTTP/1.1", "status": "302",
                    "body_bytes_sent": "0", "request_time": "0.000", "http_referrer": "", "http_user_agent": agent}  # fmt: skip
            lines.append((moment, json.dumps(line)))
    return "".join(f"{line}\n" for _, line in sorted(lines))


def examined(folder: Path, text: str) -> tuple[str, list[float | None]]:
    """What the report says of the configuration, and the moments of the probes."""
    (folder / "prometheus.yml").write_text(CONFIGURATION, encoding="utf-8")
    (folder / "access.log").write_text(text, encoding="utf-8")
    sources = Sources(
        prometheus=(str(folder / "prometheus.yml"),),
        access_log=(str(folder / "access.log"),),
        prometheus_version="2.42",
    )
    report = autopsy.examine(sources)
    (note,) = [source.note for source in report.sources if source.reader == "prometheus"]
    return note, [probe.phase_s for probe in report.probes if probe.kind == "blackbox-http"]


def test_the_machine_is_found_by_the_moments_of_its_requests_and_the_report_says_so(tmp_path: Path) -> None:
    note, phases = examined(tmp_path, log(HOST))
    assert f"runs on {HOST}: of " in note
    assert "the moments of 6 of 6 probes" in note
    read = parse_prometheus(CONFIGURATION, "prometheus.yml", prometheus="2.42")
    expected = [phase(t, HOST, read.external_labels, "2.42") for t in targets(read) if t.job == "web"]
    assert phases == pytest.approx(expected)


@pytest.mark.parametrize("text", [log("somewhere-else.example"), log(HOST, agent="Mozilla/5.0 (X11)")])
def test_no_name_is_claimed_when_none_explains_the_log_or_the_log_shows_somebody_else(
    tmp_path: Path, text: str
) -> None:
    note, phases = examined(tmp_path, text)
    assert "runs on" not in note
    assert set(phases) == {None}
