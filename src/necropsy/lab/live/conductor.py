"""Starts a lab, reports its state, and stops it."""

from __future__ import annotations

import contextlib
import shutil
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from necropsy._internal.paths import exists, is_file
from necropsy.lab.live import files, search, spring
from necropsy.lab.live import plan as plans
from necropsy.lab.live.components import COMPONENTS, Component, Run
from necropsy.lab.live.plan import LabOptions, LabPlan
from necropsy.lab.live.programs import knows_consul
from necropsy.lab.live.supervisor import Supervisor
from necropsy.model.errors import NecropsyError, UsageError

_READY_S: Final = 180.0
_OURS: Final = ("configuration", "servers", "prometheus", "truth", "consul", "redis", "alertmanager", "prometheus-data",
                "prometheus-metrics-data", "logs", "processes", "opensearch", "network", "victoria-metrics-data")  # fmt: skip
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Missing:
    """A component that is not there."""

    component: Component
    get: tuple[str, ...]
    """The way to get each program that was not found; empty: it was left out on purpose."""


@dataclass(frozen=True, slots=True)
class LabProcess:
    """One process of a lab."""

    name: str
    alive: bool
    pid: int


@dataclass(frozen=True, slots=True)
class Lab:
    """A lab that is up."""

    plan: LabPlan
    missing: tuple[Missing, ...]

    @property
    def supervisor(self) -> Supervisor:
        """The owner of its processes."""
        return Supervisor(self.plan.folder, self.plan.id)


def look_for(plan: LabPlan) -> tuple[dict[str, dict[str, Path]], tuple[Missing, ...]]:
    """Look for every program; return those of each component that is complete, and the components that are not."""
    there: dict[str, dict[str, Path]] = {}
    missing: list[Missing] = []
    for component in COMPONENTS:
        if not component.wanted(plan):
            continue
        if component.name in plan.wish.without:
            missing.append(Missing(component, ()))
            continue
        found = {name: program.find() for name, program in component.programs.items()}
        lacking = tuple(component.programs[name].get for name, path in found.items() if path is None)
        if lacking:
            missing.append(Missing(component, lacking))
        else:
            there[component.name] = {name: path for name, path in found.items() if path is not None}
    return there, tuple(missing)


def up(folder: Path, wish: LabOptions, say: Say) -> Lab:
    """Start everything that can be had; return when it answers.

    What an earlier lab left in this folder is stopped and removed first.

    Raises
    ------
    UsageError
        An unknown component is to be left out, or the folder holds something else.
    NecropsyError
        A component without which there is no lab is missing, or one does not start; all others are stopped again.
    """
    _known(wish.without)
    _clear(folder, say)
    folder.mkdir(parents=True, exist_ok=True)
    plan = plans.draw(folder, wish)
    there, missing = look_for(plan)
    for one in missing:
        if one.component.needed:
            raise NecropsyError(
                f"there is no lab without {one.component.name}: {one.component.what}",
                hint=f"Get it: {'; '.join(one.get)}" if one.get else "Do not leave it out.",
            )
    if "prometheus" not in there and "prometheus-metrics" in there and "prometheus" not in wish.without:
        there["prometheus"] = there["prometheus-metrics"]
    binaries = tuple((name, tuple((of, str(path)) for of, path in found.items())) for name, found in there.items())
    plan = replace(plan, programs=binaries)
    plans.keep(plan)
    _build(there, wish.application, say)
    files.write_all(plan, consul="consul" in there, consul_sd=uses_consul_sd(plan))
    supervisor = Supervisor(plan.folder, plan.id)
    try:
        for component in COMPONENTS:
            if component.name in there:
                say(f"starting {component.name}: {component.what}")
                runs = component.runs(plan, there[component.name])
                for run in runs:
                    supervisor.start(run.name, run.command, run.inside)
                for run in runs:
                    await_ready(supervisor, run, plan.folder)
    except BaseException:
        supervisor.stop()
        raise
    return Lab(plan, missing)


