"""Prometheus rules made from the slugs: what is recorded, and what wakes somebody up.

Each alert has a runbook that is a command (``necropsy explain SLUG``), a severity, and how long its condition must hold. The
metrics are those of the exporter (``exporter``, ``census``) and of the prober. A test plays the incident, the half fix, the cure
and a healthy week to a real Prometheus.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from necropsy.examine.registry import SLUGS

CREATORS: Final = (
    "probes/creates-sessions", "traffic/bot-creates-sessions", "traffic/client-drops-cookie", "traffic/login-loop",
    "traffic/unlogged-creator",
)  # fmt: skip
"""Slugs of causes that start sessions: their share of a store is worth a page when it lasts."""
_LEAST_SHARE: Final = 0.2
_DAY_S: Final = 86_400
_EACH: Final = "store, job, instance"
"""Labels of one store as one exporter shows it: two that count the same store are not added up."""
_STARTED: Final = "probe_http_session_started[30m]"
"""Long enough for probes that run every ten minutes."""
_JOBS: Final = "necropsy.*|redis.*|probes"
"""Names of Prometheus' jobs that ask a guard, its exporter, or redis_exporter."""


@dataclass(frozen=True, slots=True)
class RecordingRule:
    """A recording rule."""

    name: str
    expression: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alerting rule."""

    name: str
    slug: str
    expression: str
    lasts: str
    """Prometheus duration for which the condition must hold."""
    severity: str
    """``critical`` or ``warning``."""
    summary: str
    description: str


RECORDS: Final[tuple[RecordingRule, ...]] = (
    RecordingRule("store_creator:necropsy_session_births:per_day",
           f"max by (store, creator) (necropsy_session_births_per_second) * {_DAY_S}"),
    RecordingRule("store:necropsy_sessions:sum", f"max by (store) (sum by ({_EACH}) (necropsy_sessions))"),
    RecordingRule("store:necropsy_sessions_anonymous:ratio",
           'sum by (store) (necropsy_sessions{auth="no"}) / sum by (store) (necropsy_sessions)'),
)  # fmt: skip

_OTHERS: Final[tuple[Alert, ...]] = (
    Alert("NecropsyImmortalSessions", "sessions/immortal",
          f"necropsy_sessions_immortal / on ({_EACH}) sum by ({_EACH}) (necropsy_sessions) > 0.1", "30m", "warning",
          "{{ $value | humanizePercentage }} of the sessions in store {{ $labels.store }} never expire",
          "Memory only grows. Give sessions a lifetime of hours or days, then shorten those that are there."),
    Alert("NecropsyStoreFullWithinADay", "memory/near-limit",
          f"necropsy_memory_exhausted_timestamp_seconds - time() < {_DAY_S}", "10m", "critical",
          "Store {{ $labels.store }} runs out of memory within a day",
          "At the present rate of new sessions. Find out what starts them: necropsy examine."),
    Alert("NecropsyMemoryNearLimit", "memory/near-limit",
          "redis_memory_used_bytes / (redis_memory_max_bytes > 0) > 0.9", "5m", "critical",
          "{{ $labels.instance }} uses {{ $value | humanizePercentage }} of its memory limit",
          "At the limit the server refuses writes or evicts sessions, depending on its policy; a replica does so when it"
          " becomes the primary."),
    Alert("NecropsyNoMemoryLimit", "memory/no-limit", "redis_memory_max_bytes == 0", "1h", "warning",
          "{{ $labels.instance }} has no memory limit",
          "Only the machine limits the store, and other processes share it."),
    Alert("NecropsySessionsEvicted", "memory/eviction-logs-users-out", "increase(redis_evicted_keys_total[10m]) > 0", "1m",
          "critical", "{{ $labels.instance }} evicts keys to stay within its limit",
          "A session store that evicts keys logs users out."),
    Alert("NecropsyStoreDown", "monitoring/store-unwatched", "redis_up == 0", "1m", "critical",
          "{{ $labels.instance }} does not answer", "The application cannot read sessions meanwhile."),
    Alert("NecropsyProbeStartsSessions", "probes/creates-sessions",
          f"avg_over_time({_STARTED}) > {_LEAST_SHARE} and sum_over_time({_STARTED}) > 2", "5m", "warning",
          "{{ $value | humanizePercentage }} of the probes of {{ $labels.instance }} start a session",
          "Point it at a health endpoint, or keep its cookies: necropsy prober --session MODULE=reuse."),
    Alert("NecropsyProbesPartialFix", "probes/partial-fix",
          'sum by (store) (necropsy_notices_by_kind{kind="half-fixed"}) > 0', "15m", "warning",
          "Some probes that started sessions in store {{ $labels.store }} stopped, others go on",
          "A server was forgotten. See which: the page of the guard, or necropsy report."),
    Alert("NecropsyProbesZombieService", "probes/zombie-service",
          'sum(necropsy_notices_by_kind{kind="zombie"}) > 0', "1h", "warning",
          "Service discovery knows instances that are gone",
          "Each is probed for ever. See which: the page of the guard, or necropsy report."),
    Alert("NecropsyCensusFails", "monitoring/store-unwatched",
          "necropsy_census_up == 0 or necropsy_census_age_seconds > 3 * necropsy_census_interval_seconds", "30m", "warning",
          "Sessions have not been counted for a while", "The figures behind the other session alerts are old. See the"
          " exporter's log."),
    Alert("NecropsyStoreNotCounted", "monitoring/store-unwatched", "necropsy_census_store_up == 0", "30m", "warning",
          "The sessions in store {{ $labels.store }} are not counted",
          "The other session alerts say nothing of it. To see the reason: necropsy examine --redis with its address."),
    Alert("NecropsyNotScraped", "monitoring/store-unwatched", f'count by (job) (up{{job=~"{_JOBS}"}} == 0) > 0', "2m",
          "critical", "{{ $value }} targets of job {{ $labels.job }} are not scraped: their state is unknown",
          "Alerts about them are not fine: they ended because their figures did. Is the guard or exporter running?"),
    Alert("NecropsyJobGone", "monitoring/store-unwatched",
          f'(count by (job) (up{{job=~"{_JOBS}"}} offset 1h) or count by (job) (up{{job=~"{_JOBS}"}} offset 1d))'
          f' unless count by (job) (up{{job=~"{_JOBS}"}})', "5m", "warning",
          "Prometheus no longer has the job {{ $labels.job }}: the state of its targets is unknown",
          "No target of it is left, as when a pod is gone. If you removed the job, this ends within a day."),
    Alert("NecropsyPrimaryUnwatched", "monitoring/store-unwatched",
          'max by (job, instance, store) (redis_instance_info{role="slave"} unless on (master_replid)'
          ' redis_instance_info{role="master"})', "15m", "warning",
          "{{ $labels.instance }} is a replica whose primary is not scraped",
          "Only the primary counts keys that are evicted or expire, and only its memory limit applies: nobody sees these."),
    Alert("NecropsyNoticesNotSent", "monitoring/store-unwatched",
          "increase(necropsy_notifications_failed_total[30m]) > 0 unless increase(necropsy_notifications_total[30m]) > 0",
          "10m", "warning", "Channel {{ $labels.channel }} does not accept the guard's notices",
          "The guard goes on trying. Its page shows the open notices, and the reason."),
)  # fmt: skip


def alerts() -> tuple[Alert, ...]:
    """Return every alert: one for each slug that starts sessions, and the others."""
    return (*map(_of_creator, CREATORS), *_OTHERS)


def _of_creator(slug: str) -> Alert:
    words = slug.replace("/", "-").split("-")
    return Alert(
        name="Necropsy" + "".join(word.capitalize() for word in words),
        slug=slug,
        expression=f'necropsy_cause_share{{slug="{slug}"}} > {_LEAST_SHARE}',
        lasts="15m",
        severity="critical",
        summary="{{ $value | humanizePercentage }} of the sessions in store {{ $labels.store }}: "
        + SLUGS[slug].rstrip("."),
        description="To see the creator, since when, and the line to change: necropsy examine incident.toml.",
    )


def as_yaml() -> str:
    """Return the rule file."""
    import yaml

    recorded = [{"record": rule.name, "expr": rule.expression} for rule in RECORDS]
    alerting = [
        {
            "alert": alert.name,
            "expr": alert.expression,
            "for": alert.lasts,
            "labels": {"severity": alert.severity, "slug": alert.slug},
            "annotations": {
                "summary": alert.summary,
                "description": alert.description,
                "runbook": f"necropsy explain {alert.slug}",
            },
        }
        for alert in alerts()
    ]
    groups = {
        "groups": [{"name": "necropsy-records", "rules": recorded}, {"name": "necropsy-alerts", "rules": alerting}]
    }
    header = "# Written by `necropsy guard rules`. Metrics: necropsy exporter --sessions, necropsy prober.\n"
    return header + yaml.safe_dump(groups, sort_keys=False, allow_unicode=True, width=120)
