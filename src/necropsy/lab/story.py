"""The stories that the lab can stage, told as constants: read this file from top to bottom and you know the truth.

Nothing here is computed by the rest of necropsy: the lab must not learn the answer from the one whom it examines.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

NOW: Final = datetime(2019, 5, 24, 19, 0, tzinfo=UTC)
"""A Friday evening: when the dumps are taken and the logs are copied. All stories end here."""

LOG_WINDOW: Final = timedelta(days=1)
"""Time that the access logs reach back."""

GRACE_S: Final = 300
"""Spring Session (indexed) keeps a session's hash for five minutes after it has expired."""

ONE_DAY_S: Final = 86_400
FOREVER_S: Final = 2_147_483_647
"""``Integer.MAX_VALUE`` seconds, 68 years: what B's developer wrote to mean "never"."""


@dataclass(frozen=True, slots=True)
class AppPort:
    """One registered instance of a service: a port that the prober asks."""

    port: int
    phase_ms: int
    """Unix time modulo the prober's interval at which it is asked, in milliseconds."""
    live: bool = True
    """False for the application port that waits for a rollback: nothing listens there."""


@dataclass(frozen=True, slots=True)
class StoryMachine:
    """One machine: nginx on port 80 and two application ports, of which one is in use (blue/green)."""

    name: str
    address: str
    targets: tuple[AppPort, ...]
    fixed_at: datetime | None = None
    """Since when its services tell the prober their health endpoint; None: they don't."""
    rotated_log: bool = False
    """Its access log was rotated and compressed at midnight."""


@dataclass(frozen=True, slots=True)
class People:
    """The users of the application."""

    count: int
    """Their number; about nine in ten come on a working day."""
    passers_by: int
    """Visitors a day who see the login page and go away again."""
    role: str
    careless_links: bool = False
    """Some of the links that they follow carry their user name in the query."""


@dataclass(frozen=True, slots=True)
class Admin:
    """One application with its session store."""

    name: str
    host: str
    """Public name, as browsers send it."""
    lifetime_s: int
    """Idle lifetime of a session."""
    servers: tuple[StoryMachine, ...]
    people: People
    emptied: timedelta | None = None
    """Time since the store was last flushed; None: longer than any of its sessions lives."""
    saves_requests: bool = False
    """Spring Security keeps the request that led to the login page in the session."""
    times_out: bool = False
    """Its commands to Redis run into timeouts during the last hours."""


@dataclass(frozen=True, slots=True)
class StoryProber:
    """The one who asks every target, at a fixed interval, and never brings a cookie back."""

    kind: Literal["blackbox", "kubelet"]
    """``blackbox``: Prometheus' blackbox exporter asks every port. ``kubelet``: asks the live application port."""
    job: str
    user_agent: str
    interval_s: int
    knows_health: bool = False
    """Its relabelling joins the health endpoint that a service tells to the address."""


@dataclass(frozen=True, slots=True)
class Bot:
    """A crawler that follows links at random times and drops every cookie."""

    user_agent: str
    visits_a_day: int


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that happens, and when it ends."""

    name: str
    admins: tuple[Admin, ...]
    prober: StoryProber | None
    bot: Bot | None = None
    now: datetime = NOW


# ---------------------------------------------------------------------------------------------------------------------
# The incident of 2019.

BLACKBOX: Final = StoryProber("blackbox", "blackbox_exporter_http", "Go-http-client/1.1", interval_s=10)

ADMIN_A: Final = Admin(
    name="admin-a",
    host="admin-a.corp.example",
    lifetime_s=ONE_DAY_S,
    servers=(
        StoryMachine(
            "a1", "172.12.1.189", (AppPort(80, 4_127), AppPort(8080, 7_903), AppPort(8081, 2_518, live=False)),
            rotated_log=True,
        ),
        StoryMachine("a2", "172.12.1.190", (AppPort(80, 9_241), AppPort(8080, 1_676), AppPort(8081, 6_034, live=False))),
    ),
    people=People(count=75, passers_by=18, role="ROLE_STAFF"),
    times_out=True,
)  # fmt: skip

ADMIN_B: Final = Admin(
    name="admin-b",
    host="admin-b.corp.example",
    lifetime_s=FOREVER_S,
    servers=(
        StoryMachine(
            "b1",
            "172.12.1.201",
            (AppPort(80, 3_389), AppPort(8080, 8_462), AppPort(8081, 755, live=False)),
        ),
    ),
    people=People(count=45, passers_by=25, role="ROLE_PARTNER"),
    emptied=timedelta(days=3),
)

INCIDENT: Final = Story("incident", (ADMIN_A, ADMIN_B), BLACKBOX)

# ---------------------------------------------------------------------------------------------------------------------
# And others, against which a verdict can be tried.

_HEALTHY_BLACKBOX: Final = replace(BLACKBOX, knows_health=True)
_LONG_AGO: Final = NOW - timedelta(days=30)


def _fixed(admin: Admin, *names: str, at: datetime = _LONG_AGO) -> Admin:
    """Return the admin with these servers fixed at that time; all of them without names."""
    servers = tuple(replace(s, fixed_at=at) if not names or s.name in names else s for s in admin.servers)
    return replace(admin, servers=servers, times_out=False)


PARTIAL_FIX: Final = Story("partial-fix", (_fixed(ADMIN_A, "a1", at=NOW - timedelta(hours=30)),), _HEALTHY_BLACKBOX)
"""One server of two was fixed, more than a session's lifetime ago: half of the garbage stays."""

JUST_FIXED: Final = Story("just-fixed", (_fixed(ADMIN_A, at=NOW - timedelta(hours=6)),), _HEALTHY_BLACKBOX)
"""Both servers were fixed six hours ago: births have stopped, keys are still falling."""

HEALTHY: Final = Story(
    "healthy",
    (replace(_fixed(ADMIN_A), people=People(500, passers_by=40, role="ROLE_STAFF", careless_links=True)),),
    _HEALTHY_BLACKBOX,
)
"""Five hundred people, and probes that ask for /health."""

CRAWLED: Final = Story(
    "crawled",
    (_fixed(ADMIN_A),),
    prober=None,
    bot=Bot("Mozilla/5.0 (compatible; PriceSpider/2.1; +https://spider.example/bot)", visits_a_day=14_000),
)
"""No prober at all; a crawler drops its cookies."""

NAMED: Final = Story(
    "named",
    (replace(ADMIN_A, saves_requests=True, times_out=False),),
    StoryProber("kubelet", "liveness", "kube-probe/1.14", interval_s=10),
)
"""The sessions hold the request that made them: they name their creator themselves."""

STORIES: Final = (INCIDENT, PARTIAL_FIX, JUST_FIXED, HEALTHY, CRAWLED, NAMED)
