"""Each fix on configuration made to order: what it changes, what it leaves, and when it offers nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from necropsy.autopsy.linting import lint
from necropsy.model.finding import Confidence, Exhibit, Finding, Remedy, Severity
from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.simulate import Simulation, simulate
from necropsy.treat.fixes.attach import attach_fixes
from necropsy.treat.fixes.registry import BY_SLUG, FIXES


def linted(folder: Path, **texts: str) -> dict[str, Finding]:
    """Findings by slug, of files that lie in one folder."""
    for name, text in texts.items():
        (folder / name.replace("__", ".")).write_text(text, encoding="utf-8")
    return {finding.slug: finding for finding in lint([str(folder)]).report.findings}


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


def test_a_misspelt_label_is_written_as_the_targets_have_it_and_its_quotes_stay(tmp_path: Path) -> None:
    finding = linted(
        tmp_path,
        prometheus__yml="""
scrape_configs:
  - job_name: web
    file_sd_configs: [{files: [targets.json]}]
    relabel_configs:
    - source_labels: ["__meta_consul_tag"]   # a letter is missing
      regex: .*,web,.*
      action: keep
""",
        targets__json='[{"targets": ["10.0.0.1:80"], "labels": {"__meta_consul_tags": ",web,"}}]',
    )["probes/dead-rule"]
    assert removed(finding) == ['- source_labels: ["__meta_consul_tag"]   # a letter is missing']
    assert added(finding) == ['- source_labels: ["__meta_consul_tags"]   # a letter is missing']
    assert effect(finding) == "the rule touches 1 of 1 target"


def test_a_timeout_becomes_as_long_as_the_interval_that_counts_for_it(tmp_path: Path) -> None:
    text = "global:\n  scrape_interval: 20s\nscrape_configs:\n  - job_name: a\n    scrape_timeout: '30s'  # long\n"
    finding = linted(tmp_path, prometheus__yml=text)["probes/timeout-exceeds-interval"]
    assert added(finding) == ["scrape_timeout: '20s'  # long"]
    assert effect(finding).startswith("Prometheus loads the configuration")


def test_a_target_that_asks_twice_is_dropped_by_what_tells_it_from_the_first(tmp_path: Path) -> None:
    text = f"""
