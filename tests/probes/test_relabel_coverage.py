from __future__ import annotations

from collections.abc import Sequence

import pytest

from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.monitoring import Monitoring
from necropsy.probes.prometheus.targets.target import Target
from necropsy.probes.relabel_coverage import RuleCoverage, presentable_url, tallies
from necropsy.probes.simulate import simulate

HEAD = "scrape_configs:\n  - job_name: a\n    static_configs:\n      - {targets: ['h:1', 'h:2'], labels: {team: web}}\n"


def targets(files: Sequence[ConfigurationFile]) -> list[Target]:
    return [found.target for found in Monitoring(files).targets()]


def counted(rules: str) -> list[RuleCoverage]:
    text = f"{HEAD}    relabel_configs: {rules}\n"
    return list(tallies(targets([ConfigurationFile("prometheus.yml", text, "prometheus")])))


@pytest.mark.parametrize(
    ("rule", "reached", "matched"),
    [
        ("{source_labels: [team], regex: web, action: keep}", 2, 2),
        ("{source_labels: [team], regex: we, action: keep}", 2, 0),
        ("{source_labels: [__address__], regex: 'h:1', action: drop}", 2, 1),
        ("{source_labels: [nobody], target_label: x}", 2, 0),
        ("{source_labels: [nobody], target_label: x, replacement: always}", 2, 2),
        ("{source_labels: [nobody], regex: '', target_label: x, replacement: default}", 2, 2),
        ("{target_label: x, replacement: always}", 2, 2),
        ("{action: labelmap, regex: 'te(.*)'}", 2, 2),
        ("{action: labelmap, regex: 'meta_(.*)'}", 2, 0),
        ("{action: labeldrop, regex: team}", 2, 2),
        ("{source_labels: [team], target_label: team, action: lowercase}", 2, 2),
        ("{source_labels: [nobody], target_label: x, action: lowercase}", 2, 0),
        ("{source_labels: [team], target_label: job, action: keepequal}", 2, 0),
    ],
)
def test_a_rule_is_counted_by_the_targets_that_it_touches(rule: str, reached: int, matched: int) -> None:
    (tally,) = counted(f"[{rule}]")
    assert (tally.reached, tally.matched) == (reached, matched)


def test_what_an_earlier_rule_drops_does_not_reach_a_later_one() -> None:
    first, second = counted(
        "[{source_labels: [__address__], regex: 'h:1', action: drop}, {target_label: x, replacement: y}]"
    )
    assert (first.reached, second.reached) == (2, 1)


def test_a_rule_reads_what_the_rules_before_it_wrote() -> None:
    _, second = counted("[{target_label: x, replacement: y}, {source_labels: [x], target_label: z}]")
    assert second.absent_label is None
    assert second.matched == 2


def test_a_misspelt_label_is_named_with_one_that_is_there() -> None:
    (tally,) = counted("[{source_labels: [__addres__], target_label: x}]")
    assert (tally.absent_label, tally.alike) == ("__addres__", "__address__")


def test_a_labelmap_that_makes_one_name_of_two_labels_is_counted() -> None:
    first, second = counted("[{target_label: meta_a_x, replacement: one}, {action: labelmap, regex: '.*_(x|m)'}]")
    assert (first.collided, second.collided) == (0, 0)
    _, _, third = counted(
        "[{target_label: a_x, replacement: one}, {target_label: b_x, replacement: two}, {action: labelmap, regex: '._(x)'}]"
    )
    assert (third.collided, third.collision) == (2, "x")


def test_the_same_targets_are_discovered_as_are_simulated() -> None:
    files = [ConfigurationFile("prometheus.yml", HEAD, "prometheus")]
    found = [target for target in targets(files) if not target.dropped_because]
    assert [target.url for target in found] == [probe.url for probe in simulate(files).probes]


def test_a_url_is_shown_without_the_secrets_inside_its_parameters() -> None:
    text = (
        "scrape_configs:\n  - job_name: a\n    params: {token: [hunter2], target: ['http://u:hunter2@a/?key=hunter2&x=1']}\n"
        "    static_configs: [{targets: ['h:1']}]\n"
    )
    (target,) = targets([ConfigurationFile("prometheus.yml", text, "prometheus")])
    assert "hunter2" in target.url
    shown = presentable_url(target)
    assert "hunter2" not in shown
    assert "token=***" in shown
    assert "x%3D1" in shown


def test_a_url_without_secrets_is_shown_as_it_is() -> None:
    (target, _) = targets([ConfigurationFile("prometheus.yml", HEAD, "prometheus")])
    assert presentable_url(target) == target.url
