"""Reports to render: the incident with the figures of its story, and its odd relatives.

Nothing here is measured. These are values, made so that each report has everything, or almost nothing, to show.
"""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta

from necropsy.model.evidence import Absent, Blemish, Origin, Source
from necropsy.model.finding import (
    Cleared,
    Confidence,
    Exhibit,
    Finding,
    Patch,
    Remedy,
    Severity,
    Unexamined,
)
from necropsy.model.probe import Probe
from necropsy.model.report import (
    BirthChart,
    Chain,
    ChartSeries,
    CombChart,
    Histogram,
    Link,
    PopulationChart,
    Report,
    StoreSummary,
    Tooth,
)
from necropsy.model.verdict import (
    Actor,
    Cause,
    Contradiction,
    Contribution,
    EvidenceRequest,
    Kind,
    Prediction,
    Verdict,
    View,
)

NOW = datetime(2019, 5, 24, 19, 0, tzinfo=UTC)
START = NOW - timedelta(days=1)
A_SESSIONS, B_SESSIONS = 34_486, 412_000
PER_TARGET = 8_018
PHASES = {"172.12.1.189:80": 4.0, "172.12.1.189:8080": 1.2, "172.12.1.190:80": 7.6, "172.12.1.190:8081": 8.9}

PROMETHEUS_DIFF = """\
--- a/prometheus.yml
+++ b/prometheus.yml
@@ -14,7 +14,9 @@
       - source_labels: [__meta_consul_tags]
         regex: .*,blackbox_exporter_http,.*
         action: keep
-      - source_labels: [__address__]
+      - source_labels: [__address__, __meta_consul_service_metadata_health_check_endpoint]
         target_label: __param_target
+        regex: '(.*)(\\/*);(.*)'
+        replacement: '$1/$3'
       - target_label: '__address__'
         replacement: 'blackbox-exporter:9115'
"""
CONSUL_DIFF = """\
--- a/consul-services.json
+++ b/consul-services.json
@@ -7,6 +7,9 @@
         "blackbox_exporter_http"
       ],
       "port": 80,
+      "meta": {
+        "health_check_endpoint": "health"
+      },
       "check": {
         "id": "Nginx Health Check",
         "name": "Nginx Status",
"""

REMEDY = Remedy(
    "Probe /health instead of /",
    "Give each service its health endpoint in Consul, and join it to the address in Prometheus.\n"
    "Reload Consul on both servers, then Prometheus.",
    "Apply the same diffs with patch -R and reload.",
    safe=True,
    patches=(
        Patch("prometheus.yml", PROMETHEUS_DIFF, 3, 1, "all 4 targets are asked for /health, which creates no session"),
        Patch("consul-services.json", CONSUL_DIFF, 3, 0, "the service names its health endpoint: /health"),
    ),
)


def origin_of(port: int) -> tuple[Origin, ...]:
    return (
        Origin("prometheus.yml", 17, "copies __address__ into __param_target: an address has no path"),
        Origin("consul-services.json", {80: 10, 8080: 25, 8081: 40}[port], f"registers port {port}"),
        Origin("blackbox.yml", 3, "module http_2xx: GET, follows redirects"),
    )


def actor(target: str) -> Actor:
    port = int(target.rpartition(":")[2])
    logged = port == 80
    return Actor(
        user_agent="Go-http-client/1.1",
        prober="prometheus/blackbox_exporter_http",
        url=f"http://{target}/",
        period_s=10.0,
        phase_s=PHASES[target],
        in_access_log=logged,
        creation_probability=1.0,
        sessions=PER_TARGET,
        births_per_hour=360.0,
        evidence="named" if logged else "comb",
        answer="302 -> /login" if logged else "",
        origin=origin_of(port),
    )


