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
