"""Three dashboards: one store, all stores, and the probes.

A test runs every expression on a Prometheus that has scraped a guard.
"""

from __future__ import annotations

import json
from typing import Final

from necropsy.guard.around.panels import Dashboard, Panel

_STORE: Final = 'store=~"$store"'
_INSTANCE: Final = 'instance=~"$instance"'
_EACH: Final = "job, instance"
"""Labels of one exporter: figures of two that count the same store are not added up."""
_COUNTED: Final = "unless on (job, instance) redis_slave_info"
"""A replica neither evicts nor expires keys itself: its 0 would be no news."""
_LIFETIME: Final = f"histogram_quantile(0.9, max by (store, le) (necropsy_session_lifetime_seconds_bucket{{{_STORE}}}))"
_DURATION: Final = (
    f"sum by (instance) (rate(redis_commands_duration_seconds_total{{{_INSTANCE}}}[$__rate_interval]))"
    f" / sum by (instance) (rate(redis_commands_total{{{_INSTANCE}}}[$__rate_interval]))"
)

STORE: Final = Dashboard(
    "necropsy-store",
    "Sessions: one store",
    (
        Panel(
            "Sessions by login",
            (
                (
                    f"max by (store, auth) (sum by (store, auth, {_EACH}) (necropsy_sessions{{{_STORE}}}))",
                    "{{store}}: logged in {{auth}}",
                ),
                (f"necropsy_session_steady_state{{{_STORE}}}", "{{store}}: predicted from configuration"),
            ),
            description="The predicted line has only what the configuration starts. Above it are people, and creators of which"
            " the configuration says nothing.",
            width=24,
        ),
        Panel(
            "Births by creator",
            ((f"necropsy_session_births_per_second{{{_STORE}}} * 86400", "{{creator}}"),),
            description="Sessions a day at the present rate.",
            stacked=True,
        ),
        Panel(
            "Share of a cause",
            ((f"necropsy_cause_share{{{_STORE}}}", "{{store}}: {{slug}}"),),
            "percentunit",
            "Meaning of a slug: necropsy explain SLUG.",
        ),
        Panel(
            "Memory of sessions",
            ((f"max by (store) (sum by (store, {_EACH}) (necropsy_session_bytes{{{_STORE}}}))", "{{store}}"),),
            "bytes",
        ),
        Panel(
            "Time until memory is full",
            ((f"necropsy_memory_exhausted_timestamp_seconds{{{_STORE}}} - time()", "{{store}}"),),
            "s",
            "At the present rate of births. No line: it is not filling up, or has no limit.",
        ),
        Panel(
            "Lifetime of nine sessions in ten",
            ((_LIFETIME, "{{store}}"),),
            "s",
            width=8,
        ),
        Panel(
            "Sessions that never expire",
            ((f"necropsy_sessions_immortal{{{_STORE}}}", "{{store}}"),),
            kind="stat",
            width=8,
        ),
        Panel(
            "Age of these figures",
            (("necropsy_census_age_seconds", "since the last count"),),
            "s",
            "Old figures do not show the present state.",
            kind="stat",
            width=8,
        ),
    ),
    (("store", "necropsy_sessions"),),
)

STORES: Final = Dashboard(
    "necropsy-stores",
    "Sessions: all stores",
    (
        Panel("Servers that answer", ((f"redis_up{{{_INSTANCE}}}", "{{instance}}"),), kind="stat", width=6, height=5),
        Panel(
            "Stores that were counted",
            (("necropsy_census_store_up", "{{store}}"),),
            description="0: the last count could not read the store, so it has no sessions here.",
            kind="stat",
            width=6,
            height=5,
        ),
        Panel(
            "Sessions",
            ((f"max by (store) (sum by (store, {_EACH}) (necropsy_sessions))", "{{store}}"),),
            kind="stat",
            width=6,
            height=5,
        ),
        Panel("Open notices of the guard", (("necropsy_notices", "{{severity}}"),), kind="stat", width=6, height=5),
        Panel(
            "Memory",
            (
                (f"redis_memory_used_bytes{{{_INSTANCE}}}", "{{instance}}: used"),
                (f"redis_memory_max_bytes{{{_INSTANCE}}} > 0", "{{instance}}: limit"),
            ),
            "bytes",
        ),
        Panel("Keys", ((f"sum by (instance) (redis_db_keys{{{_INSTANCE}}})", "{{instance}}"),)),
        Panel(
            "Keys that were evicted, expired",
            (
                (
                    f"rate(redis_evicted_keys_total{{{_INSTANCE}}}[$__rate_interval]) {_COUNTED}",
                    "{{instance}}: evicted",
                ),
                (
                    f"rate(redis_expired_keys_total{{{_INSTANCE}}}[$__rate_interval]) {_COUNTED}",
                    "{{instance}}: expired",
                ),
            ),
            "ops",
            "A session store that evicts keys logs its users out. A replica has no line: its primary counts.",
        ),
        Panel(
            "Commands",
            ((f"rate(redis_commands_processed_total{{{_INSTANCE}}}[$__rate_interval])", "{{instance}}"),),
            "ops",
        ),
        Panel(
            "Time per command",
            ((_DURATION, "{{instance}}"),),
            "s",
        ),
        Panel("Clients", ((f"redis_connected_clients{{{_INSTANCE}}}", "{{instance}}"),)),
    ),
    (("instance", "redis_up"),),
)

PROBES: Final = Dashboard(
    "necropsy-probes",
    "Sessions: probes",
    (
        Panel("Probes that succeed", ((f"probe_success{{{_INSTANCE}}}", "{{instance}}"),), kind="stat", height=5),
        Panel(
            "Probes whose response started a session",
            ((f"sum_over_time(probe_http_session_started{{{_INSTANCE}}}[1h])", "{{instance}}"),),
            description="In the last hour. A probe that keeps its cookies starts one, and another when that one has expired.",
            kind="stat",
            height=5,
        ),
        Panel("Duration", ((f"probe_duration_seconds{{{_INSTANCE}}}", "{{instance}}"),), "s"),
        Panel("Status", ((f"probe_http_status_code{{{_INSTANCE}}}", "{{instance}}"),)),
        Panel("Cookies set by a response", ((f"probe_http_set_cookies{{{_INSTANCE}}}", "{{instance}}"),)),
        Panel(
            "Phases",
            ((f"avg by (phase) (probe_http_duration_seconds{{{_INSTANCE}}})", "{{phase}}"),),
            "s",
            stacked=True,
        ),
    ),
    (("instance", "probe_success"),),
)

DASHBOARDS: Final = (STORE, STORES, PROBES)

PROVIDER: Final = """\
# Written by `necropsy guard dashboards`. For grafana/provisioning/dashboards/.
apiVersion: 1
providers:
  - name: necropsy
    folder: Sessions
    type: file
    options:
      path: /etc/grafana/dashboards
"""
SOURCES: Final = """\
# Written by `necropsy guard dashboards`. For grafana/provisioning/datasources/.
apiVersion: 1
datasources:
  - name: Prometheus
    type: prometheus
    uid: prometheus
    access: proxy
    url: {prometheus}
    isDefault: true
"""


def files(prometheus: str) -> dict[str, str]:
    """Return the files, by their path: dashboards, and how Grafana finds them and Prometheus."""
    made = {f"dashboards/{one.uid}.json": json.dumps(one.as_json(), indent=2) + "\n" for one in DASHBOARDS}
    made["provisioning/dashboards/necropsy.yaml"] = PROVIDER
    made["provisioning/datasources/prometheus.yaml"] = SOURCES.format(prometheus=prometheus)
    return made