PROBES_CAUSE = Cause(
    slug="probes/creates-sessions",
    store="A",
    title="Your own monitoring creates 93 % of the sessions in store A.",
    text="Prometheus job blackbox_exporter_http requests GET / every 10 s; every answer is a\n"
    "new anonymous session that lives for 1 day.",
    share=0.93,
    share_low=0.91,
    share_high=0.95,
    confidence=Confidence.HIGH,
    births_per_hour=1440.0,
    sessions=4 * PER_TARGET,
    bytes=33_500_000,
    actors=tuple(actor(target) for target in PHASES),
    remedy=REMEDY,
)
IMMORTAL_CAUSE = Cause(
    slug="sessions/immortal",
    store="B",
    title="412,000 sessions of store B will live until 2087.",
    text="Their lifetime is 2,147,483,647 s, Java's Integer.MAX_VALUE. Nothing ever expires, so every birth adds up.",
    share=1.0,
    share_low=1.0,
    share_high=1.0,
    confidence=Confidence.HIGH,
    births_per_hour=0.0,
    sessions=B_SESSIONS,
    bytes=506_000_000,
    remedy=Remedy(
        "Set the session timeout of application B to hours, and let what is there expire",
        "server.servlet.session.timeout=12h; the sessions that exist keep their old lifetime until they are used.",
        "Set the old timeout again.",
    ),
)

BLIND_SPOT = Finding(
    Severity.WARNING,
    Confidence.HIGH,
    "2 probed ports are recorded in no access log.",
    "nginx does not listen on them: the probes go straight to the application.",
    primary=Exhibit(
        "172.12.1.189:8080",
        "8,018 sessions, and no line of any access log",
        Origin("consul-services.json", 25, "registers port 8080"),
        "SELECT births FROM birth_claim WHERE in_access_log = false",
    ),
    supporting=(Exhibit("172.12.1.190:8081", "the same on the other server", Origin("consul-services.json", 40)),),
    store="A",
    slug="monitoring/log-blind-spot",
)
CREATES = Finding(
    Severity.CRITICAL,
    Confidence.HIGH,
    "4 probes create 93 % of the sessions in store A.",
    "The target has no path, so the prober asks for /, and / gives every stranger a session.",
    primary=Exhibit(
        "prometheus.yml:17",
        "copies __address__ into __param_target: an address has no path",
        Origin("prometheus.yml", 17, "copies __address__ into __param_target"),
        "SELECT creator, sum(births) FROM birth_claim WHERE store = 'A' GROUP BY creator ORDER BY 2 DESC",
    ),
    supporting=(
        Exhibit(
            "Combs of births: 4 phases of a period of 10 s",
            "32,072 births stand in 4 lines at 1.2, 4.0, 7.6 and 8.9 s",
            None,
            "SELECT phase_s, births FROM birth_claim WHERE evidence = 'comb'",
        ),
    ),
    remedy=REMEDY,
    store="A",
    share=0.93,
    share_low=0.91,
    share_high=0.95,
    slug="probes/creates-sessions",
)
WRONG_PATH = Finding(
    Severity.WARNING,
    Confidence.HIGH,
    "4 probes ask for / although the health endpoint is known: /health.",
    primary=Exhibit(
        "consul-services.json:14",
        "Consul's own check of the same service asks /health",
        Origin("consul-services.json", 14, "names the health endpoint: /health"),
        "SELECT url, period_s FROM probe WHERE creates_sessions",
    ),
    remedy=REMEDY,
    slug="probes/wrong-path",
)
IMMORTAL = Finding(
    Severity.CRITICAL,
    Confidence.HIGH,
    "412,000 sessions of store B will live until 2087.",
    "A lifetime of 2,147,483,647 s is 68 years.",
    primary=Exhibit(
        "lifetime 2,147,483,647 s",
        "all 412,000 sessions of store B",
        None,
        "SELECT lifetime_s, count(*) FROM session WHERE store = 'B' GROUP BY lifetime_s",
    ),
    remedy=IMMORTAL_CAUSE.remedy,
    store="B",
    slug="sessions/immortal",
)


def births() -> BirthChart:
    chance = random.Random(2019)
    bins = 48
    people = tuple(
        round(22 + 20 * math.sin((i - 14) / bins * 2 * math.pi) + chance.uniform(-3, 3), 1) for i in range(bins)
    )
    probes = [
        ChartSeries(
            target,
            tuple(167.0 + chance.randint(-2, 2) for _ in range(bins)),
            "cause",
        )
        for target in PHASES
    ]
    return BirthChart(
        "A",
        START,
        1800.0,
        (
            *probes,
            ChartSeries("people", people, "people"),
            ChartSeries("unexplained", tuple(float(26 + chance.randint(-4, 4)) for _ in range(bins)), "unexplained"),
        ),
    )


