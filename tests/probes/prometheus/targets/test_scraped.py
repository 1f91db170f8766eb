from __future__ import annotations

from typing import Any

import pytest

from necropsy.model.errors import ConfigurationError, UsageError
from necropsy.model.evidence import Origin
from necropsy.probes import targets
from necropsy.probes.prometheus.configuration import parse_prometheus
from necropsy.probes.prometheus.targets.scraped import Target, TargetGroup
from necropsy.probes.syntax.document import parse_yaml

BEFORE = """\
global:
  scrape_interval: 10s

scrape_configs:
  - job_name: blackbox_exporter_http
    metrics_path: /probe
    params:
      module: [http_2xx]
    consul_sd_configs:
      - server: 'consul-server-001.dns:8500'
    relabel_configs:
      - source_labels: [__meta_consul_tags]
        regex: .*,blackbox_exporter_http,.*
        action: keep
      - source_labels: [__address__]
        target_label: __param_target
      - target_label: '__address__'
        replacement: 'blackbox-exporter:9115'
"""


def one(job: dict[str, Any], *targets_given: Any, labels: dict[str, str] | None = None, **options: Any) -> Target:
    """The first target of one job."""
    configuration = {"scrape_configs": [{"job_name": "job", **job}]}
    group = {"targets": list(targets_given or ["1.2.3.4:1000"]), "labels": labels or {}}
    return targets(configuration, {"job": [group]}, **options)[0]


def test_the_incident_asks_for_addresses_without_a_path() -> None:
    group = {
        "targets": ["172.12.1.189:80", "172.12.1.189:8080"],
        "labels": {"__meta_consul_tags": ",blackbox_exporter_http,"},
        "origin": Origin("consul-services.json", 19, "service b2b-admin"),
    }
    found = targets(parse_yaml(BEFORE, "prometheus.yml"), {"blackbox_exporter_http": [group]})
    assert [target.url for target in found] == [
        "http://blackbox-exporter:9115/probe?module=http_2xx&target=172.12.1.189%3A80",
        "http://blackbox-exporter:9115/probe?module=http_2xx&target=172.12.1.189%3A8080",
    ]
    assert (found[0].interval_s, found[0].timeout_s, found[0].job) == (10.0, 10.0, "blackbox_exporter_http")
    assert found[0].params == {"module": ("http_2xx",), "target": ("172.12.1.189:80",)}
    assert [(str(origin), origin.what) for origin in found[0].origin] == [
        ("prometheus.yml:15", "copies __address__ into __param_target"),
        ("prometheus.yml:17", "sets __address__ to blackbox-exporter:9115"),
        ("prometheus.yml:12", "keeps targets whose __meta_consul_tags matches .*,blackbox_exporter_http,.*"),
        ("consul-services.json:19", "service b2b-admin"),
        ("prometheus.yml:7", "params"),
        ("prometheus.yml:6", "metrics_path /probe"),
        ("prometheus.yml:2", "scrape_interval 10s"),
        ("prometheus.yml:5", "job blackbox_exporter_http"),
    ]


def test_a_rule_that_prepares_a_label_stands_behind_the_one_that_uses_it() -> None:
    rules = [
        {"source_labels": ["__meta_path"], "target_label": "__tmp_path"},
        {"target_label": "unrelated", "replacement": "x"},
        {"source_labels": ["__address__", "__tmp_path"], "separator": "", "target_label": "__param_target"},
    ]
    target = one({"relabel_configs": rules}, labels={"__meta_path": "/health"})
    assert [origin.what for origin in target.origin][:2] == [
        "copies __address____tmp_path into __param_target",
        "copies __meta_path into __tmp_path",
    ]


# What Prometheus' own table covers (scrape/manager_test.go TestPopulateLabels, Apache-2.0), in our words.
def test_settings_become_labels_unless_discovery_says_otherwise() -> None:
    job = {"scheme": "https", "scrape_interval": "1s", "scrape_timeout": "1s"}
    assert dict(one(job, labels={"custom": "value"}).labels) == {
        "__address__": "1.2.3.4:1000",
        "instance": "1.2.3.4:1000",
        "__scheme__": "https",
        "__metrics_path__": "/metrics",
        "job": "job",
        "__scrape_interval__": "1s",
        "__scrape_timeout__": "1s",
        "custom": "value",
    }
    own = {
        "__address__": "1.2.3.4",
        "__scheme__": "http",
        "__metrics_path__": "/custom",
        "job": "custom-job",
        "__scrape_interval__": "2s",
        "__scrape_timeout__": "2s",
    }
    target = one(job, own)
    assert dict(target.labels) == {**own, "instance": "1.2.3.4"}
    assert (target.url, target.interval_ms, target.job) == ("http://1.2.3.4/custom", 2000, "job")


