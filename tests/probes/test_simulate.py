"""Configuration in, requests out: the incident, and every part that joins in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.model.errors import NotJudged, UsageError
from necropsy.model.probe import Probe
from necropsy.probes.configuration_file import ConfigurationFile
from necropsy.probes.simulate import Simulation, simulate

ASSETS = Path(__file__).parent.parent / "assets"
BLACKBOX = ConfigurationFile(
    "blackbox.yml", "modules:\n  http_2xx:\n    prober: http\n  ping: {prober: icmp}\n", "blackbox"
)


def incident(when: str, *, address: str | None = None, answers: bool = False) -> list[ConfigurationFile]:
    folder = ASSETS / "incident"
    names = [(f"prometheus.{when}.yml", "prometheus"), (f"consul-services.{when}.json", "consul")]
    files = [ConfigurationFile(name, (folder / name).read_text(), kind) for name, kind in names]
    files[1] = ConfigurationFile(files[1].name, files[1].text, "consul", address)
    if answers:
        name = "health-service-b2b-admin.json"
        files.append(ConfigurationFile(name, (ASSETS / "consul" / name).read_text(), "consul"))
    return [*files, BLACKBOX]


def prometheus(jobs: list[dict[str, Any]] | str, name: str = "prometheus.yml") -> ConfigurationFile:
    text = jobs if isinstance(jobs, str) else json.dumps({"scrape_configs": jobs})
    return ConfigurationFile(name, text, "prometheus")


PROBE_RULES = [
    {"source_labels": ["__address__"], "target_label": "__param_target"},
    {"target_label": "__address__", "replacement": "blackbox:9115"},
]


def probing(targets: list[str], **job: Any) -> ConfigurationFile:
    return prometheus(
        [{"job_name": "up", "metrics_path": "/probe", "static_configs": [{"targets": targets}],
          "relabel_configs": PROBE_RULES, **job}]
    )  # fmt: skip


def asked(simulation: Simulation, kind: str = "blackbox-http") -> list[str]:
    return [probe.url for probe in simulation.probes if probe.kind == kind]


def reasons(simulation: Simulation) -> list[str]:
    return [problem.reason for problem in simulation.problems]


# -- the incident ---------------------------------------------------------------------------------------------------


def test_before_the_fix_the_probers_ask_for_the_root_of_every_port() -> None:
    assert asked(simulate(incident("before"))) == [
        "http://<address>:80/", "http://<address>:8080/", "http://<address>:8081/"
    ]  # fmt: skip


def test_after_the_fix_they_ask_for_the_health_endpoint() -> None:
    assert asked(simulate(incident("after"))) == [
        "http://<address>:80/health", "http://<address>:8080/health", "http://<address>:8081/health"
    ]  # fmt: skip


def test_a_url_without_a_path_in_a_label_of_a_file_is_accused_at_its_own_line() -> None:
    job = {"job_name": "up", "metrics_path": "/probe", "file_sd_configs": [{"files": ["targets/*.yml"]}],
           "relabel_configs": [{"source_labels": ["ask"], "target_label": "__param_target"}, PROBE_RULES[1]]}  # fmt: skip
    for name, text in (
        ("targets/a.yml", "- targets: [one:1]\n  labels:\n    team: web\n    ask: https://shop.example\n"),
        ("targets/a.yml", "- targets: [one:1]\n  labels:\n    ask: https://shop.example\n    team: https://shop\n"),
    ):
        [probe] = simulate([prometheus([job]), ConfigurationFile(name, text, "file_sd"), BLACKBOX]).probes
        line = next(number for number, each in enumerate(text.splitlines(), 1) if "ask:" in each)
        assert str(probe.origin[0]) == f"{name}:{line}"
        assert probe.origin[0].what == "label ask https://shop.example: no path, so / is requested"


def test_a_page_that_a_written_url_names_is_accused_where_it_is_written() -> None:
    [probe] = simulate([probing(["https://shop.example/login"]), BLACKBOX]).probes
    assert probe.origin[0].what == "target https://shop.example/login"
    job = {"job_name": "up", "metrics_path": "/probe", "file_sd_configs": [{"files": ["*.json"]}],
           "relabel_configs": [{"source_labels": ["ask"], "target_label": "__param_target"}, PROBE_RULES[1]]}  # fmt: skip
    text = '[{"targets": ["one"],\n "labels": {"ask": "https://shop.example/login"}}]'
    [probe] = simulate([prometheus([job]), ConfigurationFile("a.json", text, "file_sd"), BLACKBOX]).probes
    assert (str(probe.origin[0]), probe.origin[0].what) == ("a.json:2", "label ask https://shop.example/login")


def test_the_accused_line_is_the_rule_that_copies_an_address() -> None:
    probe = simulate(incident("before")).probes[0]
    assert str(probe.origin[0]) == "prometheus.before.yml:17"
    assert probe.origin[0].what == "copies __address__ into __param_target: an address has no path"
    chain = [str(origin) for origin in probe.origin]
    for line in ("consul-services.before.json:4", "consul-services.before.json:13", "prometheus.before.yml:2"):
        assert line in chain
    assert chain[-1] == "blackbox.yml:3"


def test_after_the_fix_nothing_is_said_of_a_missing_path() -> None:
    assert not any("no path" in origin.what for origin in simulate(incident("after")).probes[0].origin)


def test_a_probe_of_the_incident_says_who_asks_how_often_and_what_discovery_knows() -> None:
    probe = simulate(incident("before", address="172.12.1.189")).probes[1]
    assert (probe.prober, probe.method, probe.host, probe.port, probe.path) == (
        "prometheus/blackbox_exporter_http", "GET", "172.12.1.189", 8080, "/"
    )  # fmt: skip
    assert (probe.period_s, probe.timing, probe.phase_s, probe.follows_redirects) == (10.0, "ticker", None, True)
    assert probe.user_agents == ("Go-http-client/", "Blackbox Exporter/", "Blackbox-Exporter/")
    assert (probe.service, probe.instance, probe.health, probe.health_path) == (
        "b2b-admin",
        "Server:8080",
        None,
        "/health",
    )
    assert dict(probe.labels)["__param_target"] == "172.12.1.189:8080"


def test_three_consul_servers_of_one_job_do_not_multiply_its_probes() -> None:
    found = simulate(incident("before"))
    assert len(asked(found)) == 3
    assert found.dropped == ()


def test_saved_answers_give_both_servers_their_addresses_and_health() -> None:
    found = simulate(incident("before", answers=True))
    assert [(p.url, p.health, p.health_path) for p in found.probes if p.kind == "blackbox-http"] == [
        (f"http://172.12.1.{host}:{port}/", health, "/health")
        for host in (189, 190)
        for port, health in ((80, "passing"), (8080, "passing"), (8081, "critical"))
    ]


def test_consuls_own_checks_are_probes_beside_them() -> None:
    assert asked(simulate(incident("before")), "consul-check") == [
        "http://localhost/health", "http://localhost:8080/health", "http://localhost:8081/health"
    ]  # fmt: skip


def test_the_host_of_prometheus_gives_every_scrape_its_moment() -> None:
    phases = [
        p.phase_s for p in simulate(incident("before"), prometheus_host="monitor").probes if p.kind != "consul-check"
    ]
    others = [
        p.phase_s for p in simulate(incident("before"), prometheus_host="other").probes if p.kind != "consul-check"
    ]
    assert all(phase is not None and 0 <= phase < 10 for phase in phases)
    assert len({*phases, *others}) == 6


# -- what is asked --------------------------------------------------------------------------------------------------


def test_an_application_that_is_scraped_is_asked_for_its_metrics_and_that_is_harmless() -> None:
    [probe] = simulate([prometheus([{"job_name": "a", "static_configs": [{"targets": ["a:8080"]}]}])]).probes
    assert (probe.kind, probe.url, probe.user_agents) == ("scrape", "http://a:8080/metrics", ("Prometheus/",))
    assert not probe.creates_sessions
    assert probe.harmless_because
    assert probe.instance == "a:8080"


def test_a_scrape_of_a_page_is_not_harmless() -> None:
    job = {"job_name": "a", "metrics_path": "/", "scheme": "https", "static_configs": [{"targets": ["a"]}]}
    [probe] = simulate([prometheus([job])]).probes
    assert (probe.url, probe.port, probe.creates_sessions) == ("https://a/", 443, True)


def test_a_probe_through_the_exporter_is_listed_once_as_what_it_asks() -> None:
    found = simulate([probing(["http://admin.example.com/login?next=1"]), BLACKBOX])
    assert [(p.kind, p.url, p.path) for p in found.probes] == [
        ("blackbox-http", "http://admin.example.com/login?next=1", "/login?next=1")
    ]


def test_a_target_that_is_a_url_without_a_path_is_itself_the_accused() -> None:
    text = """scrape_configs:
  - job_name: up
    metrics_path: /probe
    static_configs:
      - targets:
          - https://admin.example.com
    relabel_configs:
      - {source_labels: [__address__], target_label: __param_target}
      - {target_label: __address__, replacement: "blackbox:9115"}