def combs() -> CombChart:
    chance = random.Random(1905)
    points: list[tuple[float, float, int]] = []
    for tooth, phase in enumerate(PHASES.values()):
        points += [
            (round(chance.uniform(0, 86_400), 3), round(phase + chance.gauss(0, 0.03), 3), tooth) for _ in range(700)
        ]
    points += [(round(chance.uniform(30_000, 80_000), 3), round(chance.uniform(0, 10), 3), -1) for _ in range(210)]
    teeth = tuple(
        Tooth(
            phase,
            target if target.endswith(":80") else f"{target} (not in any access log)",
            PER_TARGET,
            target.endswith(":80"),
        )
        for target, phase in PHASES.items()
    )
    return CombChart("A", 10.0, START, tuple(sorted(points)), teeth, A_SESSIONS)


def populations() -> tuple[PopulationChart, ...]:
    hours = ("< 1 h", "1-3 h", "3-6 h", "6-12 h", "12-24 h", "> 24 h")
    return (
        PopulationChart(
            "A",
            Histogram(hours, (1_447, 2_902, 4_320, 8_633, 17_150, 34)),
            Histogram(hours, (1_430, 2_890, 4_333, 8_650, 17_183, 0)),
            Histogram(("anonymous", "logged in", "unknown"), (33_451, 1_035, 0)),
        ),
        PopulationChart(
            "B",
            Histogram(("< 1 d", "1-7 d", "7-30 d", "> 30 d"), (9_000, 63_000, 240_000, 100_000)),
            Histogram(("< 1 d", "1-365 d", "1-10 years", "> 10 years"), (0, 0, 0, 412_000)),
            Histogram(("anonymous", "logged in", "unknown"), (410_900, 1_100, 0)),
        ),
    )


CHAINS = (
    Chain(
        "A",
        "probes/creates-sessions",
        (
            Link("prometheus.yml:17", "copies __address__ into __param_target: an address has no path"),
            Link("GET / every 10 s", "the prober asks for / on 4 targets", "34,560 requests a day"),
            Link("302 -> /login", "the application gives a stranger a session before it redirects", "1 session each"),
            Link("lives for 1 day", "nobody comes back for it", "34,486 sessions"),
            Link("2 keys each + 1,440 expirations sets", "Spring Session keeps an expiry key beside it", "70,412 keys"),
            Link("memory of store A", "on a machine with 1 GB", "36 MB"),
        ),
    ),
)

STORE_A = StoreSummary(
    name="A",
    layout="spring-indexed",
    keys=70_412,
    bytes=36_000_000,
    sessions=A_SESSIONS,
    authenticated=1_035,
    anonymous=33_451,
    unknown=0,
    immortal=0,
    dead=112,
    session_keys=70_400,
    session_bytes=35_990_000,
    other_keys=12,
    lifetime_s=86_400.0,
    oldest_birth=NOW - timedelta(days=1, minutes=4),
    newest_birth=NOW - timedelta(seconds=2),
    taken_at=NOW,
)
STORE_B = StoreSummary(
    name="B",
    layout="spring-indexed",
    keys=826_500,
    bytes=506_000_000,
    sessions=B_SESSIONS,
    authenticated=1_100,
    anonymous=410_900,
    unknown=0,
    immortal=B_SESSIONS,
    dead=0,
    session_keys=826_000,
    session_bytes=505_000_000,
    other_keys=500,
    lifetime_s=2_147_483_647.0,
    oldest_birth=datetime(2019, 3, 1, 8, 30, tzinfo=UTC),
    newest_birth=NOW - timedelta(seconds=7),
    taken_at=NOW,
)


