"""Configuration made to order, and what a fix does to it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from necropsy.autopsy.linting import lint
from necropsy.model.finding import Confidence, Exhibit, Finding, Remedy, Severity


def linted(folder: Path, **texts: str) -> dict[str, Finding]:
    """Findings by slug, of files that lie in one folder; with the line ends of Windows their patches are the same."""
    found = _linted(folder, texts)
    windows = folder.with_name(f"{folder.name}-windows")
    windows.mkdir(exist_ok=True)
    again = _linted(windows, {name: text.replace("\n", "\r\n") for name, text in texts.items()})
    assert {slug: _bodies(finding, "\r\n") for slug, finding in again.items()} == {
        slug: _bodies(finding, "\n") for slug, finding in found.items()
    }
    return found


def _linted(folder: Path, texts: Mapping[str, str]) -> dict[str, Finding]:
    for name, text in texts.items():
        (folder / name.replace("__", ".")).write_bytes(text.encode())
    return {finding.slug: finding for finding in lint([str(folder)]).report.findings}


def _bodies(finding: Finding, newline: str) -> list[str]:
    """Patches without their heads, and without the line ends that all lines of their files have."""
    bodies = []
    for patch in finding.remedy.patches if finding.remedy is not None else ():
        lines = [line for line in patch.diff.split("\n") if not line.startswith(("---", "+++", "@@", "\\"))]
        assert all(line.endswith(newline.removesuffix("\n")) for line in lines[:-2]), patch.diff
        bodies.append("\n".join(line.removesuffix("\r") for line in lines))
    return bodies


def added(finding: Finding) -> list[str]:
    assert finding.remedy is not None
    return _lines(finding, "+")


def removed(finding: Finding) -> list[str]:
    return _lines(finding, "-")


def _lines(finding: Finding, mark: str) -> list[str]:
    assert finding.remedy is not None
    return [
        line[1:].strip()
        for patch in finding.remedy.patches
        for line in patch.diff.splitlines()
        if line.startswith(mark) and not line.startswith(mark * 3)
    ]


def effect(finding: Finding) -> str:
    assert finding.remedy is not None
    (patch,) = finding.remedy.patches
    return patch.effect


RELABEL = """
    relabel_configs:
    - source_labels: [__address__]   # what is asked
      target_label: __param_target
    - target_label: __address__
      replacement: 'blackbox:9115'
"""

BLACKBOX_JOB = f"""
scrape_configs:
  - job_name: web
    metrics_path: /probe
    scrape_interval: 10s
    static_configs:
    - targets: ['http://10.0.0.1:8080/health', 'http://10.0.0.1:8081/health']
{RELABEL}"""

NGINX = """
http {
    access_log /var/log/nginx/access.log;
    upstream admin { server 127.0.0.1:8080; server 127.0.0.1:8081 down; }
    server { listen 80; location / { proxy_pass http://admin; } }
}
"""

JOINED = """
scrape_configs:
  - job_name: web
    metrics_path: /probe
    consul_sd_configs: [{server: 'consul:8500'}]
    relabel_configs:
    - source_labels: [__address__, __meta_consul_service_metadata_health_check_endpoint]
      regex: '(.*);(.*)'
      target_label: __param_target
      replacement: '$1/$2'
    - {target_label: __address__, replacement: 'blackbox:9115'}
"""


def said(slug: str, *requests: str) -> Finding:
    exhibits = [Exhibit(request, request=request) for request in requests]
    remedy = Remedy("advice", "do it", "undo it")
    primary, *more = exhibits or [Exhibit("none")]
    return Finding(
        Severity.WARNING, Confidence.HIGH, "a title", primary=primary, supporting=tuple(more), remedy=remedy, slug=slug
    )


MODULES = {
    "an http section": "modules:\n  http_2xx:\n    prober: http\n    http:\n      method: GET  # as ever\n",
    "a list that comes first": "modules:\n  http_2xx:\n    prober: http\n    http:\n      valid_status_codes:\n      - 200\n",
    "no end of a line": "modules:\n  http_2xx:\n    prober: http",
    "no http section": "modules:\n  http_2xx:\n    prober: http\n",
    "redirects on purpose": "modules:\n  http_2xx:\n    prober: http\n    http:\n      follow_redirects: true\n",
}
