"""Acts on a running lab: the prober switched on, a configuration deployed, a server hung, an agent killed.

Each act is one line of ``truth/events.jsonl``: ``{"at": 1796007954.1, "act": "deploy a1"}``.
"""

from __future__ import annotations

import json
import signal
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from necropsy.lab.live import conductor, files, monitoring, weather
from necropsy.lab.live import plan as plans
from necropsy.lab.live.components import consul_agent, replica
from necropsy.lab.live.plan import LabPlan, Machine
from necropsy.lab.live.supervisor import Supervisor
from necropsy.lab.live.twin.connection import StoreRefusal, TimedOut, TwinConnection
from necropsy.model.errors import NecropsyError, UsageError

_HANG_S: Final = 15.0
_ANSWER_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Act:
    """One act: its name, its argument as it is shown in help, and what it does."""

    name: str
    argument: str
    """Empty: it has none."""
    what: str
    do: Callable[[LabPlan, Supervisor, str], None]


def act(folder: Path, name: str, argument: str = "") -> None:
    """Do something to the lab in this folder.

    Raises
    ------
    UsageError
        There is no such act, or it needs another argument.
    NecropsyError
        What it is done to does not run.
    """
    for one in ACTS:
        if one.name == name:
            break
    else:
        raise UsageError(f"no act {name!r}", hint=f"Known acts: {', '.join(one.name for one in ACTS)}.")
    if bool(one.argument) != bool(argument):
        raise UsageError(
            f"{name} needs a {one.argument.replace('|', ' or ')}" if one.argument else f"{name} takes nothing after it",
            hint=f"necropsy lab act {name} {one.argument}".rstrip(),
        )
    plan = plans.read(folder)
    with (plan.folder / "truth" / "events.jsonl").open("a", encoding="utf-8") as events:
        events.write(json.dumps({"at": round(time.time(), 3), "act": f"{name} {argument}".rstrip()}) + "\n")
    one.do(plan, Supervisor(plan.folder, plan.id), argument)


def _prober(*, on: bool) -> Callable[[LabPlan, Supervisor, str], None]:
    def do(plan: LabPlan, supervisor: Supervisor, _: str) -> None:
        files.write_prometheus(plan, on=on, consul_sd=conductor.uses_consul_sd(plan))
        files.deploy_prometheus(plan)
        _tell(supervisor, "prometheus", signal.SIGHUP)
        if plan.wish.second_prometheus:
            monitoring.write_all(plan, also=files.probing_job(plan, consul_sd=False) if on else "")
            _tell(supervisor, "prometheus-metrics", signal.SIGHUP)

    return do


def _deploy(plan: LabPlan, supervisor: Supervisor, where: str) -> None:
    """Put what is under ``configuration/`` into use: of ``prometheus``, or of one machine's Consul agent."""
    if where == "prometheus":
        files.deploy_prometheus(plan)
        _tell(supervisor, "prometheus", signal.SIGHUP)
        return
    machine = plan.machine(where)
    files.deploy_services(plan, machine)
    _tell(supervisor, f"consul-{machine.name}", signal.SIGHUP)


def _replace_agent(plan: LabPlan, supervisor: Supervisor, where: str) -> None:
    """Restart the Consul agent of a machine badly, and start another by a new name with what is under ``configuration/``.

    The agent is killed while it is being stopped, when its applications are deregistered and nginx is not: the catalogue keeps
    the old node and this one service, a zombie.
    """
    machine, consul = plan.machine(where), plan.found("consul")
    if consul is None:
        raise NecropsyError("this lab has no Consul", hint="necropsy lab status says how to get it.")
    for _, place in machine.colours:
        _deregister(plan, machine, f"Server:{place.port}")
    supervisor.send(f"consul-{machine.name}", signal.SIGKILL)
    supervisor.stop(f"consul-{machine.name}")
    renamed = replace(machine, node=f"{machine.name}-{int(time.time()) % 100_000:05d}")
    changed = plan.with_machine(renamed)
    plans.keep(changed)
    files.write_agent(changed, renamed)
    files.deploy_services(changed, renamed)
    run = consul_agent(changed, renamed, consul["consul"])
    supervisor.start(run.name, run.command)
    conductor.await_ready(supervisor, run, changed.folder)


