"""Every component of a lab, in the order in which they start: what it is for, the programs that it needs, its processes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from necropsy._internal.paths import is_dir
from necropsy.lab.live import files, programs, search, spring, weather
from necropsy.lab.live.actors.network import Weather
from necropsy.lab.live.plan import LabPlan, ListeningAddress, LiveApplication, Machine
from necropsy.lab.live.programs import Program

Found = Mapping[str, Path]
"""Binaries by the name of the ``Program`` field."""
_LIVE: Final = "necropsy.lab.live"
_OFFSET_S: Final = 0.5
"""What blackbox_exporter takes off a scrape's time-out by default: at half a second no time would be left to ask."""


@dataclass(frozen=True, slots=True)
class Run:
    """One process."""

    name: str
    command: tuple[str, ...]
    ready: str
    """``http://…`` answers 2xx, ``tcp://HOST:PORT`` accepts, ``redis://HOST:PORT`` answers PING; empty: it is, once started."""
    inside: Path | None = None
    """Folder in which it is started; None: the lab's."""


@dataclass(frozen=True, slots=True)
class Component:
    """One component.

    Parameters
    ----------
    programs
        What it needs, by name.
    runs
        Its processes, given the plan and the binaries.
    needed
        Whether there is no lab without it.
    left_out
        What is missing where it is not there.
    wanted
        Whether this plan has it at all.
    """

    name: str
    what: str
    programs: Mapping[str, Program]
    runs: Callable[[LabPlan, Found], tuple[Run, ...]]
    needed: bool = False
    left_out: str = ""
    wanted: Callable[[LabPlan], bool] = lambda _: True


def _redis(plan: LabPlan, found: Found) -> tuple[Run, ...]:
    if not plan.wish.weather:
        return tuple(_store(plan, admin, f"redis-{admin.name}", admin.redis, found["redis"]) for admin in plan.admins)
    runs = []
    for admin in plan.admins:
        first = weather.server(plan, admin, "first")
        weather.write(plan, admin, Weather(str(first)))
        runs += [
            replica(plan, admin, which, None if which == "first" else first, found["redis"])
            for which in weather.SERVERS
        ]
    return tuple(runs)


def replica(plan: LabPlan, admin: LiveApplication, which: str, of: ListeningAddress | None, redis: Path) -> Run:
    """Return one of the two servers of a store, as the replica of another; None: as the primary."""
    place = weather.server(plan, admin, which)
    more = () if of is None else ("--replicaof", of.host, str(of.port))
    return _store(plan, admin, weather.process(admin, which), place, redis, *more)


def _store(plan: LabPlan, admin: LiveApplication, name: str, place: ListeningAddress, redis: Path, *more: str) -> Run:
    home = plan.folder / "redis" / name.removeprefix("redis-")
    home.mkdir(parents=True, exist_ok=True)
    command = (str(redis), "--bind", place.host, "--port", str(place.port), "--dir", str(home),
               "--save", "", "--maxmemory", str(admin.limit), "--maxmemory-policy", "noeviction",
               "--daemonize", "no", *more)  # fmt: skip
    return Run(name, command, f"redis://{place}")


def _network(plan: LabPlan, _: Found) -> tuple[Run, ...]:
    return tuple(
        Run(
            f"network-{admin.name}",
            (*_python("actors.network"), f"--listen={admin.redis}", f"--weather={weather.kept(plan, admin)}"),
            f"redis://{admin.redis}",
        )
        for admin in plan.admins
    )


def _consul(plan: LabPlan, found: Found) -> tuple[Run, ...]:
    servers = tuple(
        Run(name, (str(found["consul"]), "agent", f"-config-dir={plan.folder / 'consul' / name}"),
            f"http://{plan.at(f'{name}/http')}/v1/status/leader")
        for name in files.CONSUL_SERVERS
    )  # fmt: skip
    return (*servers, *(consul_agent(plan, machine, found["consul"]) for machine in plan.machines))


def consul_agent(plan: LabPlan, machine: Machine, consul: Path) -> Run:
    """Return the Consul agent of one machine."""
    home = plan.folder / "servers" / machine.name / "consul.d"
    command = (str(consul), "agent", f"-config-dir={home}")
    ready = f"http://{plan.at(f'consul-{machine.name}/http')}/v1/agent/services"
    return Run(f"consul-{machine.name}", command, ready)


def _twin(plan: LabPlan, _: Found) -> tuple[Run, ...]:
    return tuple(
        Run(
            f"{machine.name}-{colour}",
            (*_python("twin"), *application(plan, machine, colour)),
            f"http://{place}/health",
        )
        for machine in plan.machines
        for colour, place in machine.colours
    )


def _spring(plan: LabPlan, found: Found) -> tuple[Run, ...]:
    return tuple(
        Run(
            f"{machine.name}-{colour}",
            (str(found["java"]), *spring.java_options(plan.wish.application), *application(plan, machine, colour)),
            f"http://{place}/health",
        )
        for machine in plan.machines
        for colour, place in machine.colours
    )


