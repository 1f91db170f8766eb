"""Consul: definitions, saved answers, the two joined, discovery's labels, Consul's own checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from necropsy.model.probe import Probe
from necropsy.probes.consul.catalog import Catalog, ConsulText, read_catalog
from necropsy.probes.consul.checks import consul_probes
from necropsy.probes.consul.discovery import discover, labels_of
from necropsy.probes.consul.model import Check, aggregated_status, go_seconds
from necropsy.probes.prometheus.target_group import TargetGroup
from necropsy.probes.syntax.document import parse_yaml

ASSETS = Path(__file__).parents[2] / "assets"


def asset(name: str, node_address: str | None = None) -> ConsulText:
    return ConsulText(Path(name).name, (ASSETS / name).read_text(), node_address)


def catalog(*values: Any, node_address: str | None = None) -> Catalog:
    return read_catalog(
        [ConsulText(f"{n}/consul.json", json.dumps(value), node_address) for n, value in enumerate(values)]
    )


def found(settings: str, known: Catalog) -> tuple[list[TargetGroup], list[str]]:
    groups, problems = discover(parse_yaml(settings, "prometheus.yml"), known)
    return groups, [problem.reason for problem in problems]


def addresses(settings: str, known: Catalog) -> list[str]:
    return [str(labels["__address__"]) for group in found(settings, known)[0] for labels in group.targets]  # type: ignore[index]


def service(**fields: Any) -> dict[str, Any]:
    return {
        "Node": {"Node": "n1", "Address": "10.0.0.1"},
        "Service": {"ID": "a", "Service": "a", **fields},
        "Checks": [],
    }


def check(identity: str, status: str) -> Check:
    return Check(identity, identity, "http", status=status)


# -- definitions ----------------------------------------------------------------------------------------------------


def test_a_definition_file_without_an_address_leaves_the_placeholder() -> None:
    known = read_catalog([asset("incident/consul-services.before.json")])
    assert [(i.service_id, i.host_port, i.health, i.health_path) for i in known.instances] == [
        ("Nginx", "<address>:80", None, "/health"),
        ("Server:8080", "<address>:8080", None, "/health"),
        ("Server:8081", "<address>:8081", None, "/health"),
    ]
    assert known.problems == ()


def test_an_instance_knows_its_lines() -> None:
    instance = read_catalog([asset("incident/consul-services.before.json")]).instances[1]
    assert [(str(origin), origin.what) for origin in instance.origin] == [
        ("consul-services.before.json:20", "defines b2b-admin, port 8080")
    ]
    path, line = instance.health_endpoint or ("", None)
    assert (path, str(line)) == ("/health", "consul-services.before.json:29")


def test_hcl_says_the_same_and_an_agents_own_settings_give_its_address() -> None:
    known = read_catalog([asset("consul/web.hcl")])
    report, quiet = known.instances
    assert (report.host_port, report.node.name, report.node.datacenter) == ("172.12.1.191:9000", "admin-3", "eu-1")
    assert [(c.identity, c.name, c.kind, c.interval_s, c.follows_redirects) for c in report.checks] == [
        ("service:report:1", "alive", "tcp", 5.0, True),
        ("service:report:2", "page", "http", 60.0, False),
    ]
    assert (quiet.service_id, quiet.checks[0].identity, quiet.checks[0].kind) == ("quiet", "service:quiet", "ttl")


def test_a_check_of_the_root_is_no_health_endpoint_and_meta_is_asked_instead() -> None:
    report = read_catalog([asset("consul/web.hcl")]).instances[0]
    path, line = report.health_endpoint or ("", None)
    assert (path, str(line)) == ("/actuator/health", "web.hcl:12")


@pytest.mark.parametrize(
    "definition",
    [
        {"service": {"name": "a", "port": 80, "check": {"http": "http://localhost/h", "interval": "10s"}}},
        {"service": {"Name": "a", "Port": 80, "Checks": [{"HTTP": "http://localhost/h", "Interval": "10s"}]}},
        {"services": [{"name": "a", "port": 80, "checks": [{"http": "http://localhost/h", "interval": "10s"}]}]},
        {"Name": "a", "Port": 80, "Check": {"HTTP": "http://localhost/h", "Interval": "10s"}},
        {"service": {"name": "a", "port": 80}, "check": {"service_id": "a", "http": "http://localhost/h", "interval": "10s"}},
        {"service": {"name": "a", "port": 80}, "checks": [{"ServiceID": "a", "HTTP": "http://localhost/h", "Interval": 10_000_000_000}]},
    ],
)  # fmt: skip
def test_every_form_of_a_definition_is_the_same_instance(definition: dict[str, Any]) -> None:
    [instance] = catalog(definition).instances
    assert (instance.service_id, instance.port, instance.health_path) == ("a", 80, "/h")
    assert [(c.kind, c.interval_s) for c in instance.checks] == [("http", 10.0)]


def test_the_address_of_the_node_may_be_given_beside_the_file() -> None:
    known = read_catalog([asset("incident/consul-services.before.json", f"172.12.1.{host}") for host in (189, 190)])
    assert [i.host_port for i in known.instances] == [
        f"172.12.1.{host}:{port}" for host in (189, 190) for port in (80, 8080, 8081)
    ]


def test_a_node_whose_address_is_known_has_the_tagged_addresses_that_its_agent_would_give_it() -> None:
    known = read_catalog([asset("consul/web.hcl"), asset("incident/consul-services.before.json", "fd00::1")])
    assert [i.node.tagged_addresses for i in known.instances[1:3]] == [
        {"lan": "172.12.1.191", "lan_ipv4": "172.12.1.191", "wan": "172.12.1.191", "wan_ipv4": "172.12.1.191"},
        {"lan": "fd00::1", "lan_ipv6": "fd00::1", "wan": "fd00::1", "wan_ipv6": "fd00::1"},
    ]


def test_two_agents_without_addresses_are_counted_once_and_that_is_said() -> None:
    definition = {"service": {"name": "a", "port": 80}}
    known = catalog(definition, definition)
    assert len(known.instances) == 1
    assert "neither node's address is known" in known.problems[0].reason
    assert "--consul ADDRESS=" in known.problems[0].hint


def test_an_id_that_one_file_defines_twice_is_kept_once_as_last_defined() -> None:
    known = catalog({"services": [{"name": "a", "port": 80}, {"name": "a", "port": 81}]})
    assert [i.port for i in known.instances] == [81]
    assert "defined again at line" in known.problems[0].reason


@pytest.mark.parametrize("text", ["nonsense", "{", '{"a": 1}', '"text"', "[1, 2]"])
def test_what_has_nothing_to_do_with_consul_is_a_problem_with_a_hint(text: str) -> None:
    known = read_catalog([ConsulText("x.json", text)])
    assert known.instances == ()
    assert [problem.hint != "" for problem in known.problems] == [True]


# -- answers --------------------------------------------------------------------------------------------------------


def test_a_saved_health_answer_gives_addresses_health_and_the_endpoint_that_a_check_reports() -> None:
    known = read_catalog([asset("consul/health-service-b2b-admin.json")])
    assert [(i.host_port, i.health, i.health_path) for i in known.instances[:3]] == [
        ("172.12.1.189:80", "passing", "/health"),
        ("172.12.1.189:8080", "passing", "/health"),
        ("172.12.1.189:8081", "critical", None),  # it never answered, so Consul's output names no URL
    ]


def test_definitions_and_answers_of_the_same_instances_are_joined() -> None:
    known = read_catalog([asset("consul/health-service-b2b-admin.json"), asset("incident/consul-services.before.json")])
    assert [(i.host_port, i.health, i.health_path) for i in known.instances] == [
        (f"172.12.1.{host}:{port}", health, "/health")
        for host in (189, 190)
        for port, health in ((80, "passing"), (8080, "passing"), (8081, "critical"))
    ]
    assert [str(origin) for origin in known.instances[2].origin] == [
        "consul-services.before.json:36",
        "health-service-b2b-admin.json:167",
    ]
    own = [c for c in known.instances[2].checks if c.service_id]
    assert [(c.url, c.interval_s, c.status, str(c.origin)) for c in own] == [
        ("http://localhost:8081/health", 10.0, "critical", "consul-services.before.json:45")
    ]


def test_a_definition_whose_node_consul_does_not_know_stays_beside_the_answers() -> None:
    known = read_catalog(
        [asset("consul/health-service-b2b-admin.json"), asset("incident/consul-services.before.json", "10.9.9.9")]
    )
    assert [i.host_port for i in known.instances if not i.answered] == ["10.9.9.9:80", "10.9.9.9:8080", "10.9.9.9:8081"]


def test_answers_of_the_catalogue_and_of_health_are_one() -> None:
    nodes = [{"Node": "n1", "Address": "10.0.0.1", "Datacenter": "eu", "Meta": {"rack": "7"}}]
    services = [{"Node": "n1", "Address": "10.0.0.1", "ServiceID": "a1", "ServiceName": "a", "ServicePort": 80,
                 "ServiceTags": ["x"], "ServiceMeta": {"k": "v"}, "NodeMeta": {}}]  # fmt: skip
    checks = [{"Node": "n1", "CheckID": "c", "Name": "c", "Status": "warning", "ServiceID": "a1", "ServiceName": "a"}]
    names = {"consul": [], "a": ["x"]}
    known = catalog(nodes, services, checks, names)
    [instance] = known.instances
    assert known.problems == ()
    assert (instance.node.datacenter, instance.node.meta, instance.health) == ("eu", {"rack": "7"}, "warning")
    assert (instance.tags, instance.meta) == (("x",), {"k": "v"})


def test_answers_of_an_agent_get_the_agents_own_address() -> None:
    services = {"a1": {"ID": "a1", "Service": "a", "Port": 80, "Tags": None, "Address": ""}}
    checks = {"c": {"Node": "n1", "CheckID": "c", "Name": "c", "Status": "critical", "ServiceID": "a1"}}
    agent = {
        "Config": {"Datacenter": "eu", "NodeName": "n1"},
        "Member": {"Name": "n1", "Addr": "10.0.0.7"},
        "Meta": None,
    }
    [instance] = catalog(services, checks, agent).instances
    assert (instance.host_port, instance.node.datacenter, instance.health) == ("10.0.0.7:80", "eu", "critical")


def test_services_of_an_agent_alone_get_the_address_that_the_file_came_with() -> None:
    services = {"a1": {"ID": "a1", "Service": "a", "Port": 80}}
    assert [i.host_port for i in catalog(services).instances] == ["<address>:80"]
    assert [i.host_port for i in catalog(services, node_address="10.0.0.8").instances] == ["10.0.0.8:80"]


def test_services_of_a_node_in_both_forms() -> None:
    node = {"Node": "n1", "Address": "10.0.0.1"}
    service_a = {"ID": "a1", "Service": "a", "Port": 80}
    for services in ({"a1": service_a}, [service_a]):
        assert [i.host_port for i in catalog({"Node": node, "Services": services}).instances] == ["10.0.0.1:80"]


def test_a_service_that_only_the_catalogue_names_is_missed_aloud() -> None:
    known = catalog({"consul": [], "web": ["x"]})
    assert [problem.hint for problem in known.problems] == ["Save /v1/health/service/web as well."]


@pytest.mark.parametrize("empty", [[], {}])
def test_an_empty_answer_says_nothing(empty: Any) -> None:
    assert catalog(empty) == Catalog(())


@pytest.mark.parametrize(
    ("checks", "status"),
    [
        ([], "passing"),
        ([("a", "passing"), ("b", "warning")], "warning"),
        ([("a", "critical"), ("b", "warning")], "critical"),
        ([("a", "critical"), ("_node_maintenance", "critical")], "maintenance"),
        ([("_service_maintenance:a", "critical")], "maintenance"),
        ([("a", "odd")], ""),
        ([("a", "odd"), ("b", "critical")], ""),
    ],
)
def test_statuses_are_aggregated_as_consuls_client_does(checks: list[tuple[str, str]], status: str) -> None:
    assert aggregated_status(tuple(check(*item) for item in checks)) == status


@pytest.mark.parametrize(
    ("text", "seconds"), [("10s", 10), ("1m", 60), ("1h2m3.5s", 3723.5), ("", 0), ("10", 1e-8), ("10 s", 0), ("s", 0)]
)
def test_durations_are_those_of_go(text: str, seconds: float) -> None:
    assert go_seconds(text) == seconds


# -- discovery ------------------------------------------------------------------------------------------------------


def test_labels_are_those_that_prometheus_would_set() -> None:
    known = read_catalog([asset("consul/health-service-b2b-admin.json")])
    [group], problems = found("server: localhost:8500", known)
    assert problems == []
    assert group.labels == {"__meta_consul_service": "b2b-admin", "__meta_consul_dc": "dc1"}
    assert group.targets[2] == {
        "__address__": "172.12.1.189:8081",
        "__meta_consul_address": "172.12.1.189",
        "__meta_consul_node": "admin-1",
        "__meta_consul_tags": ",blackbox_exporter_http,",
        "__meta_consul_service_id": "Server:8081",
        "__meta_consul_service_port": "8081",
        "__meta_consul_health": "critical",
        "__meta_consul_metadata_rack_no": "r1",
        "__meta_consul_tagged_address_lan": "172.12.1.189",
        "__meta_consul_tagged_address_lan_ipv4": "172.12.1.189",
        "__meta_consul_tagged_address_wan": "203.0.113.1",
    }


@pytest.mark.parametrize(
    ("fields", "name", "value"),
    [
        ({"Address": "10.1.1.1", "Port": 80}, "__address__", "10.1.1.1:80"),
        ({"Address": "fd00::1", "Port": 80}, "__address__", "[fd00::1]:80"),
        ({"Address": "", "Port": 0}, "__address__", "10.0.0.1:0"),
        ({"Port": 0}, "__meta_consul_service_port", "0"),
        ({"Tags": []}, "__meta_consul_tags", ",,"),
        ({"Tags": ["a", "b,c"]}, "__meta_consul_tags", ",a,b,c,"),
        ({"Meta": {"a.b-ü": "v"}}, "__meta_consul_service_metadata_a_b__", "v"),
        ({"Namespace": "ns", "Partition": "p"}, "__meta_consul_partition", "p"),
    ],
)
def test_corners_of_an_instance_become_labels(fields: dict[str, Any], name: str, value: str) -> None:
    [instance] = catalog([service(**fields)]).instances
    assert labels_of(instance)[name] == value


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ("services: []", ["10.0.0.1:1", "10.0.0.2:2", "10.0.0.3:3"]),
        ("services: [b]", ["10.0.0.3:3"]),
        ("tags: [x]", ["10.0.0.1:1", "10.0.0.2:2"]),
        ("tags: [x, y]", ["10.0.0.2:2"]),
        ("{services: [a], tags: [y]}", ["10.0.0.2:2"]),
        ("tags: [nobody]", []),
        ("node_meta: {rack: '7'}", ["10.0.0.2:2"]),
        ("datacenter: eu", ["10.0.0.1:1", "10.0.0.3:3"]),
    ],
)
def test_what_is_found_is_what_the_settings_ask_for(settings: str, expected: list[str]) -> None:
    known = catalog(
        [
            {"Node": {"Node": f"n{n}", "Address": f"10.0.0.{n}", "Meta": meta, "Datacenter": dc},
             "Service": {"ID": f"{name}{n}", "Service": name, "Port": n, "Tags": tags}, "Checks": []}
            for n, name, tags, meta, dc in (
                (1, "a", ["x"], {}, "eu"), (2, "a", ["x", "y"], {"rack": "7"}, "us"), (3, "b", None, None, "")
            )
        ]
    )  # fmt: skip
    assert addresses(settings, known) == expected


def test_instances_in_maintenance_and_critical_ones_are_found_too() -> None:
    entries = [service(Port=n) | {"Checks": [{"CheckID": identity, "Status": "critical", "ServiceID": "a"}]}
               for n, identity in ((1, "_service_maintenance:a"), (2, "c"))]  # fmt: skip
    entries[1]["Service"] = {"ID": "b", "Service": "a", "Port": 2}
    [group], _ = found("services: [a]", catalog(entries))
    assert [labels["__meta_consul_health"] for labels in group.targets] == ["maintenance", "critical"]  # type: ignore[index]


def test_another_separator_holds_the_tags_apart() -> None:
    [group], _ = found("tag_separator: '|'", catalog([service(Tags=["a", "b"])]))
    assert group.targets[0]["__meta_consul_tags"] == "|a|b|"  # type: ignore[index]


def test_a_filter_chooses_the_services_of_the_catalogue() -> None:
    assert found("filter: '\"x\" in ServiceTags'", catalog([service()]))[0] == []


def test_keys_that_become_one_label_are_a_problem_as_the_winner_is_chance() -> None:
    _, problems = found("services: []", catalog([service(Meta={"a-b": "1", "a_b": "2"})]))
    assert "picks one at random" in problems[0]


def test_the_chain_of_an_instance_ends_at_the_line_that_knows_its_health_endpoint() -> None:
    [group], _ = found("{}", read_catalog([asset("incident/consul-services.before.json")]))
    assert [(str(origin), origin.what) for origin in group.origin_of(0)] == [
        ("consul-services.before.json:4", "defines b2b-admin, port 80"),
        ("consul-services.before.json:13", "names the health endpoint: /health"),
    ]


# -- Consul's own checks --------------------------------------------------------------------------------------------


def own_probes(*texts: ConsulText) -> list[Probe]:
    return list(consul_probes(read_catalog(texts)))


def test_consuls_http_checks_are_probes_of_their_own() -> None:
    first = own_probes(asset("incident/consul-services.before.json"))[0]
    assert (first.prober, first.kind, first.method, first.url) == (
        "consul/Nginx Status",
        "consul-check",
        "GET",
        "http://localhost/health",
    )
    assert (first.period_s, first.timing, first.user_agents) == (10.0, "renewal", ("Consul Health Check",))
    assert (first.host, first.port, first.path, first.creates_sessions) == ("localhost", 80, "/health", True)
    assert (first.service, first.instance, first.health) == ("b2b-admin", "Nginx", None)
    assert str(first.origin[0]) == "consul-services.before.json:13"


def test_checks_that_send_no_request_are_harmless_and_say_why() -> None:
    probes = {probe.prober: probe for probe in own_probes(asset("consul/web.hcl"))}
    assert {name: (probe.kind, probe.creates_sessions) for name, probe in probes.items()} == {
        "consul/alive": ("consul-tcp", False),
        "consul/page": ("consul-check", True),
        "consul/Service 'quiet' check": ("consul-ttl", False),
    }
    assert all(probe.harmless_because for probe in probes.values() if not probe.creates_sessions)
    assert not probes["consul/page"].follows_redirects


def test_states_that_nobody_asks_for_are_no_probes() -> None:
    probes = own_probes(asset("consul/health-service-b2b-admin.json"))
    assert {probe.prober for probe in probes} == {
        "consul/Nginx Status",
        "consul/Server:8080 Status",
    }


def test_a_check_of_the_node_that_asks_by_http_is_a_probe() -> None:
    [probe] = consul_probes(catalog({"check": {"name": "disk", "http": "http://localhost:9/disk", "interval": "1m"}}))
    assert (probe.service, probe.url, probe.period_s) == (None, "http://localhost:9/disk", 60.0)


def test_passwords_and_tokens_of_a_check_never_leave() -> None:
    [probe] = consul_probes(
        catalog(
            {"service": {"name": "a", "token": "t0psecret", "check": {
                "http": "http://monitor:t0psecret@localhost/h?token=t0psecret&full=1",
                "header": {"Authorization": ["Bearer t0psecret"], "User-Agent": ["Mine/1"]}, "interval": "10s"}}}
        )
    )  # fmt: skip
    assert "t0psecret" not in repr(probe)
    assert probe.url == "http://localhost/h?token=***&full=1"
    assert probe.user_agents == ("Mine/1",)


# -- saved answers that are older than the definitions ----------------------------------------------------------------

ANSWER = [
    {
        "Node": {"Node": "n1", "Address": "10.0.0.1"},
        "Service": {"ID": f"web-{port}", "Service": "web", "Port": port, "Tags": ["blue"], "Meta": {"stage": "live"}},
        "Checks": [],
    }
    for port in (80, 81)
]


@pytest.mark.parametrize(
    ("changed", "lacking"),
    [
        ({"meta": {"stage": "live", "health": "/health"}}, "meta health"),
        ({"meta": {"stage": "test"}}, "meta stage"),
        ({"tags": ["blue", "probed"]}, "tag probed"),
    ],
)
def test_an_answer_that_was_saved_before_its_definition_was_written_says_so_once(
    changed: dict[str, Any], lacking: str
) -> None:
    services = [{"id": f"web-{port}", "name": "web", "port": port, **changed} for port in (80, 81)]
    (problem,) = catalog(ANSWER, {"services": services}).problems
    assert problem.file == "0/consul.json"
    assert f"2 instances of it lack {lacking}" in problem.reason
    assert "/v1/health/service/web" in problem.hint


def test_an_answer_that_knows_more_than_the_definition_is_not_old() -> None:
    services = [{"id": "web-80", "name": "web", "port": 80, "tags": ["blue"]}]
    assert catalog(ANSWER, {"services": services}).problems == ()