scrape_configs:
  - job_name: web
    metrics_path: /probe
    static_configs:
    - targets: ['http://10.0.0.1/health', 'http://10.0.0.2/health']
      labels: {{team: a}}
    - targets: ['http://10.0.0.1/health']
      labels: {{team: b}}
{RELABEL}"""
    finding = linted(tmp_path, prometheus__yml=text)["probes/duplicate-target"]
    assert added(finding) == [
        "- source_labels: [__param_target, team]",
        r"regex: 'http://10\.0\.0\.1/health;b'",
        "action: drop",
    ]
    assert effect(finding) == "1 request fewer each interval, every URL is still asked"


def test_a_job_that_asks_nothing_of_its_own_is_removed(tmp_path: Path) -> None:
    copy = BLACKBOX_JOB.partition("scrape_configs:\n")[2].replace("job_name: web", "job_name: copy")
    finding = linted(tmp_path, prometheus__yml=BLACKBOX_JOB + copy)["probes/doubled"]
    assert "- job_name: copy" in removed(finding)
    assert "- job_name: web" not in removed(finding)
    assert added(finding) == []
    assert "every URL is still asked" in effect(finding)


NGINX = """
http {
    access_log /var/log/nginx/access.log;
    upstream admin { server 127.0.0.1:8080; server 127.0.0.1:8081 down; }
    server { listen 80; location / { proxy_pass http://admin; } }
}
"""


def test_the_port_that_waits_is_dropped_by_a_rule_before_all_others(tmp_path: Path) -> None:
    finding = linted(tmp_path, prometheus__yml=BLACKBOX_JOB, nginx__conf=NGINX)["probes/idle-backend"]
    assert added(finding) == ["- source_labels: [__address__]", "regex: '.*:(8081)(/.*)?'", "action: drop"]
    assert effect(finding) == "nobody asks port 8081 any more; take it back before the colours change places"


def test_lines_that_are_added_end_as_the_others_do(tmp_path: Path) -> None:
    files = (
        ConfigurationFile("prometheus.yml", BLACKBOX_JOB.replace("\n", "\r\n"), "prometheus"),
        ConfigurationFile("nginx.conf", NGINX, "nginx"),
    )
    (finding,) = attach_fixes([said("probes/idle-backend")], files, simulate(files), simulate)
    assert finding.remedy is not None
    (patch,) = finding.remedy.patches
    assert [line[-1] for line in patch.diff.split("\n") if line.startswith("+ ")] == ["\r"] * 3


def test_a_url_where_an_address_belongs_loses_its_scheme(tmp_path: Path) -> None:
    text = BLACKBOX_JOB.replace("'blackbox:9115'", '"http://blackbox:9115/"  # the exporter')
    finding = linted(tmp_path, prometheus__yml=text)["probes/dropped-target"]
    assert added(finding) == ['replacement: "blackbox:9115"  # the exporter']
    assert effect(finding) == "2 targets that nobody asked before are asked"


@pytest.mark.parametrize(
    ("server", "line"),
    [
        ("listen 8080;\n        access_log off;", "access_log /var/log/nginx/access.log;"),
        ("listen 8080;", "access_log /var/log/nginx/access.log;"),
    ],
)
def test_a_server_that_is_probed_and_logs_nothing_gets_its_log_back(server: str, line: str) -> None:
    text = f"http {{\n    access_log off;\n    server {{\n        {server}\n    }}\n}}\n"
    files = (
        ConfigurationFile("prometheus.yml", BLACKBOX_JOB, "prometheus"),
        ConfigurationFile("nginx.conf", text, "nginx"),
    )
    (finding,) = attach_fixes([said("monitoring/log-blind-spot")], files, simulate(files), simulate)
    assert added(finding) == [line]
    assert effect(finding) == "requests to port 8080 are logged"


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
HALF = """
services {
  name = "admin"
  id = "blue"   # fixed
  port = 8080
  meta { health_check_endpoint = "health" }
  check { http = "http://localhost:8080/health" }
}
services {
  name = "admin"
  id = "green"
  port = 8081   # forgotten
  check { http = "http://localhost:8081/health" }
}
"""


def test_half_a_fix_accuses_the_instance_that_says_nothing_and_tells_it_the_endpoint(tmp_path: Path) -> None:
    found = linted(tmp_path, prometheus__yml=JOINED, admin__hcl=HALF)
    for slug in ("probes/partial-fix", "probes/wrong-path"):
        finding = found[slug]
        assert finding.primary is not None
        assert str(finding.primary.origin).endswith("admin.hcl:11")
        assert removed(finding) == []
        assert added(finding) == ["meta {", 'health_check_endpoint = "health"', "}"]
        assert effect(finding) == "1 probe asks for /health instead"


def said(slug: str, *titles: str) -> Finding:
    exhibits = [Exhibit(title) for title in titles]
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


@pytest.mark.parametrize("module", MODULES.values(), ids=MODULES.keys())
def test_the_module_follows_no_redirects_any_more(module: str) -> None:
    files = (
        ConfigurationFile("prometheus.yml", BLACKBOX_JOB, "prometheus"),
        ConfigurationFile("blackbox.yml", module, "blackbox"),
    )
    accused = said(
        "probes/redirect-leaves-health",
        "GET http://10.0.0.1:8080/health is answered 302 and goes on to /login",
        "GET http://10.0.0.1:8081/health is answered 302 and goes on to /login",
    )
    (finding,) = attach_fixes([accused], files, simulate(files), simulate)
    assert "follow_redirects: false" in added(finding)
    assert effect(finding) == "2 probes ask once and follow nothing"


def test_a_patch_that_breaks_something_else_is_not_offered() -> None:
    files = (ConfigurationFile("prometheus.yml", BLACKBOX_JOB, "prometheus"),)
    files += (ConfigurationFile("blackbox.yml", MODULES["no http section"], "blackbox"),)
    accused = said("probes/redirect-leaves-health", "GET http://10.0.0.1:8080/health is answered 302")

    def nobody(patched: Sequence[ConfigurationFile]) -> Simulation:
        return Simulation()

    (finding,) = attach_fixes([accused], files, simulate(files), nobody)
    assert finding == accused


def test_what_is_gone_is_dropped_by_node_and_instance_and_what_lives_is_still_asked(tmp_path: Path) -> None:
    def answer(node: str, status: str) -> dict[str, object]:
        return {
            "Node": {"Node": node, "Address": "10.0.0.1"},
            "Service": {"ID": "web", "Service": "admin", "Port": 8080, "Meta": {"health_check_endpoint": "health"}},
            "Checks": [{"Node": node, "CheckID": "serfHealth", "ServiceID": "", "Status": status}],
        }

    answers = json.dumps([answer("old.1", "critical"), answer("new", "passing")], indent=1)
    finding = linted(
        tmp_path,
        prometheus__yml=JOINED.replace(
            "    - {t", "    - {source_labels: [__meta_consul_node], target_label: node}\n    - {t"
        ),
        health__json=answers,
    )["probes/zombie-service"]
    assert added(finding) == [
        "- source_labels: [__meta_consul_node, __meta_consul_service_id]",
        r"regex: 'old\.1;web'",
        "action: drop",
    ]
    assert effect(finding).startswith("1 probe of what is gone fewer")


def test_a_finding_without_a_mend_stays_as_it_is() -> None:
    finding = said("probes/labelmap-collision")
    assert attach_fixes([finding], (), Simulation(), simulate) == (finding,)


def test_every_mend_is_of_a_slug_that_exists() -> None:
    from necropsy.examine.registry import SLUGS

    assert set(BY_SLUG) <= set(SLUGS)
    assert len(BY_SLUG) == len(FIXES)
