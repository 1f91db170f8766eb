"""Rules for Prometheus, checked and played by the real promtool of two releases."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from necropsy.examine.registry import SLUGS
from necropsy.guard.exporter.info_fields import INFO_FIELDS
from necropsy.guard.rules import RECORDS, alerts, as_yaml

CHECKOUT = Path(__file__).parents[2]
STORY = """\
rule_files: [necropsy.rules.yml]
evaluation_interval: 1m
tests:
  - name: the incident, the half fix and the cure
    interval: 1m
    input_series:
      # An hour of health, two hours of the prober, an hour half fixed, then cured.
      - series: 'necropsy_cause_share{store="A",slug="probes/creates-sessions"}'
        values: '_x59 0.93+0x120 0.86+0x59 _x120'
      - series: 'necropsy_notices_by_kind{kind="half-fixed",store="A"}'
        values: '_x181 1+0x60 _x60'
      - series: 'necropsy_notices_by_kind{kind="zombie"}'
        values: '_x200 1+0x100'
      - series: 'necropsy_sessions{store="A",framework="spring-indexed",auth="no"}'
        values: '80+0x300'
      - series: 'necropsy_sessions{store="A",framework="spring-indexed",auth="yes"}'
        values: '20+0x300'
    alert_rule_test:
      - {eval_time: 50m, alertname: NecropsyProbesCreatesSessions, exp_alerts: []}
      - {eval_time: 65m, alertname: NecropsyProbesCreatesSessions, exp_alerts: []}
      - eval_time: 90m
        alertname: NecropsyProbesCreatesSessions
        exp_alerts: &leak
          - exp_labels: {severity: critical, slug: probes/creates-sessions, store: A}
            exp_annotations:
              summary: '93% of the sessions in store A: A configured, repeated request creates a new session each time'
              description: 'To see the creator, since when, and the line to change: necropsy examine incident.toml.'
              runbook: necropsy explain probes/creates-sessions
      - eval_time: 230m
        alertname: NecropsyProbesCreatesSessions
        exp_alerts:
          - exp_labels: {severity: critical, slug: probes/creates-sessions, store: A}
            exp_annotations:
              summary: '86% of the sessions in store A: A configured, repeated request creates a new session each time'
              description: 'To see the creator, since when, and the line to change: necropsy examine incident.toml.'
              runbook: necropsy explain probes/creates-sessions
      - {eval_time: 255m, alertname: NecropsyProbesCreatesSessions, exp_alerts: []}
      - {eval_time: 190m, alertname: NecropsyProbesPartialFix, exp_alerts: []}
      - eval_time: 220m
        alertname: NecropsyProbesPartialFix
        exp_alerts:
          - exp_labels: {severity: warning, slug: probes/partial-fix, store: A}
            exp_annotations:
              summary: Some probes that started sessions in store A stopped, others go on
              description: 'A server was forgotten. See which: the page of the guard, or necropsy report.'
              runbook: necropsy explain probes/partial-fix
      - {eval_time: 260m, alertname: NecropsyProbesPartialFix, exp_alerts: []}
      - eval_time: 290m
        alertname: NecropsyProbesZombieService
        exp_alerts:
          - exp_labels: {severity: warning, slug: probes/zombie-service}
            exp_annotations:
              summary: Service discovery knows instances that are gone
              description: 'Each is probed for ever. See which: the page of the guard, or necropsy report.'
              runbook: necropsy explain probes/zombie-service
    promql_expr_test:
      - expr: store:necropsy_sessions_anonymous:ratio
        eval_time: 60m
        exp_samples: [{labels: 'store:necropsy_sessions_anonymous:ratio{store="A"}', value: 0.8}]
  - name: store B fills up, and is full
    interval: 1m
    input_series:
      - {series: 'necropsy_sessions_immortal{store="B"}', values: '100+100x200'}
      - {series: 'necropsy_sessions{store="B",framework="spring-indexed",auth="no"}', values: '110+100x200'}
      - {series: 'redis_memory_used_bytes{instance="b"}', values: '500+1x200'}
      - {series: 'redis_memory_max_bytes{instance="b"}', values: '600+0x200'}
      - {series: 'redis_evicted_keys_total{instance="b"}', values: '0+0x150 1+10x50'}
      - {series: 'necropsy_memory_exhausted_timestamp_seconds{store="B"}', values: '90000+0x200'}
      - {series: 'necropsy_census_store_up{store="B"}', values: '1+0x60 0+0x140'}
    alert_rule_test:
      - {eval_time: 80m, alertname: NecropsyStoreNotCounted, exp_alerts: []}
      - eval_time: 120m
        alertname: NecropsyStoreNotCounted
        exp_alerts:
          - exp_labels: {severity: warning, slug: monitoring/store-unwatched, store: B}
            exp_annotations:
              summary: The sessions in store B are not counted
              description: 'The other session alerts say nothing of it. To see the reason: necropsy examine --redis with its address.'
              runbook: necropsy explain monitoring/store-unwatched
      - {eval_time: 20m, alertname: NecropsyImmortalSessions, exp_alerts: []}
      - eval_time: 40m
        alertname: NecropsyImmortalSessions
        exp_alerts:
          - exp_labels: {severity: warning, slug: sessions/immortal, store: B}
            exp_annotations:
              summary: '99.76% of the sessions in store B never expire'
              description: Memory only grows. Give sessions a lifetime of hours or days, then shorten those that are there.
              runbook: necropsy explain sessions/immortal
      - {eval_time: 30m, alertname: NecropsyMemoryNearLimit, exp_alerts: []}
      - eval_time: 60m
        alertname: NecropsyMemoryNearLimit
        exp_alerts:
          - exp_labels: {severity: critical, slug: memory/near-limit, instance: b}
            exp_annotations:
              summary: b uses 93.33% of its memory limit
              description: At the limit the server refuses writes or evicts sessions, depending on its policy; a replica does so when it becomes the primary.
              runbook: necropsy explain memory/near-limit
      - {eval_time: 45m, alertname: NecropsyStoreFullWithinADay, exp_alerts: []}
      - eval_time: 75m
        alertname: NecropsyStoreFullWithinADay
        exp_alerts:
          - exp_labels: {severity: critical, slug: memory/near-limit, store: B}
            exp_annotations:
              summary: Store B runs out of memory within a day
              description: 'At the present rate of new sessions. Find out what starts them: necropsy examine.'
              runbook: necropsy explain memory/near-limit
      - {eval_time: 150m, alertname: NecropsySessionsEvicted, exp_alerts: []}
      - eval_time: 170m
        alertname: NecropsySessionsEvicted
        exp_alerts:
          - exp_labels: {severity: critical, slug: memory/eviction-logs-users-out, instance: b}
            exp_annotations:
              summary: b evicts keys to stay within its limit
              description: A session store that evicts keys logs users out.
              runbook: necropsy explain memory/eviction-logs-users-out