"""
    [probe] = simulate([prometheus(text), BLACKBOX]).probes
    assert (str(probe.origin[0]), probe.url) == ("prometheus.yml:6", "https://admin.example.com/")
    assert "no path" in probe.origin[0].what


def test_a_slash_that_was_written_is_not_called_a_missing_path() -> None:
    [probe] = simulate([probing(["http://a/"]), BLACKBOX]).probes
    assert not any("no path" in origin.what for origin in probe.origin)


def test_a_module_that_pings_is_harmless_and_says_why() -> None:
    [probe] = simulate([probing(["10.0.0.1"], params={"module": ["ping"]}), BLACKBOX]).probes
    assert (probe.kind, probe.url, probe.host, probe.creates_sessions) == (
        "blackbox-icmp",
        "icmp://10.0.0.1",
        "10.0.0.1",
        False,
    )
    assert "ping" in probe.harmless_because


def test_the_hostname_parameter_decides_the_host_that_the_application_sees() -> None:
    [probe] = simulate([probing(["10.0.0.1:80"], params={"hostname": ["admin.example.com"]}), BLACKBOX]).probes
    assert (probe.url, probe.host) == ("http://10.0.0.1:80/", "admin.example.com")


def test_what_the_exporter_cannot_ask_is_dropped_with_its_reason() -> None:
    found = simulate([probing(["HTTP://a/", "//b", "c:80"]), BLACKBOX])
    assert asked(found) == ["http://c:80/"]
    assert [(d.prober, d.address, bool(d.reason)) for d in found.dropped] == [
        ("prometheus/up", "HTTP://a/", True), ("prometheus/up", "//b", True)
    ]  # fmt: skip


def test_an_unknown_module_is_answered_with_400_and_asks_nothing() -> None:
    found = simulate([probing(["a:80"], params={"module": ["http_3xx"]}), BLACKBOX])
    assert found.probes == ()
    assert 'unknown module "http_3xx"' in found.dropped[0].reason


def test_a_target_that_a_rule_drops_is_dropped_with_the_line_of_the_rule() -> None:
    text = """scrape_configs:
  - job_name: a
    static_configs: [{targets: [a:80, b:80]}]
    relabel_configs:
      - source_labels: [__address__]
        regex: a:80
        action: drop