def incident() -> Report:
    """The incident as its story tells it: two stores, four creating targets, two of them in no log."""
    return Report(
        necropsy="0.1.0",
        taken_at=NOW,
        case="incident.case",
        verdict=Verdict(
            causes=(PROBES_CAUSE, IMMORTAL_CAUSE),
            kind=Kind.CAUSE,
            views=(View("A", A_SESSIONS, 0, 0.96 * A_SESSIONS, START, START, NOW, A_SESSIONS),),
            contributing=(
                Contribution("monitoring/log-blind-spot", "A", "2 probed ports are recorded in no access log."),
            ),
            ruled_out=(
                Cleared(
                    "probes/creates-sessions",
                    "ELB-HealthChecker/2.0 and Consul Health Check ask /health, create nothing",
                ),
                Cleared("memory/not-sessions", "99.9 % of the memory of store A is sessions"),
            ),
            unexamined=(Unexamined("latency/slow-commands", ("server_fact",), "needs --redis (SLOWLOG)"),),
            unexplained_share=0.04,
            predictions=(
                Prediction(
                    "A",
                    34_560.0,
                    86_400.0,
                    34_560.0,
                    70_560.0,
                    36_100_000.0,
                    A_SESSIONS,
                    70_412,
                    36_000_000,
                    None,
                    "4 probes x 8,640/d x 2 keys + 1,440 expirations sets",
                ),
                Prediction(
                    "B",
                    8_640.0,
                    2_147_483_647.0,
                    None,
                    None,
                    None,
                    B_SESSIONS,
                    826_500,
                    506_000_000,
                    NOW + timedelta(days=41),
                    "1 probe x 8,640/d, and nothing expires",
                ),
            ),
        ),
        stores=(STORE_A, STORE_B),
        findings=(CREATES, IMMORTAL, BLIND_SPOT, WRONG_PATH),
        sources=(
            Source("rdb", "a.rdb", NOW, "ab" * 32, 18_400_112, "A", "RDB version 9, Redis 5.0.4"),
            Source("rdb", "b.rdb", NOW, "cd" * 32, 203_118_004, "B", "RDB version 9, Redis 5.0.4"),
            Source("access_log", "logs/access.log", NOW, "ef" * 32, 6_812_990, None, "JSON, 51,911 lines"),
            Source("prometheus", "prometheus.yml", None, "01" * 32, 702, None, ""),
            Source("consul", "consul-services.json", None, "23" * 32, 1_133, None, "3 services"),
        ),
        absent=(Absent("nginx", "nginx.conf", "not given", "give --nginx nginx.conf to see which ports it logs"),),
        blemishes=(Blemish("logs/access.log", "line", 17, "not JSON, left out of the counts", '{"@timest', 3),),
        probes=(
            Probe(
                "prometheus/blackbox_exporter_http",
                "blackbox-http",
                "GET",
                "http://172.12.1.189:80/",
                "172.12.1.189",
                80,
                "/",
                10.0,
            ),
        ),
        births=(births(),),
        combs=(combs(),),
        populations=populations(),
        chains=CHAINS,
        frameworks={"spring-indexed": A_SESSIONS + B_SESSIONS},
    )


def empty() -> Report:
    """Nothing was found, nothing was read: the least that a report can be."""
    return Report("0.1.0", NOW, None, Verdict((), (), (), (), 0.0), (), (), (), (), ())


def well() -> Report:
    """A store whose sessions are those that people make."""
    store = StoreSummary(
        name="A", layout="spring", keys=301, bytes=410_000, sessions=300, authenticated=240, anonymous=60, unknown=0,
        immortal=0, dead=2, session_keys=300, session_bytes=400_000, other_keys=1, lifetime_s=1800.0,
        oldest_birth=NOW - timedelta(minutes=40), newest_birth=NOW - timedelta(seconds=30), taken_at=NOW,
    )  # fmt: skip
    return Report(
        necropsy="0.1.0",
        taken_at=NOW,
        case=None,
        verdict=Verdict(
            (),
            (),
            (Cleared("sessions/immortal", "every session expires within 30 minutes"),),
            (Unexamined("traffic/unlogged-creator", ("visitor_class",), "needs --access-log"),),
            0.02,
            kind=Kind.HEALTHY,
        ),
        stores=(store,),
        findings=(
            Finding(
                Severity.INFO,
                Confidence.MEDIUM,
                "300 sessions of store A, 240 of them logged in: those that people make.",
                store="A",
                slug="healthy",
            ),
        ),
        sources=(Source("rdb", "a.rdb", NOW, "ab" * 32, 51_200, "A", "RDB version 11, Redis 7.2.4"),),
        absent=(),
        blemishes=(),
        frameworks={"spring": 300},
    )