def application(plan: LabPlan, machine: Machine, colour: str) -> tuple[str, ...]:
    """Options of one process of an application, the twin's and Spring's alike."""
    place, admin = dict(machine.colours)[colour], plan.admin(machine.admin)
    given = {
        "address": place.host,
        "port": place.port,
        "redis-host": admin.redis.host,
        "redis-port": admin.redis.port,
        "lifetime": admin.lifetime_s,
        "redirects": plan.wish.redirects,
        "timeout": 2,
        "notes": files.notes(plan, machine, colour),
        "errors": plan.folder / "servers" / machine.name / f"error-{colour}.log",
    }
    return tuple(f"--{name}={value}" for name, value in given.items())


def _opensearch(plan: LabPlan, found: Found) -> tuple[Run, ...]:
    place, home = plan.at("opensearch"), plan.folder / "opensearch"
    (home / "config").mkdir(parents=True, exist_ok=True)
    given = (place.host, str(place.port), str(plan.at("opensearch-transport").port), str(home))
    shipped = (f"--to={place}", f"--index={search.INDEX}", f"--logs={plan.folder / 'servers'}")
    return (
        Run("opensearch", (str(found["java"]), *search.java_options(), *given), f"http://{place}/"),
        Run("shipper", (*_python("actors.shipper"), *shipped), ""),
    )


def _nginx(plan: LabPlan, found: Found) -> tuple[Run, ...]:
    return tuple(
        Run(
            f"nginx-{machine.name}",
            (str(found["nginx"]), "-e", "stderr", "-p", f"{plan.folder / 'servers' / machine.name}/", "-c",
             str(plan.folder / "configuration" / "nginx" / f"{machine.name}.conf")),
            f"tcp://{machine.proxy}",
        )
        for machine in plan.machines
    )  # fmt: skip


def _catalogue(plan: LabPlan, _: Found) -> tuple[Run, ...]:
    given = [f"--to={plan.folder / 'prometheus' / 'targets.json'}"]
    if is_dir(plan.folder / "consul"):
        given += [f"--consul={plan.at(f'{name}/http')}" for name in files.CONSUL_SERVERS]
    else:
        given += [
            f"--definitions={m.proxy.host}={plan.folder}/servers/{m.name}/consul.d/services.json" for m in plan.machines
        ]
    return (Run("catalogue", (*_python("actors.catalogue"), *given), ""),)


def _checker(plan: LabPlan, _: Found) -> tuple[Run, ...]:
    targets = tuple(f"--target={machine.proxy}" for machine in plan.machines)
    return (Run("checker", (*_python("actors.checker"), *targets, f"--interval={plan.check_s:g}"), ""),)


def _kubelet(plan: LabPlan, _: Found) -> tuple[Run, ...]:
    targets = tuple(f"--target={machine.blue}" for machine in plan.machines)
    given = (f"--interval={plan.interval_s:g}", "--agent=kube-probe/1.27", "--path=/")
    return (Run("kubelet", (*_python("actors.checker"), *targets, *given), ""),)


def _users(plan: LabPlan, _: Found) -> tuple[Run, ...]:
    def one(admin: LiveApplication) -> Run:
        proxies = tuple(f"--proxy={m.proxy}" for m in plan.machines if m.admin == admin.name)
        given = (f"--count={admin.users}", f"--pace={plan.scaled(240):g}", f"--lifetime={admin.lifetime_s}",
                 f"--diary={files.diary(plan, admin.name)}")  # fmt: skip
        return Run(f"users-{admin.name}", (*_python("actors.users"), *proxies, *given), "")

    return tuple(one(admin) for admin in plan.admins)


def _blackbox(plan: LabPlan, found: Found) -> tuple[Run, ...]:
    command = (str(found["blackbox"]), f"--config.file={plan.folder}/configuration/blackbox.yml",
               f"--timeout-offset={min(_OFFSET_S, plan.interval_s / 4):g}",
               f"--web.listen-address={plan.at('blackbox')}")  # fmt: skip
    return (Run("blackbox", command, f"http://{plan.at('blackbox')}/-/healthy"),)


def _prometheus(name: str, configuration: str) -> Callable[[LabPlan, Found], tuple[Run, ...]]:
    def runs(plan: LabPlan, found: Found) -> tuple[Run, ...]:
        command = (str(found["prometheus"]), f"--config.file={plan.folder / configuration}",
                   f"--storage.tsdb.path={plan.folder / name}-data", f"--web.listen-address={plan.at(name)}")  # fmt: skip
        return (Run(name, command, f"http://{plan.at(name)}/-/ready"),)

    return runs


def _victoria_metrics(plan: LabPlan, found: Found) -> tuple[Run, ...]:
    place = plan.at("victoria-metrics")
    command = (str(found["victoria-metrics"]), f"-promscrape.config={plan.folder}/configuration/victoria-metrics.yml",
               f"-storageDataPath={plan.folder}/victoria-metrics-data", f"-httpListenAddr={place}",
               "-promscrape.consulSDCheckInterval=1s", "-retentionPeriod=1", "-memory.allowedPercent=5")  # fmt: skip
    return (Run("victoria-metrics", command, f"http://{place}/health"),)