@pytest.mark.parametrize(
    ("address", "scheme", "by_2_x", "by_flag", "instance_by_flag"),
    [
        ("1.2.3.4", "http", "1.2.3.4:80", "1.2.3.4", "1.2.3.4"),
        ("[::1]", "https", "[::1]:443", "[::1]", "[::1]"),
        ("1.2.3.4:80", "http", "1.2.3.4:80", "1.2.3.4", "1.2.3.4:80"),
        ("1.2.3.4:443", "https", "1.2.3.4:443", "1.2.3.4", "1.2.3.4:443"),
        ("1.2.3.4:443", "http", "1.2.3.4:443", "1.2.3.4:443", "1.2.3.4:443"),
        ("::1", "http", "::1", "::1", "::1"),
    ],
)
def test_prometheus_2_adds_default_ports_and_3_leaves_addresses_alone(
    address: str, scheme: str, by_2_x: str, by_flag: str, instance_by_flag: str
) -> None:
    job = {"scheme": scheme}
    two, three = one(job, address, prometheus="2.42"), one(job, address, prometheus="3.0")
    assert (two.labels["__address__"], two.labels["instance"]) == (by_2_x, by_2_x)
    assert (three.labels["__address__"], three.labels["instance"]) == (address, address)
    flag = one(job, address, prometheus="2.42", no_default_port=True)
    assert (flag.labels["__address__"], flag.labels["instance"]) == (by_flag, instance_by_flag)


def test_an_instance_that_is_given_stays() -> None:
    assert one({}, labels={"instance": "mine"}).labels["instance"] == "mine"


def test_an_address_may_come_from_relabelling() -> None:
    rule = {"source_labels": ["custom"], "target_label": "__address__"}
    target = one({"relabel_configs": [rule]}, {"custom": "host:1234"})
    assert target.url == "http://host:1234/metrics"
    assert "__address__" not in target.discovered_labels


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        ({"__address__": ""}, "no address"),
        ({"__address__": "http://h"}, '"http://h" is not a valid hostname'),
        ({"__scrape_interval__": "2notseconds"}, "error parsing scrape interval"),
        ({"__scrape_timeout__": "2notseconds"}, "error parsing scrape timeout"),
        ({"__scrape_interval__": "0s"}, "scrape interval cannot be 0"),
        ({"__scrape_timeout__": "0"}, "scrape timeout cannot be 0"),
        ({"__scrape_interval__": "1s", "__scrape_timeout__": "2s"}, 'scrape timeout cannot be greater than scrape interval ("2s" > "1s")'),
        ({"custom": "\udcbd"}, 'invalid label value for "custom"'),
    ],
)  # fmt: skip
def test_a_target_that_cannot_be_built_is_lost_with_prometheus_reason(labels: dict[str, str], reason: str) -> None:
    target = one({}, {"__address__": "1.2.3.4:1000", **labels})
    assert reason in target.dropped_because
    assert (target.url, dict(target.labels), target.dropped_by, target.interval_s) == ("", {}, None, 0.0)


def test_prometheus_2_refuses_a_scheme_only_when_it_looks_for_a_port() -> None:
    assert "invalid scheme" in one({"scheme": "ftp"}, "h", prometheus="2.42").dropped_because
    assert one({"scheme": "ftp"}, "h:1", prometheus="2.42").url == "ftp://h:1/metrics"
    assert "unsupported" in one({"scheme": "ftp"}, "h:1").unrequestable_because


def test_dropping_the_address_drops_the_target() -> None:
    for rule in ({"regex": "foo", "action": "labelkeep"}, {"regex": "__address__", "action": "labeldrop"}):
        assert one({"relabel_configs": [rule]}).dropped_because == "no address"


def test_a_target_that_a_rule_drops_names_the_rule() -> None:
    keep = {"source_labels": ["zone"], "regex": "eu", "action": "keep"}
    target = one({"relabel_configs": [keep]}, labels={"zone": "us"})
    assert target.dropped_because == "a relabel rule keeps targets whose zone matches eu, which this one does not"
    assert target.dropped_by is not None
    assert [step.after for step in target.steps] == [None]


def test_before_2_28_one_wrong_target_loses_its_whole_group() -> None:
    configuration = {"scrape_configs": [{"job_name": "a"}]}
    discovered = {"a": [{"targets": ["good:1", "bad/1"]}, {"targets": ["other:1"]}]}
    assert [bool(t.dropped_because) for t in targets(configuration, discovered, prometheus="2.27")] == [
        True,
        True,
        False,
    ]
    assert [bool(t.dropped_because) for t in targets(configuration, discovered, prometheus="2.28")] == [
        False,
        True,
        False,
    ]


def test_before_2_30_intervals_are_no_labels() -> None:
    target = one(
        {"scrape_interval": "7s", "scrape_timeout": "3s"}, labels={"__scrape_interval__": "1h"}, prometheus="2.29"
    )
    assert (target.interval_s, target.timeout_s) == (7.0, 3.0)
    assert "__scrape_timeout__" not in target.labels
    assert one({}, labels={"__scrape_interval__": "1h"}, prometheus="2.30").interval_s == 3600.0


def test_since_3_0_discovery_wins_over_params() -> None:
    job = {"params": {"a": ["config", "tail"], "b": ["config"]}}
    labels = {"__param_a": "found"}
    assert one(job, labels=labels, prometheus="2.55").url.endswith("?a=config&a=tail&b=config")
    assert one(job, labels=labels, prometheus="3.0").url.endswith("?a=found&a=tail&b=config")


