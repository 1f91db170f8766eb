from __future__ import annotations

import pytest

from necropsy.model.errors import ConfigurationError
from necropsy.probes.prometheus.configuration import parse_prometheus
from necropsy.probes.prometheus.duration import format_duration, parse_duration
from probes.refused import ACCEPTED, REFUSED

TEXT = """\
global:
  scrape_interval: 10s
  external_labels: {replica: "${HOSTNAME}", dc: eu-$$1}
scrape_configs:
  - job_name: web
    scrape_timeout: 5s
    params: {module: [http_2xx], target: [a, b]}
    static_configs:
      - targets:
          - 10.0.0.1:80
          - 10.0.0.2:80
        labels: {zone: eu}
    consul_sd_configs: [{server: "consul:8500"}]
  - job_name: slow
    scrape_interval: 5m
    scheme: https
    metrics_path: /m
scrape_config_files: [more/*.yml]
"""


def test_a_job_has_its_settings_its_defaults_and_its_lines() -> None:
    configuration = parse_prometheus(TEXT, "prometheus.yml", environment={"HOSTNAME": "p-1"})
    web, slow = configuration.jobs
    assert (web.scrape_interval_ms, web.scrape_timeout_ms, web.metrics_path, web.scheme) == (
        10_000,
        5_000,
        "/metrics",
        "http",
    )
    assert (slow.scrape_interval_ms, slow.scrape_timeout_ms, slow.metrics_path) == (300_000, 10_000, "/m")
    assert dict(web.params) == {"module": ("http_2xx",), "target": ("a", "b")}
    assert [str(web.origin_of(name)) for name in ("scrape_interval", "scrape_timeout")] == [
        "prometheus.yml:2",
        "prometheus.yml:6",
    ]
    assert slow.origin_of("scrape_interval").what == "scrape_interval 5m"
    assert web.origin_of("scheme") is None
    assert str(slow.origin) == "prometheus.yml:14"
    assert [(d.kind, d.node.line) for d in web.discoveries] == [("consul", 13)]
    assert configuration.job("slow") is slow
    assert configuration.job("none") is None


def test_static_targets_know_their_own_lines() -> None:
    group = parse_prometheus(TEXT, "prometheus.yml").jobs[0].static_groups[0]
    assert [[str(origin) for origin in group.origin_of(i)] for i in range(2)] == [
        ["prometheus.yml:10", "prometheus.yml:9"],
        ["prometheus.yml:11", "prometheus.yml:9"],
    ]


def test_external_labels_are_expanded_since_prometheus_3() -> None:
    known = parse_prometheus(TEXT, "prometheus.yml", environment={"HOSTNAME": "p-1"})
    assert (known.external_labels, known.unexpanded) == ({"dc": "eu-$1", "replica": "p-1"}, ())
    unknown = parse_prometheus(TEXT, "prometheus.yml")
    assert (unknown.external_labels["replica"], unknown.unexpanded) == ("", ("HOSTNAME",))
    older = parse_prometheus(TEXT.replace("scrape_config_files", "rule_files"), "prometheus.yml", prometheus="2.42")
    assert older.external_labels == {"dc": "eu-$$1", "replica": "${HOSTNAME}"}


def test_further_files_bring_further_jobs_whose_names_must_be_new() -> None:
    more = "scrape_configs: [{job_name: more}]\n"
    configuration = parse_prometheus(TEXT, "prometheus.yml", scrape_config_files=[("more/a.yml", more)])
    assert [job.name for job in configuration.jobs] == ["web", "slow", "more"]
    assert configuration.jobs[2].scrape_interval_ms == 10_000
    assert str(configuration.jobs[2].origin) == "more/a.yml:1"
    assert configuration.scrape_config_files[0][0] == "more/*.yml"
    with pytest.raises(ConfigurationError, match="multiple scrape configs") as raised:
        parse_prometheus(TEXT, "prometheus.yml", scrape_config_files=[("b.yml", "scrape_configs: [{job_name: web}]")])
    assert raised.value.file == "b.yml"
    assert "prometheus.yml:5" in raised.value.hint


@pytest.mark.parametrize("text", ACCEPTED)
def test_what_prometheus_takes_is_taken(text: str) -> None:
    parse_prometheus(text, "prometheus.yml", prometheus="2.42.0+ds")


@pytest.mark.parametrize(("text", "line"), REFUSED)
def test_what_prometheus_refuses_is_refused_at_its_line(text: str, line: int) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_prometheus(text, "prometheus.yml", prometheus="2.42.0+ds")
    assert (raised.value.file, raised.value.line) == ("prometheus.yml", line)
    assert raised.value.hint


def test_a_misspelt_field_brings_the_right_one() -> None:
    with pytest.raises(ConfigurationError, match="field scrape_intervall not found") as raised:
        parse_prometheus("global: {scrape_intervall: 5s}", "prometheus.yml")
    assert raised.value.hint == "Was scrape_interval meant?"


def test_a_field_from_later_says_when_it_came() -> None:
    with pytest.raises(ConfigurationError, match="field scrape_config_files not found") as raised:
        parse_prometheus("scrape_config_files: []", "prometheus.yml", prometheus="2.42")
    assert raised.value.hint == "It came with Prometheus 2.43; this is 2.42."


def test_every_version_3_knows_the_fields_of_all_of_them() -> None:
    parse_prometheus(
        "global: {scrape_native_histograms: true, extra_scrape_metrics: true}", "prometheus.yml", prometheus="3.0"
    )


def test_a_lenient_reader_notes_what_it_does_not_know_and_goes_on() -> None:
    text = "from_the_future: 1\nscrape_configs: [{job_name: a, newest_sd_configs: [], scheme: https}]"
    configuration = parse_prometheus(text, "prometheus.yml", lenient=True)
    assert [job.scheme for job in configuration.jobs] == ["https"]
    assert [problem.line for problem in configuration.problems] == [1, 2]


def test_legacy_names_are_heeded_from_3_6_on() -> None:
    text = "global: {metric_name_validation_scheme: legacy}\nscrape_configs: [{job_name: a, relabel_configs: [{target_label: a-b}]}]"
    parse_prometheus(text, "prometheus.yml", prometheus="3.5")
    with pytest.raises(ConfigurationError, match="invalid 'target_label'"):
        parse_prometheus(text, "prometheus.yml", prometheus="3.6")
    per_job = (
        "scrape_configs: [{job_name: a, metric_name_validation_scheme: legacy, relabel_configs: [{target_label: a-b}]}]"
    )
    with pytest.raises(ConfigurationError, match="invalid 'target_label'"):
        parse_prometheus(per_job, "prometheus.yml", prometheus="3.6")


@pytest.mark.parametrize(
    ("text", "milliseconds", "printed"),
    [
        ("0", 0, "0s"),
        ("90s", 90_000, "1m30s"),
        ("1500ms", 1_500, "1s500ms"),
        ("36h", 129_600_000, "1d12h"),
        ("14d", 1_209_600_000, "2w"),
        ("8d", 691_200_000, "8d"),
        ("365d", 31_536_000_000, "1y"),
        ("1y1s", 31_536_001_000, "365d1s"),
        ("292y", 9_208_512_000_000, "292y"),
    ],
)
def test_durations_are_printed_as_prometheus_prints_them(text: str, milliseconds: int, printed: str) -> None:
    assert parse_duration(text) == milliseconds
    assert format_duration(milliseconds) == printed


@pytest.mark.parametrize("text", ["", "5", "1s1m", "1.5s", "-1s", "1 s", "1S", "300y", "٣s", "s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)