"""
    found = simulate([prometheus(text)])
    assert [probe.host for probe in found.probes] == ["b"]
    [dropped] = found.dropped
    assert dropped.address == "a:80"
    assert [str(origin) for origin in dropped.origin][:2] == ["prometheus.yml:5", "prometheus.yml:3"]


def test_different_targets_that_become_the_same_request_leave_one_probe_and_one_dropped() -> None:
    found = simulate([probing(["a:80", "b:80"], relabel_configs=[
        {"target_label": "__param_target", "replacement": "http://a/"},
        {"target_label": "__address__", "replacement": "blackbox:9115"}]), BLACKBOX])  # fmt: skip
    assert asked(found) == ["http://a/"]
    assert [d.address for d in found.dropped] == ["b:80"]


def test_two_jobs_that_ask_for_the_same_url_are_two_probes() -> None:
    jobs = [
        {
            "job_name": name,
            "metrics_path": "/probe",
            "static_configs": [{"targets": ["a:80"]}],
            "relabel_configs": PROBE_RULES,
        }
        for name in ("one", "two")
    ]
    assert [p.prober for p in simulate([prometheus(jobs), BLACKBOX]).probes] == ["prometheus/one", "prometheus/two"]


def test_headers_are_named_and_the_values_that_somebody_set_are_not_kept() -> None:
    text = """
