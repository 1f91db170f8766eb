"""The plan of a lab, made before anything starts: machines, addresses, ports, lifetimes. Kept as ``lab.json``."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from necropsy.lab.live import addresses
from necropsy.lab.story import FOREVER_S, ONE_DAY_S
from necropsy.model.errors import NecropsyError, UsageError

FILE: Final = "lab.json"
INTERVAL_S: Final = 10.0
"""Of the incident's prober and its checks."""
APPLICATIONS: Final = ("twin", "spring", "spring-4")
REDIRECTS: Final = ("absolute", "relative")
LEAST_INTERVAL_S: Final = 0.5
"""No prober is faster: nine targets, twice a second, is what a test machine answers beside everything else."""


@dataclass(frozen=True, slots=True)
class LabOptions:
    """The options of ``necropsy lab up``.

    Parameters
    ----------
    speed
        How many times faster than in 2019 time passes: intervals, lifetimes, the pace of users, and how long an alert waits.
    interval_s
        Of the prober, seconds; None: 10 s, scaled, but half a second at least.
    lifetime_s
        Of a session of A, seconds; None: a day, scaled.
    limit_a, limit_b
        Memory limit of each Redis, bytes.
    application
        ``twin`` (Python), or ``spring`` and ``spring-4`` (Spring Boot 3.5 and 4, Java 17 and Maven).
    redirects
        ``absolute`` or ``relative``: whether a redirect to the login page names the host.
    without
        Components to leave out.
    """

    speed: float = 60.0
    interval_s: float | None = None
    lifetime_s: int | None = None
    limit_a: int = 64 << 20
    limit_b: int = 16 << 20
    application: str = "twin"
    redirects: str = "absolute"
    users: int = 6
    without: tuple[str, ...] = ()
    second_prometheus: bool = False
    """Whether the second Prometheus probes too, once the prober is on."""
    kubelet: bool = False
    """Whether something like Kubernetes' kubelet asks each blue process for ``/``."""
    opensearch: bool = False
    """Whether the error logs are shipped to OpenSearch, and read from there (Java 17 and Maven)."""
    weather: bool = False
    """Whether each store is a primary with a replica behind one address, on a network that can be disturbed."""
    victoria_metrics: bool = False
    """Whether VictoriaMetrics reads Consul as well, asks every health endpoint, and keeps the stores' metrics."""


