from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from necropsy.model.evidence import Origin
from necropsy.model.finding import Confidence, Finding, Severity
from necropsy.model.probe import Backend, Probe

from .cases import HEALTHY_PROBE, PROBE, Scene, cleared, scene, slugs

JOB = Origin("prometheus.yml", 4, "job blackbox_exporter_http")
ASKED = replace(PROBE, origin=(*PROBE.origin, JOB), service="admin", instance="Server:8080")
INSTANCE = {
    "service": "admin",
    "instance": "Server:8080",
    "node": "admin-1",
    "address": "10.0.0.1:8080",
    "port": 8080,
    "health": "passing",
    "node_health": "passing",
    "file": "services.json",
    "line": 3,
}
RULE = {
    "prober": "prometheus/web",
    "file": "prometheus.yml",
    "line": 9,
    "action": "keep",
    "what": "keeps targets whose __meta_consul_tag matches web",
    "reached": 3,
    "matched": 0,
}


def only(slug: str, s: Scene) -> Finding:
    (finding,) = [finding for finding in s.examine().findings if finding.slug == slug]
    return finding


def again(s: Scene, finding: Finding) -> None:
    """Every query of a finding runs."""
    for exhibit in (finding.primary, *finding.supporting):
        assert exhibit is not None
        s.case.rows(exhibit.query)


# -- duplicate-target, doubled ----------------------------------------------------------------------------------------


def test_two_targets_of_one_job_with_one_url_are_one_too_many_and_the_label_that_differs_is_named() -> None:
    twin = replace(ASKED, labels=(("team", "web"),))
    with scene() as s:
        finding = only("probes/duplicate-target", s.source("prometheus").probe(ASKED, twin))
        again(s, finding)
    assert finding.severity is Severity.WARNING
    assert "1 target too many" in finding.title
    assert finding.supporting[0].text == "team=web"


def test_an_unknown_address_is_not_the_same_address_twice() -> None:
    unknown = replace(ASKED, url="http://<address>:8080/", host="<address>")
    with scene() as s:
        assert "probes/duplicate-target" not in slugs(s.source("prometheus").probe(unknown, unknown).examine())


def test_the_localhost_of_two_machines_is_not_one_machine() -> None:
    check = replace(PROBE, prober="consul/a", kind="consul-check", url="http://localhost/health", host="localhost")
    with scene() as s:
        assert "probes/doubled" not in slugs(
            s.source("consul").probe(check, replace(check, prober="consul/b")).examine()
        )


@pytest.mark.parametrize(
    "other",
    [
        replace(ASKED, origin=(Origin("replica.yml", 4, "job blackbox_exporter_http"),)),
        replace(ASKED, prober="prometheus/copy", origin=(Origin("prometheus.yml", 30, "job copy"),)),
    ],
    ids=["replica", "copied job"],
)
def test_two_servers_or_two_jobs_that_ask_for_one_url_double_it(other: Probe) -> None:
    with scene() as s:
        finding = only("probes/doubled", s.source("prometheus").probe(ASKED, other))
        again(s, finding)
        assert "probes/duplicate-target" not in slugs(s.examine())
    assert "17,280 requests a day" in finding.title
    assert finding.severity is Severity.WARNING


def test_doubled_health_checks_are_worth_a_note_and_no_more() -> None:
    one = replace(HEALTHY_PROBE, origin=(JOB,))
    with scene() as s:
        s.source("prometheus").probe(
            one, replace(one, prober="prometheus/copy", origin=(Origin("p.yml", 3, "job copy"),))
        )
        assert only("probes/doubled", s).severity is Severity.INFO


# -- idle-backend -----------------------------------------------------------------------------------------------------


IDLE = Backend("127.0.0.1", 8080, "upstream", "idle", upstream="admin", origin=Origin("nginx.conf", 12))


def test_a_probe_of_a_port_out_of_use_is_idle_and_the_proxy_s_line_says_so() -> None:
    with scene() as s:
        finding = only("probes/idle-backend", s.source("prometheus", "nginx").probe(ASKED).backend(IDLE))
        again(s, finding)
    assert "port 8080" in finding.title
    assert finding.primary is not None
    assert finding.primary.text == "nginx.conf:12: out of use in upstream admin"


@pytest.mark.parametrize(
    ("health", "severity"), [("passing", Severity.WARNING), (None, Severity.WARNING), ("critical", Severity.INFO)]
)
def test_an_idle_port_that_does_not_answer_costs_no_sessions(health: str | None, severity: Severity) -> None:
    with scene() as s:
        s.source("prometheus", "nginx").probe(replace(ASKED, health=health)).backend(IDLE)
        assert only("probes/idle-backend", s).severity is severity