def _deregister(plan: LabPlan, machine: Machine, service: str) -> None:
    url = f"http://{plan.at(f'consul-{machine.name}/http')}/v1/agent/service/deregister/{service}"
    with urllib.request.urlopen(urllib.request.Request(url, method="PUT"), timeout=10):
        pass


def _kill_agent(plan: LabPlan, supervisor: Supervisor, where: str) -> None:
    _tell(supervisor, f"consul-{plan.machine(where).name}", signal.SIGKILL)


def _hang(plan: LabPlan, supervisor: Supervisor, store: str) -> None:
    """Stop a Redis server for fifteen seconds, as a machine that swaps does; it knows nothing of it."""
    admin = plan.admin(_store(plan, store))
    name = weather.process(admin, weather.primary(plan, admin)) if plan.wish.weather else f"redis-{admin.name}"
    _tell(supervisor, name, signal.SIGSTOP)
    try:
        time.sleep(_HANG_S)
    finally:
        _tell(supervisor, name, signal.SIGCONT)


def _cut(plan: LabPlan, _: Supervisor, store: str) -> None:
    """End every TCP connection of a store's clients at once, as a firewall that restarts does; the server runs on."""
    redis = plan.admin(_store(plan, store)).redis
    try:
        connection = TwinConnection((redis.host, redis.port), _ANSWER_S)
        connection.call(b"CLIENT", b"KILL", b"TYPE", b"normal", b"SKIPME", b"yes")
        connection.close()
    except (TimedOut, StoreRefusal) as error:
        raise NecropsyError(f"{store} does not answer: {error}", hint="necropsy lab status shows what runs.") from error


def _late(plan: LabPlan, _: Supervisor, store: str) -> None:
    weather.late(plan, plan.admin(_store(plan, store)))


def _silent(plan: LabPlan, _: Supervisor, store: str) -> None:
    weather.silent(plan, plan.admin(_store(plan, store)))


def _failover(plan: LabPlan, supervisor: Supervisor, store: str) -> None:
    """Let the replica take over, and start the server that died as its replica."""
    admin = plan.admin(_store(plan, store))
    died = weather.failover(plan, supervisor, admin)
    redis = (plan.found("redis") or {})["redis"]
    run = replica(plan, admin, died, weather.server(plan, admin, weather.primary(plan, admin)), redis)
    supervisor.start(run.name, run.command)
    conductor.await_ready(supervisor, run, plan.folder)


def _store(plan: LabPlan, name: str) -> str:
    for admin in plan.admins:
        if name.lower() in {admin.name, admin.name[-1]}:
            return admin.name
    raise UsageError(f"no store {name!r}", hint=f"There are {', '.join(admin.name for admin in plan.admins)}.")


def _tell(supervisor: Supervisor, name: str, number: signal.Signals) -> None:
    if not supervisor.send(name, number):
        raise NecropsyError(f"{name} does not run", hint="necropsy lab status shows what does.")


ACTS: Final[tuple[Act, ...]] = (
    Act("prober-on", "", "switch the prober on, as it was configured in the incident", _prober(on=True)),
    Act("prober-off", "", "switch it off again", _prober(on=False)),
    Act("deploy", "MACHINE|prometheus", "copy the files of configuration/ there, and reload", _deploy),
    Act(
        "replace-agent",
        "MACHINE",
        "restart a Consul agent under a new name: nginx of the old node stays, as a zombie",
        _replace_agent,
    ),
    Act("kill-agent", "MACHINE", "kill a Consul agent, without `consul leave`", _kill_agent),
    Act("hang", "STORE", "freeze a Redis server for 15 seconds", _hang),
    Act("cut", "STORE", "close all TCP connections of a store's clients", _cut),
    Act("delay", "STORE", "delay its answers by 0.3 s, for 15 seconds (--weather)", _late),
    Act("lose", "STORE", "drop every packet to and from it, for 15 seconds (--weather)", _silent),
    Act("failover", "STORE", "kill its primary; its replica takes over at the same address (--weather)", _failover),
)
