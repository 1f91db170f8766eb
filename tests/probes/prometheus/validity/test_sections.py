"""What Prometheus refuses in places that decide no scrape: each case has its text, the line to blame and a word of why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.model.errors import ConfigurationError, NotJudged
from necropsy.probes.prometheus.configuration import parse_prometheus

JOB = "scrape_configs:\n  - job_name: shop\n    {}\n"

REFUSED = [
    # The client of a scrape: who it says it is, its certificate, its proxy, its headers.
    (JOB.format("basic_auth: {username: a, username_file: b}"), 3, "username_file"),
    (JOB.format("authorization: {type: Basic, credentials: x}"), 3, '"basic"'),
    (JOB.format("oauth2: {client_id: a}"), 3, "token_url"),
    (JOB.format("tls_config: {cert_file: client.pem}"), 3, "without its key"),
    (JOB.format("tls_config: {ca: x, ca_file: y}"), 3, "ca_file"),
    (JOB.format("tls_config: {insecure_skip_verfy: true}"), 3, "insecure_skip_verfy"),
    (JOB.format("proxy_connect_header: {a: [b]}"), 3, "proxy_url"),
    (JOB.format("http_headers: {Host: {values: [a]}}"), 3, "reserved"),
    # Values of a grammar of their own.
    (JOB.format("body_size_limit: 5 MB"), 3, "not a size"),
    (JOB.format("scrape_protocols: [PrometheusText1.1.0]"), 3, "unknown scrape protocol"),
    (JOB.format("metric_name_escaping_scheme: dashes"), 3, "escaping scheme"),
    ("global:\n  body_size_limit: 10\n", 2, "not a size"),
    ("global:\n  metric_name_validation_scheme: utf-8\n", 2, "validation scheme"),
    # Discovery: a field is missing, two exclude each other, a value is none of those that there are.
    (JOB.format("dns_sd_configs: [{names: [shop.example], type: A}]"), 3, "a port is needed"),
    (JOB.format("dns_sd_configs: [{names: [shop.example], type: TXT}]"), 3, "TXT"),
    (JOB.format("digitalocean_sd_configs: [{role: droplet}]"), 3, "droplet"),
    (JOB.format("docker_sd_configs: [{port: 80}]"), 3, "host is missing"),
    (JOB.format("dockerswarm_sd_configs: [{host: 'unix:///a', role: workers}]"), 3, "workers"),
    (JOB.format("gce_sd_configs: [{project: shop}]"), 3, "zone"),
    (JOB.format("triton_sd_configs: [{account: a, dns_suffix: b}]"), 3, "endpoint"),
    (JOB.format("serverset_sd_configs: [{servers: [z], paths: [shop]}]"), 3, "begin with /"),
    (JOB.format("consul_sd_configs: [{token: x, authorization: {credentials: y}}]"), 3, "authorization"),
    (JOB.format("consul_sd_configs: [{servics: [web]}]"), 3, "servics"),
    (JOB.format("http_sd_configs: [{url: 'unix://sd'}]"), 3, "scheme"),
    (JOB.format("kuma_sd_configs: [{server: kuma}]"), 3, "scheme"),
    (JOB.format("kubernetes_sd_configs: [{role: pods}]"), 3, "pods"),
    (JOB.format("kubernetes_sd_configs: [{role: pod, selectors: [{role: ingress}]}]"), 3, "selectors"),
    (JOB.format("kubernetes_sd_configs: [{role: pod, selectors: [{role: pod, label: 'app:abc-123'}]}]"), 3, "labels"),
    (
        JOB.format("kubernetes_sd_configs: [{role: node, selectors: [{role: node, label: 'tier in edge'}]}]"),
        3,
        "labels",
    ),
    (
        JOB.format("kubernetes_sd_configs: [{role: service, selectors: [{role: service, label: 'a in ()'}]}]"),
        3,
        "labels",
    ),
    (JOB.format("kubernetes_sd_configs: [{role: pod, tls_config: {ca_file: a}}]"), 3, "api_server"),
    (JOB.format("aws_sd_configs: [{role: lambda}]"), 3, "lambda"),
    # Other sections.
    ("remote_write:\n  - url: http://a\n    queue_config:\n      max_shards: -1\n", 4, "positive"),
    ("remote_write:\n  - name: a\n", 2, "URL is missing"),
    ("remote_write:\n  - url: http://a\n    sigv4: {region: x}\n    azuread: {cloud: y}\n", 4, "sigv4"),
    ("remote_read:\n  - url: http://a\n    headers: {Host: b}\n", 3, "reserved"),
    ("alerting:\n  alertmanagers:\n    - basic_auth: {password: a}\n      bearer_token: b\n", 4, "bearer_token"),
    ("alerting:\n  alert_relabel_configs:\n    - regex: '('\n      target_label: a\n", 3, "refused"),
    ("tracing:\n  client_type: tcp\n  endpoint: a:1\n", 2, "tcp"),
    ("otlp:\n  promote_resource_attributes: [a, a]\n", 2, "twice"),
    ("otlp:\n  translation_strategy: None\n", 2, "None"),
    ("storage:\n  tsdb:\n    retention:\n      size: 5\n", 4, "not a size"),
    ("storage:\n  tsdb:\n    retention:\n      percentage: many\n", 4, "between 0 and 100"),
    ("global:\n  external_labels:\n    site: !!binary /w==\n", 3, "UTF-8"),
]


@pytest.mark.parametrize(("text", "line", "word"), REFUSED, ids=[word for _, _, word in REFUSED])
def test_what_prometheus_refuses_is_refused_at_its_line(text: str, line: int, word: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        parse_prometheus(text, "prometheus.yml")
    assert caught.value.line == line
    assert word in caught.value.reason
    assert caught.value.hint


TAKEN = [
    JOB.format("body_size_limit: 1GB512MB"),
    JOB.format("body_size_limit: 0"),
    JOB.format("fallback_scrape_protocol: PrometheusText0.0.4"),
    JOB.format("metric_name_validation_scheme: legacy"),
    JOB.format("authorization: {credentials_file: /run/token}"),
    JOB.format("tls_config: {cert_file: a, key_file: b, min_version: TLS12}"),
    JOB.format("consul_sd_configs: [{}]"),
    JOB.format("consul_sd_configs: [{server: 'consul:8500', token: x, tls_config: {ca_file: y}}]"),
    JOB.format("dns_sd_configs: [{names: [_http._tcp.shop.example]}]"),
    JOB.format("kubernetes_sd_configs: [{role: node, api_server: 'https://k', bearer_token_file: /t}]"),
    JOB.format("kubernetes_sd_configs: [{role: pod, follow_redirects: true}]"),
    JOB.format("kubernetes_sd_configs: [{role: pod, selectors: [{role: node, field: 'a.b=c,d!=e'}]}]"),
    JOB.format("kubernetes_sd_configs: [{role: pod, selectors: [{role: pod, label: 'foo in (bar,baz)'}]}]"),
    JOB.format(
        "kubernetes_sd_configs: [{role: pod, selectors: [{role: pod, label: 'app.kubernetes.io/name=a-b, !old, n > 3'}]}]"
    ),
    JOB.format("kubernetes_sd_configs: [{role: pod, selectors: [{role: pod, label: 'tier notin (a), zone, team!='}]}]"),
    JOB.format("elasticache_sd_configs: [{region: x}]"),
    "remote_write:\n  - url: http://a\n    queue_config: {max_shards: 5}\n",
    "alerting: {alertmanagers: [{static_configs: [{targets: [a]}]}]}\n",
]


@pytest.mark.parametrize("text", TAKEN)
def test_what_prometheus_takes_is_taken(text: str) -> None:
    assert parse_prometheus(text, "prometheus.yml").problems == ()


def test_a_kind_of_discovery_that_is_newer_than_the_table_is_not_judged() -> None:
    text = JOB.format("upcloud_sd_configs: [{zone: fi}]")
    (problem,) = parse_prometheus(text, "prometheus.yml", lenient=True).problems
    assert isinstance(problem, NotJudged)
    assert (problem.line, "upcloud_sd_configs" in problem.reason) == (3, True)


@pytest.mark.parametrize(
    ("kind", "version"), [("consu1", "3.0"), ("kubernets", "3.0"), ("upcloud", "3.9"), ("oci", "3.13"), ("msk", "2.55")]
)
def test_a_misspelt_kind_or_one_that_this_version_lacks_is_refused(kind: str, version: str) -> None:
    text = JOB.format(f"{kind}_sd_configs: [{{region: x}}]")
    problems = parse_prometheus(text, "prometheus.yml", prometheus=version, lenient=True).problems
    assert [type(problem) for problem in problems] == [ConfigurationError]


def test_an_old_prometheus_takes_a_queue_that_a_new_one_refuses() -> None:
    text = "remote_write:\n  - url: http://a\n    queue_config: {min_shards: 9, max_shards: 3}\n"
    assert parse_prometheus(text, "p.yml", prometheus="2.42.0").problems == ()
    with pytest.raises(ConfigurationError, match="min_shards"):
        parse_prometheus(text, "p.yml", prometheus="3.14.0")


TEXTS = st.text("abc:/-_[]{},'\"\n 019", max_size=40)


@given(
    st.sampled_from(["consul_sd_configs", "kubernetes_sd_configs", "tls_config", "oauth2", "scrape_protocols"]), TEXTS
)
def test_any_text_is_taken_or_refused_with_a_line(name: str, value: str) -> None:
    lines: list[int] = []
    try:
        parse_prometheus(JOB.format(f"{name}: {value}"), "prometheus.yml")
    except ConfigurationError as error:
        lines.append(error.line)
    assert all(lines)