def test_a_port_that_is_live_in_another_upstream_is_not_idle() -> None:
    with scene() as s:
        s.source("prometheus", "nginx").probe(ASKED).backend(IDLE, replace(IDLE, state="live", upstream="other"))
        assert "probes/idle-backend" not in slugs(s.examine())


def test_without_the_proxy_s_configuration_nothing_is_said_of_idle_ports() -> None:
    with scene() as s:
        examination = s.source("prometheus").probe(ASKED).examine()
    assert "probes/idle-backend" in {entry.slug for entry in examination.unexamined}


# -- zombie-service ---------------------------------------------------------------------------------------------------


def test_an_instance_on_a_dead_node_is_a_zombie_and_still_probed() -> None:
    with scene() as s:
        s.source("prometheus", "consul").probe(ASKED).rows("service_instance", {**INSTANCE, "node_health": "critical"})
        finding = only("probes/zombie-service", s)
        again(s, finding)
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.HIGH)
    assert "still probed" in finding.title
    assert finding.remedy is not None
    assert "force-leave -prune admin-1" in finding.remedy.text


def test_of_two_registrations_of_one_address_the_dead_one_is_the_zombie() -> None:
    old = {**INSTANCE, "node": "admin-1-old", "node_health": "critical", "health": "critical"}
    with scene() as s:
        finding = only("probes/zombie-service", s.source("consul").rows("service_instance", INSTANCE, old))
    assert not finding.supporting
    assert finding.primary is not None
    assert finding.primary.text == "its node admin-1-old is critical"


def test_a_critical_instance_on_a_port_that_the_proxy_knows_is_an_outage_and_no_zombie() -> None:
    critical = {**INSTANCE, "health": "critical"}
    with scene() as s:
        s.source("consul", "nginx").rows("service_instance", critical).backend(replace(IDLE, state="live"))
        assert "probes/zombie-service" not in slugs(s.examine())


def test_a_critical_instance_on_a_port_that_the_proxy_does_not_know_is_a_zombie() -> None:
    critical = {**INSTANCE, "health": "critical", "port": 9999, "address": "10.0.0.1:9999"}
    with scene() as s:
        s.source("consul", "nginx").rows("service_instance", critical).backend(replace(IDLE, state="live"))
        finding = only("probes/zombie-service", s)
    assert (finding.severity, finding.confidence) == (Severity.INFO, Confidence.MEDIUM)


def test_living_nodes_are_cleared() -> None:
    with scene() as s:
        examination = s.source("consul").rows("service_instance", INSTANCE).examine()
    assert cleared(examination)["probes/zombie-service"] == "1 registered instance, and every node is alive"


# -- partial-fix ------------------------------------------------------------------------------------------------------


def test_half_a_fix_is_counted_by_service() -> None:
    done = replace(HEALTHY_PROBE, service="admin", host="10.0.0.2", url="http://10.0.0.2:8080/health")
    with scene() as s:
        finding = only("probes/partial-fix", s.source("prometheus").probe(ASKED, done))
        again(s, finding)
    assert finding.title == "1 of 2 targets of admin ask /health, 1 still /"
    assert finding.confidence is Confidence.HIGH
    assert finding.primary is not None
    assert finding.primary.title.startswith("GET http://10.0.0.1:8080/ ")


def test_different_services_may_differ() -> None:
    done = replace(HEALTHY_PROBE, service="other")
    with scene() as s:
        assert "probes/partial-fix" not in slugs(s.source("prometheus").probe(ASKED, done).examine())


def _comb(s: Scene, phase_s: int, hours: int) -> None:
    s.case.execute(
        "INSERT INTO session (store, id_hash, born_at, authentication, state, keys, bytes)"
        f" SELECT 'a', hash('{phase_s}-' || i), TIMESTAMP '2019-05-24 00:00:00' + (i * 10 + {phase_s}) * INTERVAL 1 SECOND,"
        f" 'no', 'live', 1, 100 FROM range({hours * 360}) r(i)"
    )
    s.claim("probe", hours * 360.0, label=f"at {phase_s}", period_s=10.0, phase_s=float(phase_s), creation_probability=1.0,
            first_at=datetime(2019, 5, 24, 0, 0, phase_s), last_at=datetime(2019, 5, 24, hours - 1, 59, 50 + phase_s))  # fmt: skip  # noqa: DTZ001 -- the case holds UTC without a zone


def test_a_train_that_ended_beside_one_that_goes_on_is_a_plateau() -> None:
    with scene() as s:
        s.source("rdb", "prometheus")
        _comb(s, 2, hours=12)
        _comb(s, 7, hours=6)
        finding = only("probes/partial-fix", s)
        assert finding.primary is not None
        assert [row["label"] for row in s.case.rows(finding.primary.query)] == ["at 7", "at 2"]
    assert finding.store == "a"
    assert finding.title == "1 of 2 trains of births in store a have ended, 1 goes on"