@dataclass(frozen=True, slots=True)
class ListeningAddress:
    """A listening address."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Machine:
    """A server with nginx before a blue and a green process of an application, of which nginx asks the blue one."""

    name: str
    admin: str
    proxy: ListeningAddress
    blue: ListeningAddress
    green: ListeningAddress
    node: str
    """Name of its Consul agent: another one after a restart."""

    @property
    def colours(self) -> tuple[tuple[str, ListeningAddress], ...]:
        """Both application processes."""
        return (("blue", self.blue), ("green", self.green))


@dataclass(frozen=True, slots=True)
class LiveApplication:
    """An application with its store."""

    name: str
    redis: ListeningAddress
    """Where everybody reaches its store."""
    lifetime_s: int
    limit: int
    """Memory limit of its Redis, bytes."""
    users: int


@dataclass(frozen=True, slots=True)
class LabPlan:
    """One lab."""

    id: str
    """Marks every process of it."""
    folder: Path
    wish: LabOptions
    admins: tuple[LiveApplication, ...]
    machines: tuple[Machine, ...]
    places: tuple[tuple[str, ListeningAddress], ...]
    """Addresses of everything else, by ``component`` or ``component/port``."""
    programs: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    """Binaries of each component that is there, by the name that the component has for it."""

    @property
    def interval_s(self) -> float:
        """Interval of the prober, seconds."""
        wanted = self.wish.interval_s if self.wish.interval_s is not None else INTERVAL_S / self.wish.speed
        return max(LEAST_INTERVAL_S, wanted)

    @property
    def check_s(self) -> float:
        """Interval of Consul's checks and of the load balancer's, seconds; Consul accepts nothing below a second."""
        return max(1.0, self.interval_s)

    def scaled(self, seconds: float, least: float = 1.0) -> float:
        """Return a time of 2019 as it is here, at least so long."""
        return max(least, seconds / self.wish.speed)

    def at(self, name: str) -> ListeningAddress:
        """Return where a component listens."""
        return dict(self.places)[name]

    def found(self, component: str) -> dict[str, Path] | None:
        """Return the binaries of a component; None: it was left out."""
        known = dict(self.programs)
        return {name: Path(path) for name, path in known[component]} if component in known else None

    def admin(self, name: str) -> LiveApplication:
        """Return an application by name."""
        return next(admin for admin in self.admins if admin.name == name)

    def machine(self, name: str) -> Machine:
        """Return a machine by name.

        Raises
        ------
        UsageError
            There is none.
        """
        for machine in self.machines:
            if machine.name == name:
                return machine
        raise UsageError(f"no machine {name!r}", hint=f"There are {', '.join(m.name for m in self.machines)}.")

    def with_machine(self, changed: Machine) -> LabPlan:
        """Return the plan with one machine changed."""
        return replace(self, machines=tuple(changed if m.name == changed.name else m for m in self.machines))


def draw(folder: Path, wish: LabOptions) -> LabPlan:
    """Decide everything; ports are free at this moment.

    Raises
    ------
    UsageError
        The wish contradicts itself.
    """
    _check(wish)
    prefix, ports = addresses.network(), addresses.Ports()

    def place(number: int, port: int) -> ListeningAddress:
        host = addresses.host(prefix, number)
        return ListeningAddress(host, ports.take(host, port))

    lifetime = wish.lifetime_s if wish.lifetime_s is not None else max(1, round(ONE_DAY_S / wish.speed))
    admins = (
        LiveApplication("admin-a", place(21, 6379), lifetime, wish.limit_a, wish.users),
        LiveApplication("admin-b", place(21, 6380), FOREVER_S, wish.limit_b, max(1, wish.users * 2 // 3)),
    )
    machines = tuple(
        Machine(name, admin, place(number, 80), place(number, 8080), place(number, 8081), node=name)
        for name, admin, number in (("a1", "admin-a", 189), ("a2", "admin-a", 190), ("b1", "admin-b", 201))
    )
    wanted: list[tuple[str, int, int]] = []
    for number, name in enumerate(("consul-server-001", "consul-server-002", "consul-server-003")):
        wanted += [(f"{name}/{port}", 11 + number, at) for port, at in _CONSUL]
    for machine, number in zip(machines, (189, 190, 201), strict=True):
        wanted += [(f"consul-{machine.name}/{port}", number, at) for port, at in _CONSUL]
    if wish.weather:
        wanted += [
            (f"{admin.name}/{which}", 22 + row, 6379)
            for admin in admins
            for row, which in enumerate(("first", "second"))
        ]
    wanted += [(name, 1, port) for name, port in _MONITORING]
    return LabPlan(
        id=f"necropsy-lab-{uuid.uuid4().hex[:12]}",
        folder=folder.resolve(),
        wish=wish,
        admins=admins,
        machines=machines,
        places=tuple((name, place(number, port)) for name, number, port in wanted),
    )


_CONSUL: Final = (("http", 8500), ("serf", 8301), ("rpc", 8300))
_MONITORING: Final = (
    ("blackbox", 9115), ("prometheus", 9090), ("prometheus-metrics", 9091), ("alertmanager", 9093), ("chat", 9094),
    ("redis-exporter-a", 9121), ("redis-exporter-b", 9122), ("guard", 9120), ("victoria-metrics", 8428), ("opensearch", 9200),
    ("opensearch-transport", 9300),
)  # fmt: skip


def _check(wish: LabOptions) -> None:
    if wish.speed <= 0:
        raise UsageError("--speed must be above 0", hint="1 is real time, 60 lets a day pass in 24 minutes.")
    if wish.interval_s is not None and wish.interval_s < LEAST_INTERVAL_S:
        raise UsageError(
            f"the prober would ask every {wish.interval_s:g} s: more than a test machine answers",
            hint=f"Give --interval {LEAST_INTERVAL_S:g}s or more.",
        )


def keep(plan: LabPlan) -> None:
    """Write the plan into its folder."""
    text = json.dumps(asdict(plan), indent=1, default=str)
    target = plan.folder / FILE
    passing = target.with_suffix(".new")
    passing.write_text(text + "\n", encoding="utf-8")
    passing.replace(target)


def read(folder: Path) -> LabPlan:
    """Read the plan of a folder.

    Raises
    ------
    NecropsyError
        There is none, or it is not one of ours.
    """
    path = folder / FILE
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        return LabPlan(
            id=given["id"],
            folder=Path(given["folder"]),
            wish=LabOptions(**{**given["wish"], "without": tuple(given["wish"]["without"])}),
            admins=tuple(
                LiveApplication(**{**one, "redis": ListeningAddress(**one["redis"])}) for one in given["admins"]
            ),
            machines=tuple(_machine(one) for one in given["machines"]),
            places=tuple((name, ListeningAddress(**place)) for name, place in _pairs(given["places"])),
            programs=tuple((name, tuple((of, path) for of, path in found)) for name, found in given["programs"]),
        )
    except FileNotFoundError as error:
        raise NecropsyError(f"{folder}: no lab here", hint=f"necropsy lab up --folder {folder}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise NecropsyError(f"{path}: not the file of a lab: {error}", hint="Use another folder.") from error


def _machine(given: dict[str, Any]) -> Machine:
    return Machine(**{**given, **{name: ListeningAddress(**given[name]) for name in ("proxy", "blue", "green")}})


def _pairs(given: Iterable[tuple[str, dict[str, Any]]]) -> Iterable[tuple[str, dict[str, Any]]]:
    return ((name, place) for name, place in given)