modules:
  http_2xx:
    prober: http
    http:
      headers: {Host: admin.example.com, X-Token: t0psecret}
      basic_auth: {username: monitor, password: t0psecret}
"""
    found = simulate([probing(["a:80"]), ConfigurationFile("blackbox.yml", text, "blackbox")])
    [probe] = found.probes
    assert probe.headers == (("Connection", "close"), ("X-Token", "***"), ("Authorization", "***"))
    [scrape] = simulate(
        [prometheus([{"job_name": "a", "bearer_token": "t0psecret", "static_configs": [{"targets": ["a"]}]}])]
    ).probes
    assert dict(scrape.headers)["Authorization"] == "***"
    assert dict(scrape.headers)["X-Prometheus-Scrape-Timeout-Seconds"] == "10"
    assert "t0psecret" not in repr(found) + repr(scrape)


def test_the_version_decides_whether_a_port_is_added() -> None:
    files = [prometheus([{"job_name": "a", "static_configs": [{"targets": ["a"]}]}])]
    assert asked(simulate(files), "scrape") == ["http://a/metrics"]
    assert asked(simulate(files, prometheus_version="2.42.0"), "scrape") == ["http://a:80/metrics"]


def test_a_version_that_is_none_is_an_error_of_usage() -> None:
    with pytest.raises(UsageError):
        simulate([prometheus([])], prometheus_version="latest")


# -- what is read together ------------------------------------------------------------------------------------------


def test_files_of_targets_are_discovered_with_the_labels_that_they_carry() -> None:
    rule = {"source_labels": ["__meta_consul_service"], "target_label": "service"}
    job = {"job_name": "a", "file_sd_configs": [{"files": ["targets/*.json"]}], "relabel_configs": [rule]}
    text = (
        '[\n {"targets": ["a:80"],\n  "labels": {"__meta_consul_service": "web", "__meta_consul_health": "critical"}}]'
    )
    targets = ConfigurationFile("etc/targets/a.json", text, "file_sd")
    [probe] = simulate([prometheus([job], "etc/prometheus.yml"), targets]).probes
    assert (probe.url, probe.service, probe.health) == ("http://a:80/metrics", "web", "critical")
    assert "etc/targets/a.json:2" in [str(origin) for origin in probe.origin]


def test_files_of_jobs_belong_to_the_server_that_names_them() -> None:
    main = prometheus("scrape_config_files: [jobs/*.yml]\nglobal: {scrape_interval: 7s}\n")
    job = prometheus([{"job_name": "a", "static_configs": [{"targets": ["a:80"]}]}], "jobs/a.yml")
    [probe] = simulate([main, job]).probes
    assert (probe.url, probe.period_s) == ("http://a:80/metrics", 7.0)


def test_two_servers_ask_twice() -> None:
    job = [{"job_name": "a", "static_configs": [{"targets": ["a:80"]}]}]
    assert len(simulate([prometheus(job, "one.yml"), prometheus(job, "two.yml")]).probes) == 2


def test_the_proxys_map_and_its_log_formats_come_along() -> None:
    folder = ASSETS / "nginx" / "admin"
    files = [
        ConfigurationFile(path.relative_to(folder).as_posix(), path.read_text(), "nginx")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]
    found = simulate(files)
    assert found.probes == found.problems == ()
    assert [log_format.name for log_format in found.log_formats] == ["json", 'with "quotes"']
    assert {backend.port for backend in found.backends if backend.state == "idle"} == {8082, 8083, 8084}


# -- what is missing or wrong ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        ([incident("before")[0]], "the targets of consul_sd are not known"),
        ([prometheus([{"job_name": "a", "ec2_sd_configs": [{"region": "x"}]}])], "the targets of ec2_sd are not known"),
        ([prometheus([{"job_name": "a", "file_sd_configs": [{"files": ["t.json"]}]}])], "no file of targets was given"),
        ([prometheus("scrape_config_files: [jobs/*.yml]")], "scrape_config_files names jobs/*.yml"),
        ([prometheus("scrape_configs: [")], "not YAML"),
        ([prometheus([{"job_name": "a"}, {"job_name": "a"}])], "multiple scrape configs"),
        ([ConfigurationFile("c.json", "{", "consul")], "not JSON"),
        ([ConfigurationFile("n.conf", "{", "nginx")], "unexpected"),
        ([probing(["a:80"]), ConfigurationFile("b.yml", "- a", "blackbox")], "must be a mapping"),
        ([ConfigurationFile("b.yml", "modules: {a: {prober: http, htttp: {}}}", "blackbox")], "field htttp not found"),
    ],
)
def test_nothing_that_is_wrong_raises_and_everything_is_said(files: list[ConfigurationFile], reason: str) -> None:
    found = simulate(files)
    assert any(reason in text for text in reasons(found)), reasons(found)
    assert all(problem.hint for problem in found.problems)


def test_without_a_configuration_of_the_exporter_the_module_is_assumed_and_that_is_said() -> None:
    found = simulate([probing(["a:80"])])
    assert asked(found) == ["http://a:80/"]
    assert any("http_2xx" in reason for reason in reasons(found))


def test_one_broken_file_does_not_hide_the_others() -> None:
    files = [prometheus("scrape_configs: [", "broken.yml"), *incident("before")]
    found = simulate(files)
    assert len(asked(found)) == 3
    assert [problem.file for problem in found.problems] == ["broken.yml"]


def test_no_secret_of_a_configuration_reaches_a_simulation() -> None:
    secret = "t0p" + "secret"
    job: dict[str, Any] = {
        "job_name": "a", "basic_auth": {"username": "u", "password": secret}, "params": {"token": [secret]},
        "static_configs": [{"targets": ["a:80", f"http://u:{secret}@a"]}], "unknown_field": secret,
        "relabel_configs": [{"target_label": "__param_token", "replacement": secret}],
    }  # fmt: skip
    consul = {"service": {"name": "a", "token": secret, "check": {"http": f"http://u:{secret}@a/h", "interval": "1s"}}}
    module = f"modules: {{http_2xx: {{prober: http, http: {{basic_auth: {{password: {secret}}}}}}}}}"
    found = simulate(
        [
            prometheus([job], "another.yml"),
            probing([f"http://u:{secret}@a/?api_key={secret}"]),
            ConfigurationFile("c.json", json.dumps(consul), "consul"),
            ConfigurationFile("b.yml", module, "blackbox"),
        ]
    )
    assert len(found.probes) == 3
    assert secret not in repr(found) + repr([(p.message, p.hint) for p in found.problems])


def test_the_same_texts_give_the_same_simulation() -> None:
    assert simulate(incident("after", answers=True)) == simulate(incident("after", answers=True))


@given(
    st.lists(
        st.sampled_from(["a:80", "http://a", "b/x", "", "ü", "a b", "<address>:80", "[::1]:80", "%zz"]), max_size=5
    )
)
def test_every_target_becomes_a_probe_or_is_dropped(targets: list[str]) -> None:
    found = simulate([probing(targets), BLACKBOX])
    distinct = set(targets)
    assert len(found.probes) + len(found.dropped) == len(distinct)
    assert all(isinstance(probe, Probe) and probe.path.startswith("/") for probe in found.probes)


@pytest.mark.parametrize(
    ("other", "differs"),
    [
        ("modules:\n  m: {prober: http, http: {method: POST}}\n", True),
        ("modules:\n  x: {prober: icmp}\n  m: {prober: http, http: {follow_redirects: false}}\n", True),
        ("modules:\n  m: {prober: tcp}\n", True),
        ("modules:\n  m: {prober: http, timeout: 9s}\n", False),
        ("modules:\n  n: {prober: http, http: {method: POST}}\n", False),
    ],
)
def test_two_exporters_modules_of_one_name_are_not_taken_for_one_unsaid(other: str, differs: bool) -> None:
    first = ConfigurationFile("prometheus.yml", "scrape_configs: []\n", "prometheus")
    files = [
        first,
        ConfigurationFile("one.yml", "modules:\n  m: {prober: http}\n", "blackbox"),
        ConfigurationFile("two.yml", other, "blackbox"),
    ]
    said = [problem for problem in simulate(files).problems if "differs from that of one.yml:2" in problem.message]
    assert bool(said) == differs
    assert all(problem.file == "two.yml" and isinstance(problem, NotJudged) for problem in said)