def _build(there: Mapping[str, Mapping[str, Path]], application: str, say: Say) -> None:
    """Build what comes as source."""
    if "spring" in there:
        say("building the Spring application")
        spring.build(there["spring"]["maven"], application)
    if "opensearch" in there:
        say("building OpenSearch")
        search.build(there["opensearch"]["maven"])


def down(folder: Path) -> int:
    """Stop every process of the lab in this folder; return how many groups of processes there were. Its files stay."""
    plan = plans.read(folder)
    return Supervisor(folder.resolve(), plan.id).stop()


def status(folder: Path) -> tuple[LabPlan, tuple[LabProcess, ...], tuple[Missing, ...]]:
    """Return the plan, every process, and what was left out."""
    plan = plans.read(folder)
    noted = Supervisor(folder.resolve(), plan.id).noted()
    left_out = tuple(
        Missing(component, tuple(program.get for program in component.programs.values() if program.find() is None))
        for component in COMPONENTS
        if component.wanted(plan) and plan.found(component.name) is None
    )
    return plan, tuple(LabProcess(one.name, one.alive, one.pid) for one in noted.values()), left_out


def uses_consul_sd(plan: LabPlan) -> bool:
    """Whether the prober finds its targets in Consul itself."""
    prometheus = plan.found("prometheus")
    return plan.found("consul") is not None and prometheus is not None and knows_consul(prometheus["prometheus"])


def await_ready(supervisor: Supervisor, run: Run, folder: Path) -> None:
    """Wait until a process answers.

    Raises
    ------
    NecropsyError
        It has ended, or does not answer for three minutes; with the last line that it wrote.
    """
    deadline = time.monotonic() + _READY_S
    while not _answers(run.ready):
        alive = supervisor.noted()[run.name].alive
        if alive and time.monotonic() < deadline:
            time.sleep(0.1)
            continue
        said = (folder / "logs" / f"{run.name}.out").read_text(errors="replace").strip().splitlines()[-1:]
        raise NecropsyError(
            f"{run.name} {'does not answer' if alive else 'has ended'}: {said[0] if said else 'it said nothing'}",
            hint=f"See {folder / 'logs' / f'{run.name}.out'}.",
        )


def _answers(ready: str) -> bool:
    kind, _, rest = ready.partition("://")
    if kind == "http":
        try:
            with urllib.request.urlopen(ready, timeout=2) as answer:  # noqa: S310 -- http alone
                # Consul's servers answer "" until they have a leader.
                return bool(answer.status < 300 and (not ready.endswith("/leader") or len(answer.read()) > 4))
        except (urllib.error.URLError, OSError):
            return False
    if kind in {"tcp", "redis"}:
        host, _, port = rest.rpartition(":")
        try:
            with socket.create_connection((host, int(port)), timeout=2) as client:
                if kind == "tcp":
                    return True
                client.sendall(b"PING\r\n")
                return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False
    return True


def _known(without: tuple[str, ...]) -> None:
    names = [component.name for component in COMPONENTS]
    for name in without:
        if name not in names:
            raise UsageError(f"no component {name!r}", hint=f"There are {', '.join(names)}.")


def _clear(folder: Path, say: Say) -> None:
    """Stop and remove what an earlier lab left; touch nothing else."""
    if not exists(folder):
        return
    if not is_file(folder / plans.FILE):
        if any(folder.iterdir()):
            raise UsageError(f"{folder} holds something else", hint="Choose an empty folder with --folder.")
        return
    if stopped := down(folder):
        say(f"stopped {stopped} processes of the lab that was here")
    for name in _OURS:
        shutil.rmtree(folder / name, ignore_errors=True)
    for path in _remains(folder):
        path.unlink(missing_ok=True)


def _remains(folder: Path) -> Iterator[Path]:
    yield folder / plans.FILE
    yield folder / "incident.toml"
    with contextlib.suppress(OSError):
        yield from folder.glob("incident.watch.case*")