def test_an_empty_first_parameter_still_overrides_before_3_0() -> None:
    job = {"params": {"a": [""]}}
    assert one(job, labels={"__param_a": "found"}, prometheus="2.42").url.endswith("?a=")
    assert one(job, labels={"__param_a": "found"}, prometheus="3.0").url.endswith("?a=found")


def test_since_3_13_histogram_settings_are_labels_too() -> None:
    job = {"scrape_native_histograms": True}
    assert "__scrape_native_histograms__" not in one(job, prometheus="3.12").labels
    labels = one(job, prometheus="3.13").labels
    assert [labels[f"__{name}__"] for name in ("scrape_native_histograms", "always_scrape_classic_histograms")] == [
        "true",
        "false",
    ]


def test_a_url_takes_first_values_from_labels_and_the_rest_from_the_configuration() -> None:
    job = {
        "params": {"abc": ["foo", "bar", "baz"], "xyz": ["hoo"], "empty": []},
        "metrics_path": "/metricz",
        "scheme": "https",
    }
    labels = {"__param_abc": "overwrite", "__param_cde": "huu"}
    target = one(job, "example.com:1234", labels=labels)
    assert target.url == "https://example.com:1234/metricz?abc=overwrite&abc=bar&abc=baz&cde=huu&xyz=hoo"
    assert target.request_path == "/metricz?abc=overwrite&abc=bar&abc=baz&cde=huu&xyz=hoo"


def test_relabelling_cannot_take_a_parameter_away() -> None:
    drop = {"regex": "__param_a", "action": "labeldrop"}
    assert one({"params": {"a": ["1", "2"]}, "relabel_configs": [drop]}).url.endswith("?a=1&a=2")


def test_labels_of_a_target_win_over_those_of_its_group_even_when_they_are_empty() -> None:
    target = one(
        {},
        {"__address__": "h:1", "a": "own", "b": "", "job": ""},
        labels={"a": "group", "b": "group", "c": "group", "job": "group"},
    )
    assert target.public_labels == {"a": "own", "c": "group", "instance": "h:1", "job": "job"}


def test_an_empty_address_does_not_fall_back_to_the_groups() -> None:
    assert one({}, "", labels={"__address__": "group:1"}).dropped_because == "no address"


def test_meta_labels_end_with_relabelling_and_other_internal_ones_stay() -> None:
    labels = one({}, labels={"__meta_x": "1", "__tmp": "2"}).labels
    assert "__meta_x" not in labels
    assert labels["__tmp"] == "2"


def test_targets_that_become_the_same_are_scraped_once() -> None:
    rule = {"target_label": "__address__", "replacement": "proxy:80"}
    configuration = {
        "scrape_configs": [{"job_name": "a", "relabel_configs": [rule], "static_configs": [{"targets": ["x", "y"]}]}, {"job_name": "b", "static_configs": [{"targets": ["proxy:80"]}]}]
    }  # fmt: skip
    first, second, other = targets(configuration)
    assert not first.dropped_because
    assert second.duplicate_of is first
    assert "same labels and URL" in second.dropped_because
    assert second.url == first.url
    assert not other.dropped_because  # another job scrapes on its own


def test_discovered_targets_of_an_unknown_job_are_a_mistake_of_the_caller() -> None:
    with pytest.raises(UsageError, match="nobody"):
        targets({"scrape_configs": []}, {"nobody": []})


def test_a_configuration_that_prometheus_refuses_makes_no_targets() -> None:
    with pytest.raises(ConfigurationError, match="job_name is empty"):
        targets({"scrape_configs": [{}]})


def test_a_configuration_that_was_read_already_keeps_its_version() -> None:
    configuration = parse_prometheus(
        "scrape_configs: [{job_name: a, static_configs: [{targets: [h]}]}]", "p.yml", prometheus="2.42"
    )
    assert targets(configuration)[0].url == "http://h:80/metrics"


def test_lines_of_discovered_targets_are_theirs_then_their_groups() -> None:
    group = TargetGroup(("a:1", "b:1"), {}, (Origin("f", 1),), ((Origin("f", 2),), (Origin("f", 3),)))
    found = targets({"scrape_configs": [{"job_name": "a"}]}, {"a": [group]})
    assert [[o.line for o in target.origin if o.file == "f"] for target in found] == [[2, 1], [3, 1]]


@pytest.mark.parametrize(
    ("value", "version", "is_lost"),
    [
        ("yes", "3.13", True),
        ("TrUe", "3.14", True),
        ("true", "3.13", False),
        ("F", "3.13", False),
        ("yes", "3.12", False),
    ],
)
@pytest.mark.parametrize("setting", ["scrape_native_histograms", "always_scrape_classic_histograms"])
def test_a_histogram_setting_that_is_no_boolean_loses_the_target(
    setting: str, value: str, version: str, is_lost: bool
) -> None:
    target = one({}, labels={f"__{setting}__": value}, prometheus=version)
    assert ("is not a boolean" in target.dropped_because) is is_lost