"""
UNKNOWN = """\
rule_files: [necropsy.rules.yml]
evaluation_interval: 1m
tests:
  - name: a guard that ends while a store is down
    interval: 1m
    input_series:
      - {series: 'redis_up{job="redis",instance="A",store="A"}', values: '1 1 0x10 stale'}
      - {series: 'up{job="redis",instance="A",store="A"}', values: '1x12 0x30'}
      - {series: 'up{job="redis",instance="B",store="B"}', values: '1x12 0x30'}
      - {series: 'up{job="necropsy",instance="g:9120"}', values: '1x12 0x30'}
      - {series: 'up{job="node",instance="g:9100"}', values: '0x40'}
    alert_rule_test:
      - {eval_time: 11m, alertname: NecropsyNotScraped, exp_alerts: []}
      - eval_time: 11m
        alertname: NecropsyStoreDown
        exp_alerts:
          - exp_labels: {severity: critical, slug: monitoring/store-unwatched, job: redis, instance: A, store: A}
            exp_annotations:
              summary: A does not answer
              description: The application cannot read sessions meanwhile.
              runbook: necropsy explain monitoring/store-unwatched
      - {eval_time: 16m, alertname: NecropsyStoreDown, exp_alerts: []}
      - eval_time: 16m
        alertname: NecropsyNotScraped
        exp_alerts:
          - exp_labels: {severity: critical, slug: monitoring/store-unwatched, job: redis}
            exp_annotations:
              summary: '2 targets of job redis are not scraped: their state is unknown'
              description: 'Alerts about them are not fine: they ended because their figures did. Is the guard or exporter running?'
              runbook: necropsy explain monitoring/store-unwatched
          - exp_labels: {severity: critical, slug: monitoring/store-unwatched, job: necropsy}
            exp_annotations:
              summary: '1 targets of job necropsy are not scraped: their state is unknown'
              description: 'Alerts about them are not fine: they ended because their figures did. Is the guard or exporter running?'
              runbook: necropsy explain monitoring/store-unwatched
  - name: a guard whose target is gone, as a pod that is not there
    interval: 1m
    input_series:
      - {series: 'up{job="necropsy-guard",instance="10.0.0.4:9120"}', values: '1x120 stale'}
      - {series: 'up{job="redis",instance="A"}', values: '1x2000'}
    alert_rule_test:
      - {eval_time: 110m, alertname: NecropsyJobGone, exp_alerts: []}
      - eval_time: 130m
        alertname: NecropsyJobGone
        exp_alerts:
          - exp_labels: {severity: warning, slug: monitoring/store-unwatched, job: necropsy-guard}
            exp_annotations: &gone
              summary: 'Prometheus no longer has the job necropsy-guard: the state of its targets is unknown'
              description: No target of it is left, as when a pod is gone. If you removed the job, this ends within a day.
              runbook: necropsy explain monitoring/store-unwatched
      - eval_time: 25h
        alertname: NecropsyJobGone
        exp_alerts: [{exp_labels: {severity: warning, slug: monitoring/store-unwatched, job: necropsy-guard}, exp_annotations: *gone}]
      - {eval_time: 27h, alertname: NecropsyJobGone, exp_alerts: []}
  - name: one burst of evictions, which logged people out
    interval: 1m
    input_series:
      - {series: 'redis_evicted_keys_total{instance="b"}', values: '0x30 5000x30'}
    alert_rule_test:
      - {eval_time: 29m, alertname: NecropsySessionsEvicted, exp_alerts: []}
      - eval_time: 34m
        alertname: NecropsySessionsEvicted
        exp_alerts:
          - exp_labels: {severity: critical, slug: memory/eviction-logs-users-out, instance: b}
            exp_annotations:
              summary: b evicts keys to stay within its limit
              description: A session store that evicts keys logs users out.
              runbook: necropsy explain memory/eviction-logs-users-out
      - {eval_time: 50m, alertname: NecropsySessionsEvicted, exp_alerts: []}
  - name: a replica alone is scraped, then its primary, too
    interval: 1m
    input_series:
      - series: 'redis_instance_info{job="redis",instance="a2",role="slave",master_replid="r",run_id="1"}'
        values: '1x60'
      - {series: 'redis_instance_info{job="redis",instance="a1",role="master",master_replid="r",run_id="2"}', values: '_x30 1x30'}
    alert_rule_test:
      - {eval_time: 10m, alertname: NecropsyPrimaryUnwatched, exp_alerts: []}
      - eval_time: 20m
        alertname: NecropsyPrimaryUnwatched
        exp_alerts:
          - exp_labels: {severity: warning, slug: monitoring/store-unwatched, job: redis, instance: a2}
            exp_annotations:
              summary: a2 is a replica whose primary is not scraped
              description: 'Only the primary counts keys that are evicted or expire, and only its memory limit applies: nobody sees these.'
              runbook: necropsy explain monitoring/store-unwatched
      - {eval_time: 40m, alertname: NecropsyPrimaryUnwatched, exp_alerts: []}
  - name: probes that run seldom, and probes that renew a session that is short
    interval: 1m
    input_series:
      - {series: 'probe_http_session_started{instance="seldom"}', values: '1 _x9 1 _x9 1 _x9 1 _x9 1 _x9 1 _x9'}
      - {series: 'probe_http_session_started{instance="renewed"}', values: '1 0x8 1 0x8 1 0x8 1 0x8 1 0x8 1 0x8'}
      - {series: 'probe_http_session_started{instance="cured"}', values: '1x20 0x40'}
    alert_rule_test:
      - eval_time: 55m
        alertname: NecropsyProbeStartsSessions
        exp_alerts:
          - exp_labels: {severity: warning, slug: probes/creates-sessions, instance: seldom}
            exp_annotations:
              summary: 100% of the probes of seldom start a session
              description: 'Point it at a health endpoint, or keep its cookies: necropsy prober --session MODULE=reuse.'
              runbook: necropsy explain probes/creates-sessions
  - name: two guards count one store
    interval: 1m
    input_series:
      - {series: 'necropsy_sessions_immortal{store="B",job="necropsy",instance="g1"}', values: '50x60'}
      - {series: 'necropsy_sessions_immortal{store="B",job="necropsy",instance="g2"}', values: '50x60'}
      - {series: 'necropsy_sessions{store="B",auth="no",job="necropsy",instance="g1"}', values: '60x60'}
      - {series: 'necropsy_sessions{store="B",auth="yes",job="necropsy",instance="g1"}', values: '40x60'}
      - {series: 'necropsy_sessions{store="B",auth="no",job="necropsy",instance="g2"}', values: '60x60'}
      - {series: 'necropsy_sessions{store="B",auth="yes",job="necropsy",instance="g2"}', values: '40x60'}
      - {series: 'necropsy_session_births_per_second{store="B",creator="p",job="necropsy",instance="g1"}', values: '1x60'}
      - {series: 'necropsy_session_births_per_second{store="B",creator="p",job="necropsy",instance="g2"}', values: '1x60'}
    alert_rule_test:
      - eval_time: 40m
        alertname: NecropsyImmortalSessions
        exp_alerts:
          - exp_labels: {severity: warning, slug: sessions/immortal, store: B, job: necropsy, instance: g1}
            exp_annotations: &fifty
              summary: 50% of the sessions in store B never expire
              description: Memory only grows. Give sessions a lifetime of hours or days, then shorten those that are there.
              runbook: necropsy explain sessions/immortal
          - exp_labels: {severity: warning, slug: sessions/immortal, store: B, job: necropsy, instance: g2}
            exp_annotations: *fifty
    promql_expr_test:
      - {expr: store:necropsy_sessions:sum, eval_time: 40m, exp_samples: [{labels: 'store:necropsy_sessions:sum{store="B"}', value: 100}]}
      - expr: store_creator:necropsy_session_births:per_day
        eval_time: 40m
        exp_samples: [{labels: 'store_creator:necropsy_session_births:per_day{store="B",creator="p"}', value: 86400}]
  - name: a count every two hours is not late, and one that ended is
    interval: 1m
    input_series:
      - {series: 'necropsy_census_up{instance="slow"}', values: '1x300'}
      - {series: 'necropsy_census_age_seconds{instance="slow"}', values: '60+60x119 60+60x119 60+60x60'}
      - {series: 'necropsy_census_interval_seconds{instance="slow"}', values: '7200x300'}
      - {series: 'necropsy_census_up{instance="ended"}', values: '1x300'}
      - {series: 'necropsy_census_age_seconds{instance="ended"}', values: '60+60x300'}
      - {series: 'necropsy_census_interval_seconds{instance="ended"}', values: '600x300'}
    alert_rule_test:
      - eval_time: 4h
        alertname: NecropsyCensusFails
        exp_alerts:
          - exp_labels: {severity: warning, slug: monitoring/store-unwatched, instance: ended}
            exp_annotations:
              summary: Sessions have not been counted for a while
              description: The figures behind the other session alerts are old. See the exporter's log.
              runbook: necropsy explain monitoring/store-unwatched
  - name: a channel that refuses, and one that failed once
    interval: 1m
    input_series:
      - {series: 'necropsy_notifications_failed_total{channel="slack"}', values: '0x5 1+1x50'}
      - {series: 'necropsy_notifications_total{channel="slack"}', values: '3x60'}
      - {series: 'necropsy_notifications_failed_total{channel="webhook"}', values: '0x5 1x50'}
      - {series: 'necropsy_notifications_total{channel="webhook"}', values: '3x8 4x50'}
    alert_rule_test:
      - eval_time: 25m
        alertname: NecropsyNoticesNotSent
        exp_alerts:
          - exp_labels: {severity: warning, slug: monitoring/store-unwatched, channel: slack}
            exp_annotations:
              summary: Channel slack does not accept the guard's notices
              description: The guard goes on trying. Its page shows the open notices, and the reason.
              runbook: necropsy explain monitoring/store-unwatched