def _exporters(plan: LabPlan, found: Found) -> tuple[Run, ...]:
    return tuple(
        Run(name, (str(found["exporter"]), f"--redis.addr=redis://{admin.redis}", f"--web.listen-address={plan.at(name)}"),
            f"http://{plan.at(name)}/metrics")
        for name, admin in zip(("redis-exporter-a", "redis-exporter-b"), plan.admins, strict=True)
    )  # fmt: skip


def _guard(plan: LabPlan, _: Found) -> tuple[Run, ...]:
    command = (sys.executable, "-m", "necropsy.cli.main", "guard", "run", str(plan.folder / "incident.toml"))
    return (Run("guard", command, f"http://{plan.at('guard')}/-/ready"),)


def _chat(plan: LabPlan, _: Found) -> tuple[Run, ...]:
    place = plan.at("chat")
    given = (f"--address={place.host}", f"--port={place.port}", f"--kept={plan.folder}/truth/chat.jsonl")
    return (Run("chat", (*_python("actors.chat"), *given), f"http://{place}/"),)


def _alertmanager(plan: LabPlan, found: Found) -> tuple[Run, ...]:
    program, inside = programs.with_templates(found["alertmanager"], plan.folder / "alertmanager")
    command = (str(program), f"--config.file={plan.folder}/configuration/alertmanager.yml",
               f"--storage.path={plan.folder}/alertmanager", f"--web.listen-address={plan.at('alertmanager')}",
               "--cluster.listen-address=")  # fmt: skip
    return (Run("alertmanager", command, f"http://{plan.at('alertmanager')}/-/ready", inside),)


def _python(module: str) -> tuple[str, ...]:
    return (sys.executable, "-m", f"{_LIVE}.{module}")


COMPONENTS: Final[tuple[Component, ...]] = (
    Component("redis", "two stores, A and B, each with a memory limit", {"redis": programs.REDIS}, _redis, needed=True),
    Component("network", "an address a store, in front of its two servers", {}, _network, needed=True,
              wanted=lambda plan: plan.wish.weather),
    Component("twin", "the admin applications in Python, blue and green on each machine", {}, _twin, needed=True,
              wanted=lambda plan: plan.wish.application == "twin"),
    Component("spring", "the admin applications on Spring Boot, blue and green on each machine",
              {"java": programs.JAVA, "maven": programs.MAVEN}, _spring, needed=True,
              wanted=lambda plan: plan.wish.application != "twin"),
    Component("nginx", "a proxy on each machine, with the incident's log", {"nginx": programs.NGINX}, _nginx, needed=True),
    Component("opensearch", "the error logs of the applications, searchable", {"java": programs.JAVA, "maven": programs.MAVEN},
              _opensearch, left_out="error logs are read from their files", wanted=lambda plan: plan.wish.opensearch),
    Component("consul", "three servers, and an agent on each machine", {"consul": programs.CONSUL}, _consul,
              left_out="targets come from the definitions by file_sd; no zombies, no checks by Consul"),
    Component("catalogue", "Consul's catalogue as a file of targets", {}, _catalogue),
    Component("checker", "the load balancer's health checks", {}, _checker),
    Component("kubelet", "asks each blue process for its first page, as a liveness probe would", {}, _kubelet,
              wanted=lambda plan: plan.wish.kubelet),
    Component("users", "people who log in, work, log out and come back", {}, _users),
    Component("blackbox", "the prober", {"blackbox": programs.BLACKBOX}, _blackbox, left_out="nobody probes"),
    Component("prometheus", "the Prometheus of the incident, which finds its targets in Consul",
              {"prometheus": programs.PROMETHEUS_CONSUL}, _prometheus("prometheus", "prometheus/prometheus.yml"),
              left_out="the other Prometheus takes its place where there is one, with targets by file_sd"),
    Component("prometheus-metrics", "the Prometheus that watches the stores and raises alerts",
              {"prometheus": programs.PROMETHEUS}, _prometheus("prometheus-metrics", "configuration/monitoring.yml"),
              left_out="no history, no alerts"),
    Component("victoria-metrics", "reads Consul as well, asks every health endpoint, and keeps the stores' metrics",
              {"victoria-metrics": programs.VICTORIA_METRICS}, _victoria_metrics, left_out="nobody else reads Consul",
              wanted=lambda plan: plan.wish.victoria_metrics),
    Component("redis-exporter", "redis_exporter, one a store", {"exporter": programs.REDIS_EXPORTER}, _exporters,
              left_out="only necropsy's own exporter shows the stores"),
    Component("chat", "a receiver like Slack's incoming webhook", {}, _chat),
    Component("alertmanager", "sends alerts to the chat", {"alertmanager": programs.ALERTMANAGER}, _alertmanager,
              left_out="alerts are raised and go nowhere"),
    Component("guard", "necropsy guard run: exporter, prober, watch", {}, _guard),
)  # fmt: skip
"""In the order in which they start."""