def test_a_train_that_a_restart_moved_to_another_phase_is_no_fix() -> None:
    with scene() as s:
        s.source("rdb", "prometheus")
        _comb(s, 2, hours=12)
        _comb(s, 7, hours=6)
        s.case.execute("UPDATE birth_claim SET first_at = TIMESTAMP '2019-05-24 06:00:30' WHERE label = 'at 2'")
        assert "probes/partial-fix" not in slugs(s.examine())


def test_trains_that_all_go_on_are_no_fix() -> None:
    with scene() as s:
        s.source("rdb", "prometheus")
        _comb(s, 2, hours=6)
        _comb(s, 7, hours=6)
        assert "probes/partial-fix" not in slugs(s.examine())


# -- dead-rule --------------------------------------------------------------------------------------------------------


def test_a_misspelt_label_that_drops_everything_is_named_with_the_one_that_was_meant() -> None:
    rule = {**RULE, "absent_label": "__meta_consul_tag", "alike": "__meta_consul_tags"}
    with scene() as s:
        finding = only("probes/dead-rule", s.source("prometheus").rows("relabel_rule", rule))
        again(s, finding)
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.HIGH)
    assert finding.title == "A rule drops all 3 targets of prometheus/web"
    assert finding.text.endswith("no target has the label __meta_consul_tag; they do have __meta_consul_tags.")
    assert finding.primary is not None
    assert str(finding.primary.origin) == "prometheus.yml:9"


@pytest.mark.parametrize(
    "rule",
    [
        {"action": "drop"},
        {"action": "labelmap"},
        {"action": "replace", "absent_label": "__meta_kubernetes_pod_annotation_prometheus_io_path"},
        {"action": "keep", "reached": 0},
        {"action": "keep", "matched": 1},
    ],
    ids=["precaution", "optional labels", "optional annotation", "nothing reached it", "alive"],
)
def test_a_rule_that_may_wait_is_not_dead(rule: dict[str, object]) -> None:
    with scene() as s:
        assert "probes/dead-rule" not in slugs(s.source("prometheus").rows("relabel_rule", {**RULE, **rule}).examine())


def test_a_rewriting_rule_that_matches_nothing_is_worth_a_note() -> None:
    with scene() as s:
        s.source("prometheus").rows("relabel_rule", {**RULE, "action": "replace"})
        assert only("probes/dead-rule", s).severity is Severity.INFO


# -- labelmap-collision -----------------------------------------------------------------------------------------------


def test_a_labelmap_whose_result_is_chance_is_found_at_its_line() -> None:
    rule = {**RULE, "action": "labelmap", "matched": 3, "collided": 2, "collision": "name"}
    with scene() as s:
        finding = only("probes/labelmap-collision", s.source("prometheus").rows("relabel_rule", rule))
        again(s, finding)
    assert "makes name of several labels in 2 targets" in finding.title


# -- dropped-target, timeout-exceeds-interval -------------------------------------------------------------------------

LOST = {"prober": "prometheus/web", "address": "10.0.0.1:80", "file": "services.json", "line": 4}


def test_a_target_that_nobody_meant_to_drop_is_found_with_the_line_that_discovers_it() -> None:
    with scene() as s:
        s.source("prometheus").rows(
            "dropped_target",
            {**LOST, "reason": '"http://blackbox:9115" is not a valid hostname'},
            {**LOST, "reason": "a relabel rule drops targets whose job matches web"},
            {**LOST, "reason": "it has the same labels and URL as another target"},
        )
        finding = only("probes/dropped-target", s)
        again(s, finding)
    assert finding.title.startswith("1 target of prometheus/web is never asked: ")
    assert finding.primary is not None
    assert str(finding.primary.origin) == "services.json:4"


def test_a_timeout_that_relabelling_made_too_long_loses_targets() -> None:
    reason = 'scrape timeout cannot be greater than scrape interval ("30s" > "10s")'
    with scene() as s:
        s.source("prometheus").rows("dropped_target", {**LOST, "reason": reason})
        finding = only("probes/timeout-exceeds-interval", s)
        again(s, finding)
        assert "probes/dropped-target" not in slugs(s.examine())
    assert finding.severity is Severity.WARNING


def test_a_configuration_that_prometheus_refuses_for_its_timeout_is_critical_and_has_its_line() -> None:
    reason = 'prometheus.yml:7: scrape timeout greater than scrape interval for scrape config with job name "web"'
    with scene() as s:
        s.source("prometheus").rows(
            "absence", {"kind": "configuration", "locator": "prometheus.yml:7", "reason": reason, "hint": ""}
        )
        finding = only("probes/timeout-exceeds-interval", s)
        again(s, finding)
    assert finding.severity is Severity.CRITICAL
    assert finding.primary is not None
    assert finding.primary.origin == Origin("prometheus.yml", 7, "scrape_timeout")