"""
"""Nothing that is unknown is fine, and no alert says more than it knows."""
WEEK = """\
rule_files: [necropsy.rules.yml]
evaluation_interval: 10m
tests:
  - name: a healthy week
    interval: 10m
    input_series:
      - {series: 'necropsy_sessions{store="A",framework="spring-indexed",auth="no"}', values: '40+0x1008'}
      - {series: 'necropsy_sessions{store="A",framework="spring-indexed",auth="yes"}', values: '60+0x1008'}
      - {series: 'necropsy_sessions_immortal{store="A"}', values: '0+0x1008'}
      - {series: 'redis_up{instance="a"}', values: '1+0x1008'}
      - {series: 'redis_memory_used_bytes{instance="a"}', values: '200+0x1008'}
      - {series: 'redis_memory_max_bytes{instance="a"}', values: '600+0x1008'}
      - {series: 'redis_evicted_keys_total{instance="a"}', values: '5+0x1008'}
      - {series: 'necropsy_census_up', values: '1+0x1008'}
      - {series: 'necropsy_census_store_up{store="A"}', values: '1+0x1008'}
      - {series: 'necropsy_census_age_seconds', values: '300+0x1008'}
      - {series: 'necropsy_census_interval_seconds', values: '600+0x1008'}
      - {series: 'up{job="necropsy",instance="g"}', values: '1+0x1008'}
      - {series: 'redis_instance_info{role="master",instance="a",master_replid="r"}', values: '1+0x1008'}
      - {series: 'redis_instance_info{role="slave",instance="a2",master_replid="r"}', values: '1+0x1008'}
      - {series: 'necropsy_notifications_total{channel="slack"}', values: '1+0x1008'}
      - {series: 'necropsy_notifications_failed_total{channel="slack"}', values: '1+0x1008'}
      - {series: 'probe_http_session_started{instance="a"}', values: '1 0x1007'}
    alert_rule_test:
