from __future__ import annotations

from pathlib import Path

from treat.configurations import (
    JOINED,
    added,
    effect,
    linted,
    removed,
)

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
        assert effect(finding) == "1 probe requests /health instead"


STATIC = """
scrape_configs:
  - job_name: web
    metrics_path: /probe
    static_configs:
      - targets:
          - http://10.0.0.1:8080
          - http://10.0.0.2:8080
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {target_label: __address__, replacement: "blackbox:9115"}
"""


def test_where_no_catalogue_knows_an_endpoint_the_advice_names_the_lines_that_lack_one(tmp_path: Path) -> None:
    finding = linted(tmp_path, prometheus__yml=STATIC)["probes/wrong-path"]
    assert finding.remedy is not None
    assert "prometheus.yml:7 and " in finding.remedy.text
    assert "prometheus.yml:8; or" in finding.remedy.text
    assert "meta" not in finding.remedy.text