# -- redirect-leaves-health, health-behind-session --------------------------------------------------------------------

BLACKBOX = "Go-http-client/1.1"
REDIRECT = {"class_id": 1, "user_agent": BLACKBOX, "host": "10.0.0.1:8080", "method": "GET", "path": "/health",
            "status": 302, "followed_to": "/login", "visits": 8640, "period_s": 10.0}  # fmt: skip


def test_a_health_endpoint_that_redirects_to_the_login_page_is_no_health_endpoint() -> None:
    with scene() as s:
        s.source("prometheus", "access_log").probe(HEALTHY_PROBE).rows("visitor_class", REDIRECT)
        finding = only("probes/redirect-leaves-health", s)
        again(s, finding)
    assert finding.severity is Severity.WARNING
    assert "redirected to /login" in finding.title
    assert finding.primary is not None
    assert "8,640 visits" in finding.primary.text


@pytest.mark.parametrize(
    "change",
    [
        {"status": 200, "followed_to": None},
        {"followed_to": "/health/"},
        {"path": "/"},
        {"user_agent": "Mozilla/5.0"},
        {"host": "10.0.0.1:9090"},
    ],
)
def test_what_is_no_redirect_of_this_probe_to_a_page_is_no_finding(change: dict[str, object]) -> None:
    with scene() as s:
        s.source("prometheus", "access_log").probe(HEALTHY_PROBE).rows("visitor_class", {**REDIRECT, **change})
        assert "probes/redirect-leaves-health" not in slugs(s.examine())


def test_a_prober_that_follows_nothing_stays_at_the_health_endpoint() -> None:
    still = replace(HEALTHY_PROBE, follows_redirects=False)
    with scene() as s:
        s.source("prometheus", "access_log").probe(still).rows("visitor_class", REDIRECT)
        assert "probes/redirect-leaves-health" not in slugs(s.examine())


def test_a_redirect_to_where_the_log_does_not_reach_is_said_with_less_certainty() -> None:
    with scene() as s:
        s.source("prometheus", "access_log").probe(HEALTHY_PROBE).rows(
            "visitor_class", {**REDIRECT, "followed_to": None}
        )
        finding = only("probes/redirect-leaves-health", s)
    assert (finding.severity, finding.confidence) == (Severity.INFO, Confidence.MEDIUM)


def test_births_at_a_health_endpoint_accuse_the_session_middleware_in_front_of_it() -> None:
    with scene() as s:
        s.source("rdb", "prometheus").probe(HEALTHY_PROBE).sessions(100).claim("probe", 90.0, probe_id=0)
        finding = only("probes/health-behind-session", s)
        again(s, finding)
    assert finding.severity is Severity.CRITICAL
    assert finding.store == "a"
    assert finding.share == pytest.approx(0.9)


def test_births_at_a_page_or_a_handful_of_them_do_not_accuse_a_health_endpoint() -> None:
    with scene() as s:
        s.source("rdb", "prometheus").probe(PROBE, HEALTHY_PROBE).sessions(100)
        s.claim("probe", 90.0, probe_id=0).claim("probe", 4.0, probe_id=1)
        assert "probes/health-behind-session" not in slugs(s.examine())


def test_a_new_cookie_in_most_answers_of_a_health_endpoint_tells_it_without_any_birth() -> None:
    use = {"log": "a", "client": "10.0.0.9", "user_agent": "kube-probe/1.27", "clients": 1, "visits": 100,
           "brought": 0, "given": 100, "renewed": 100}  # fmt: skip
    with scene() as s:
        s.source("rdb", "access_log").sessions(10).rows(
            "cookie_use", use, {**use, "user_agent": "curl/8", "renewed": 3}
        )
        s.visitors(1, "kube-probe/1.27", "10.0.0.1:8080", "/health").visitors(2, "curl/8", "10.0.0.1:8080", "/health")
        finding = only("probes/health-behind-session", s)
        again(s, finding)
    assert "kube-probe/1.27 asks /health and is given a new session cookie in 100 of 100 visits" in finding.title


def test_a_client_that_asks_for_pages_as_well_is_given_its_cookie_by_them() -> None:
    use = {"log": "a", "client": "10.0.0.9", "user_agent": "kube-probe/1.27", "clients": 1, "visits": 100,
           "brought": 0, "given": 100, "renewed": 100}  # fmt: skip
    with scene() as s:
        s.source("rdb", "access_log").sessions(10).rows("cookie_use", use)
        s.visitors(1, "kube-probe/1.27", "10.0.0.1:8080", "/health").visitors(
            2, "kube-probe/1.27", "10.0.0.1:8080", "/"
        )
        assert "probes/health-behind-session" not in slugs(s.examine())