def configuration_only() -> Report:
    """No dump and no log: only configuration files, which already accuse."""
    return Report(
        necropsy="0.1.0",
        taken_at=NOW,
        case=None,
        verdict=Verdict(
            (),
            (),
            (),
            (
                Unexamined("probes/creates-sessions", ("session",), "needs --rdb or --redis"),
                Unexamined("sessions/immortal", ("session",), "needs --rdb or --redis"),
            ),
            0.0,
            (Prediction("?", 34_560.0, None, None, None, None, 0, 0, 0, None, "4 probes x 8,640/d"),),
        ),
        stores=(),
        findings=(WRONG_PATH,),
        sources=(
            Source("prometheus", "prometheus.yml", None, "01" * 32, 702, None, ""),
            Source("consul", "consul-services.json", None, "23" * 32, 1_133, None, "3 services"),
        ),
        absent=(),
        blemishes=(),
    )


EVIL = "<script>window.pwned=1</script><img src=x onerror=window.pwned=1>\x1b[2J\x1b]0;pwned\x07\u202e\r\n| `x` **b** </script>"


def hostile() -> Report:
    """Everything that comes from outside is written by an attacker."""
    place = Origin(f"{EVIL}.yml", 3, EVIL)
    patch = Patch(EVIL, f"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-{EVIL}\n+```\n", 1, 1, EVIL)
    remedy = Remedy(EVIL, EVIL, EVIL, patches=(patch,))
    creator = Actor(EVIL, EVIL, f"http://[{EVIL}", 10.0, 1.0, True, 1.0, 10, 10.0, "named", EVIL, (place,))
    loose = Actor(
        EVIL,
        None,
        EVIL,
        10.0,
        1.0,
        True,
        1.0,
        10,
        10.0,
        "visits",
        EVIL,
        (),
        EVIL,
        1,
        9,
        START,
        NOW,
        True,
        EVIL,
        EVIL,
        EVIL,
    )
    exhibit = Exhibit(EVIL, EVIL, place, f"SELECT '{EVIL}'")
    cause = Cause(
        "probes/creates-sessions",
        EVIL,
        EVIL,
        EVIL,
        0.5,
        0.4,
        0.6,
        Confidence.LOW,
        10.0,
        10,
        10,
        (creator, loose),
        remedy,
    )
    finding = Finding(
        Severity.WARNING, Confidence.LOW, EVIL, EVIL, exhibit, (exhibit,), remedy, EVIL, slug="probes/wrong-path"
    )
    histogram = Histogram((EVIL, "b"), (1, 2))
    return Report(
        necropsy="0.1.0",
        taken_at=NOW,
        case=EVIL,
        verdict=Verdict(
            (cause,),
            (Contribution("memory/not-sessions", EVIL, EVIL),),
            (Cleared("sessions/immortal", EVIL),),
            (Unexamined("sessions/oversized", (EVIL,), EVIL),),
            0.5,
            (Prediction(EVIL, 1.0, 60.0, 1.0, 2.0, 3.0, 1, 2, 3, None, EVIL),),
            Kind.CAUSE,
            EVIL,
            (EvidenceRequest(EVIL, EVIL, EVIL),),
            (View(EVIL, 20, 1, 10.0, START, START, NOW, 2, 0.5, EVIL),),
            (Contradiction(EVIL, EVIL, True),),
        ),
        stores=(StoreSummary(EVIL, EVIL, 20, 10, 20, 0, 20, 0, 0, 0, 20, 10, 0, 60.0, NOW, NOW, NOW),),
        findings=(finding,),
        sources=(Source("access_log", EVIL, NOW, None, None, EVIL, EVIL),),
        absent=(Absent(EVIL, EVIL, EVIL, EVIL),),
        blemishes=(Blemish(EVIL, "line", 1, EVIL, EVIL),),
        births=(BirthChart(EVIL, START, 3600.0, (ChartSeries(EVIL, (1.0, 2.0), "cause"),)),),
        combs=(CombChart(EVIL, 10.0, START, ((1.0, 2.0, 0), (2.0, 3.0, -1)), (Tooth(2.0, EVIL, 1, None),), 2),),
        populations=(PopulationChart(EVIL, histogram, histogram, histogram),),
        chains=(Chain(EVIL, "probes/creates-sessions", (Link(EVIL, EVIL, EVIL), Link(EVIL, EVIL))),),
        frameworks={EVIL: 20},
    )


EVERY = {
    "incident": incident,
    "empty": empty,
    "well": well,
    "configuration-only": configuration_only,
    "hostile": hostile,
}
"""All samples by name."""
