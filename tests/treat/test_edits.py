from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.probes.syntax.document import parse_json, parse_yaml
from necropsy.treat.consul_patch import foresee_answer, name_health_endpoint
from necropsy.treat.edits import Insertion, apply, count_changes, line_end, unified_diff
from necropsy.treat.prometheus_patch import join_health_endpoint

PROMETHEUS = """\
# keep me
scrape_configs:
  - job_name: 'blackbox'   # and me
    relabel_configs:
    - source_labels: [__address__]
      target_label: __param_target
      # why this
    - target_label: '__address__'
      replacement: 'blackbox:9115'
  - job_name: other
    relabel_configs:
      - source_labels: [__address__]
        target_label: __param_target
"""


def test_only_the_named_job_gets_one_rule_behind_the_one_that_sets_the_target() -> None:
    after = apply(PROMETHEUS, join_health_endpoint(PROMETHEUS, "prometheus.yml", frozenset({"blackbox"})))
    assert after.splitlines()[6:10] == [
        "    - source_labels: [__param_target, __meta_consul_service_metadata_health_check_endpoint]",
        "      regex: '(.+?)/*;/*(.+)'",
        "      target_label: __param_target",
        "      replacement: '$1/$2'",
    ]
    assert "# keep me" in after
    assert "# and me" in after
    assert len(parse_yaml(after, "f").at("scrape_configs", 0, "relabel_configs") or ()) == 3
    assert len(parse_yaml(after, "f").at("scrape_configs", 1, "relabel_configs") or ()) == 1


def test_a_rule_that_is_there_already_is_not_added_again() -> None:
    once = apply(PROMETHEUS, join_health_endpoint(PROMETHEUS, "p", frozenset({"blackbox"})))
    assert join_health_endpoint(once, "p", frozenset({"blackbox"})) == []


def test_a_file_without_a_newline_at_its_end_is_patched_whole() -> None:
    text = PROMETHEUS.rstrip("\n")
    after = apply(text, join_health_endpoint(text, "p", frozenset({"other"})))
    assert len(parse_yaml(after, "f").at("scrape_configs", 1, "relabel_configs") or ()) == 2


CONSUL = """\
{
  "services": [
    {
      "id": "Nginx",
      "name": "admin",
      "port": 80,
      "check": {"http": "http://localhost/health"}
    },
    {"id": "flat", "name": "admin", "port": 8080},
    {
      "id": "has-meta",
      "name": "admin",
      "meta": {
        "team": "a"
      }
    },
    {"name": "bare"}
  ]
}
"""


def test_the_endpoint_goes_into_the_meta_wherever_that_is_or_is_not() -> None:
    wanted = {
        ("admin", "Nginx"): "/health",
        ("admin", "flat"): "/up",
        ("admin", "has-meta"): "/h",
        ("bare", "bare"): "/b",
    }
    after = apply(CONSUL, name_health_endpoint(CONSUL, "services.json", wanted))
    services = (parse_json(after, "f").get("services") or parse_json("[]", "f")).to_python()
    assert [service["meta"]["health_check_endpoint"] for service in services] == ["health", "up", "h", "b"]
    assert services[2]["meta"]["team"] == "a"
    assert '      "port": 80,\n      "meta": {\n        "health_check_endpoint": "health"\n      },\n' in after


def test_another_service_of_the_same_id_is_left_alone() -> None:
    assert name_health_endpoint(CONSUL, "f", {("other", "Nginx"): "/health"}) == []


def test_a_diff_applies(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(PROMETHEUS)
    after = apply(PROMETHEUS, join_health_endpoint(PROMETHEUS, "p", frozenset({"blackbox"})))
    diff = unified_diff("prometheus.yml", PROMETHEUS, after)
    assert count_changes(diff) == (4, 0)
    subprocess.run(["git", "apply", "-p1"], input=diff, text=True, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "prometheus.yml").read_text() == after


def test_no_unchanged_line_with_a_secret_stands_in_a_diff() -> None:
    before = "a: 1\npassword: hunter2\nb: 2\nc: 3\n"
    diff = unified_diff("f.yml", before, before.replace("c: 3\n", "c: 3\nd: 4\n"))
    assert "hunter2" not in diff
    assert "+d: 4" in diff


@given(st.text("ab\n", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.text("xy\n", max_size=4)), max_size=4))
def test_insertions_add_their_text_and_nothing_else(text: str, places: list[tuple[int, str]]) -> None:
    insertions = [Insertion(min(offset, len(text)), new) for offset, new in places]
    after = apply(text, insertions)
    assert len(after) == len(text) + sum(len(i.text) for i in insertions)
    assert [c for c in after if c in "ab"] == [c for c in text if c in "ab"]


@given(st.text("a\n", max_size=20), st.integers(1, 25))
def test_the_end_of_a_line_is_within_the_text(text: str, line: int) -> None:
    assert 0 <= line_end(text, line) <= len(text)


@pytest.mark.parametrize("meta", ['"Meta": {}', '"Meta": null', '"Meta": {"a": "b"}', '"Tags": []'])
@pytest.mark.parametrize(
    "shape",
    [
        '[{{"Node": {{"Node": "a1"}}, "Service": {{"ID": "x", "Service": "admin", "Port": 80, {meta}}}}}]',
        '{{"x": {{"ID": "x", "Service": "admin", "Port": 80, {meta}}}}}',
        '[{{"ServiceID": "x", "ServiceName": "admin", "ServicePort": 80, "Service{meta_plain}}}]',
    ],
)
def test_what_consul_will_answer_after_a_reload_is_foreseen_in_every_shape(shape: str, meta: str) -> None:
    text = shape.format(meta=meta, meta_plain=meta[1:])
    after = json.loads(apply(text, foresee_answer(text, "answer.json", {("admin", "x"): "/health"})))
    entry = after[0] if isinstance(after, list) else after["x"]
    service = entry.get("Service") if isinstance(entry.get("Service"), dict) else entry
    assert (service.get("Meta") or service.get("ServiceMeta"))["health_check_endpoint"] == "health"


HCL = """\
# admin, both colours
services {
  name = "admin"
  id   = "Server:8080"
  port = 8080   # blue
  check { http = "http://localhost:8080/health" }
}
services { name = "admin" id = "Server:8081" port = 8081 }
services {
  name = "admin"
  id   = "Server:8082"
  meta = {
    "version" = "1"
  }
}
service { name = "other" meta { } }
"""


def test_each_service_of_an_hcl_file_is_told_its_endpoint_and_nothing_else_is_touched() -> None:
    endpoints = {("admin", f"Server:{port}"): "/health" for port in (8080, 8081, 8082)}
    after = apply(HCL, name_health_endpoint(HCL, "admin.hcl", endpoints | {("other", "other"): "/up"}))
    assert (
        after
        == """\
# admin, both colours
services {
  name = "admin"
  id   = "Server:8080"
  port = 8080   # blue
  meta {
    health_check_endpoint = "health"
  }
  check { http = "http://localhost:8080/health" }
}
services { name = "admin" id = "Server:8081" port = 8081, meta = { health_check_endpoint = "health" } }
services {
  name = "admin"
  id   = "Server:8082"
  meta = {
    "version" = "1"
    health_check_endpoint = "health"
  }
}
service { name = "other" meta { health_check_endpoint = "up"  } }
"""
    )
    assert name_health_endpoint(after, "admin.hcl", endpoints) == []