"""
"""A line for each alert follows: none fires in a week. By the minute it would take promtool longer than it gives a query."""


def week() -> str:
    return WEEK + "".join(
        f"      - {{eval_time: {hours}h, alertname: {alert.name}, exp_alerts: []}}\n"
        for alert in alerts()
        for hours in (24, 160)
    )


def promtool(release: int) -> str:
    if release == 12:
        found = shutil.which("promtool")
        assert found is not None, "apt-get install prometheus"
        return found
    fetched = subprocess.run(
        [CHECKOUT / "tools" / "debian-release", str(release)], capture_output=True, text=True, check=False
    )
    assert fetched.returncode == 0, fetched.stderr
    return str(CHECKOUT / ".tools" / f"debian-{release}" / "usr" / "bin" / "promtool")


@pytest.mark.integration
@pytest.mark.parametrize("release", [12, 14])
def test_promtool_accepts_the_rules_and_the_story_fires_when_it_must(tmp_path: Path, release: int) -> None:
    tool = promtool(release)
    (tmp_path / "necropsy.rules.yml").write_text(as_yaml())
    (tmp_path / "story.yml").write_text(STORY)
    (tmp_path / "unknown.yml").write_text(UNKNOWN)
    (tmp_path / "week.yml").write_text(week())
    checked = subprocess.run(
        [tool, "check", "rules", "necropsy.rules.yml"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr
    played = subprocess.run(
        [tool, "test", "rules", "story.yml", "unknown.yml", "week.yml"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert played.returncode == 0, played.stdout + played.stderr


def test_every_alert_has_a_known_slug_a_summary_and_a_runbook_that_is_a_command() -> None:
    for group in yaml.safe_load(as_yaml())["groups"]:
        for rule in group["rules"]:
            if "alert" in rule:
                assert rule["labels"]["slug"] in SLUGS
                assert rule["annotations"]["runbook"] == f"necropsy explain {rule['labels']['slug']}"
                assert rule["annotations"]["summary"]
    assert len({alert.name for alert in alerts()}) == len(alerts())


@pytest.mark.checkout
def test_every_metric_in_a_rule_is_one_that_the_exporter_or_the_prober_writes() -> None:
    source = "".join(
        path.read_text() for path in (CHECKOUT / "src" / "necropsy" / "guard").rglob("*.py") if path.name != "rules.py"
    )
    written = (
        set(re.findall(r'"((?:necropsy|probe)_[a-z_]+)"', source))
        | {f"redis_{field.metric}" for field in INFO_FIELDS}
        | {"redis_up", "redis_instance_info"}
    )
    written |= {record.name for record in RECORDS}
    for expression in (rule.expression for rule in (*RECORDS, *alerts())):
        for name in re.findall(r"\b(?:necropsy|redis|probe)_[a-z_]+\b|store:[a-z_:]+", expression):
            assert name in written, name
