from __future__ import annotations

from necropsy.probes.syntax.document import parse_yaml
from necropsy.treat.edits.target_rule import join_health_endpoint
from necropsy.treat.edits.text import Insertion, apply

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


def joined(text: str, job: str) -> list[Insertion]:
    return join_health_endpoint(text, parse_yaml(text, "prometheus.yml"), frozenset({job}))


def test_only_the_named_job_gets_one_rule_behind_the_one_that_sets_the_target() -> None:
    after = apply(PROMETHEUS, joined(PROMETHEUS, "blackbox"))
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
    once = apply(PROMETHEUS, joined(PROMETHEUS, "blackbox"))
    assert joined(once, "blackbox") == []


def test_a_file_without_a_newline_at_its_end_is_patched_whole() -> None:
    text = PROMETHEUS.rstrip("\n")
    after = apply(text, joined(text, "other"))
    assert len(parse_yaml(after, "f").at("scrape_configs", 1, "relabel_configs") or ()) == 2


def test_a_dash_on_a_line_of_its_own_is_a_rule_as_any_other() -> None:
    text = PROMETHEUS.replace("    - source_labels: [__address__]\n", "    -\n      source_labels: [__address__]\n", 1)
    rules = parse_yaml(apply(text, joined(text, "blackbox")), "f").at("scrape_configs", 0, "relabel_configs") or ()
    assert [rule.at("target_label").text() for rule in rules] == ["__param_target", "__param_target", "__address__"]  # type: ignore[union-attr]
