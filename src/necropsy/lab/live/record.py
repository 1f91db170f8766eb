"""Keeps the evidence of a lab and the truth about it as a folder that ``necropsy examine`` reads anywhere.

::

    incident.toml                      names all of it, and when it was taken
    stores/admin-a.rdb.gz              by each server's own SAVE
    servers/a1/access.log.gz           and error logs, where there are any
    configuration/                     what was in use at that moment: Prometheus, blackbox, Consul's definitions, nginx
    consul/health-admin-a.json         what Consul answered
    truth.json                         who created how many sessions, by what the applications noted

``truth.json``::

    {"taken_at": "2026-11-30T03:39:58Z", "stores": {"admin-a": {"births": [
      {"creator": "prober", "target": "127.158.204.189:80", "births": 112, "last_at": "2026-11-30T03:39:57Z"}]}}}
"""

from __future__ import annotations

import gzip
import json
import urllib.error
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from necropsy._internal.paths import exists, is_file
from necropsy.lab.live import files
from necropsy.lab.live import plan as plans
from necropsy.lab.live.plan import LabPlan, Machine
from necropsy.lab.live.twin.connection import StoreRefusal, TimedOut, TwinConnection
from necropsy.model.errors import NecropsyError, UsageError

_AGENTS: Final = (
    ("Blackbox-Exporter", "prober"),
    ("Go-http-client", "prober"),
    ("kube-probe", "kubelet"),
    ("Mozilla", "people"),
)
_ELSEWHERE: Final = "/srv/lab"
"""Placeholder for the lab's own folder in the files that are kept."""
_SAVE_S: Final = 60.0
_ANSWER_S: Final = 10.0


def record(folder: Path, to: Path) -> Path:
    """Keep the evidence of the lab in ``folder``; return the file that names it.

    Raises
    ------
    UsageError
        The place is taken.
    NecropsyError
        There is no lab, or a server does not answer.
    """
    plan = plans.read(folder)
    if exists(to) and any(to.iterdir()):
        raise UsageError(f"{to} is not empty", hint="Choose a new folder.")
    now = datetime.now(UTC).replace(microsecond=0)
    _stores(plan, to / "stores")
    for machine in plan.machines:
        _logs(plan, machine, to / "servers" / machine.name)
        _kept(plan, files.deployed(plan, machine), to / "configuration" / "consul" / machine.name / "services.json")
        _kept(
            plan,
            plan.folder / "configuration" / "nginx" / f"{machine.name}.conf",
            to / "configuration" / "nginx" / f"{machine.name}.conf",
        )
    for name, kept in (("prometheus/prometheus.yml", "prometheus.yml"), ("configuration/blackbox.yml", "blackbox.yml"),
                       ("configuration/monitoring.yml", "monitoring.yml")):  # fmt: skip
        _kept(plan, plan.folder / name, to / "configuration" / kept, "..")
    targets = plan.folder / "prometheus" / "targets.json"
    if is_file(targets):
        _kept(plan, targets, to / "prometheus" / "targets.json")
    answers = list(_consul(plan, to / "consul"))
    (to / "truth.json").write_text(json.dumps(truth(plan, now), indent=1) + "\n", encoding="utf-8")
    path = to / "incident.toml"
    path.write_text(_incident(plan, to, now, answers), encoding="utf-8")
    return path


def truth(plan: LabPlan, now: datetime) -> dict[str, Any]:
    """Return who created how many sessions since the lab came up."""
    stores: dict[str, dict[tuple[str, str], list[float]]] = {admin.name: defaultdict(list) for admin in plan.admins}
    for machine in plan.machines:
        for colour, place in machine.colours:
            for line in files.notes(plan, machine, colour).read_text(encoding="utf-8").splitlines():
                note = json.loads(line)
                target = machine.proxy if note["proxied"] else place
                creator = next((kind for agent, kind in _AGENTS if note["agent"].startswith(agent)), "other")
                stores[machine.admin][creator, str(target)].append(note["at_ms"] / 1000)
    return {
        "taken_at": _iso(now.timestamp()),
        "application": plan.wish.application,
        "redirects": plan.wish.redirects,
        "interval_s": plan.interval_s,
        "lifetimes_s": {admin.name: admin.lifetime_s for admin in plan.admins},
        "events": [json.loads(line) for line in (plan.folder / "truth" / "events.jsonl").read_text().splitlines()],
        "stores": {
            name: [
                {
                    "creator": creator,
                    "target": target,
                    "births": len(at),
                    "first_at": _iso(min(at)),
                    "last_at": _iso(max(at)),
                }
                for (creator, target), at in sorted(made.items())
            ]
            for name, made in stores.items()
        },
    }


def _stores(plan: LabPlan, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    for admin in plan.admins:
        try:
            connection = TwinConnection((admin.redis.host, admin.redis.port), _SAVE_S)
            connection.call(b"SAVE")
            home = Path(connection.call(b"CONFIG", b"GET", b"dir")[1].decode())
            connection.close()
        except (TimedOut, StoreRefusal) as error:
            raise NecropsyError(
                f"{admin.name}: its Redis cannot be saved: {error}", hint="necropsy lab status"
            ) from error
        _pack(home / "dump.rdb", to / f"{admin.name}.rdb.gz")


def _logs(plan: LabPlan, machine: Machine, to: Path) -> None:
    to.mkdir(parents=True, exist_ok=True)
    for path in sorted((plan.folder / "servers" / machine.name).glob("*.log")):
        if path.stat().st_size and not path.name.startswith("nginx-"):
            _pack(path, to / f"{path.name}.gz")


def _pack(path: Path, to: Path) -> None:
    """Compress a file: no name and no time in the header, so that the same bytes give the same bytes."""
    with to.open("wb") as raw, gzip.GzipFile("", "wb", mtime=0, fileobj=raw) as packed:
        packed.write(path.read_bytes())


def _kept(plan: LabPlan, path: Path, to: Path, elsewhere: str = _ELSEWHERE) -> None:
    """Copy a text without the name of the folder that it was in."""
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(path.read_text(encoding="utf-8").replace(str(plan.folder), elsewhere), encoding="utf-8")


def _consul(plan: LabPlan, to: Path) -> Iterator[Path]:
    if plan.found("consul") is None:
        return
    to.mkdir(parents=True, exist_ok=True)
    for admin in plan.admins:
        url = f"http://{plan.at('consul-server-001/http')}/v1/health/service/{admin.name}"
        try:
            with urllib.request.urlopen(url, timeout=_ANSWER_S) as answer:
                kept = json.load(answer)
        except (urllib.error.URLError, OSError, ValueError) as error:
            raise NecropsyError(f"Consul does not answer: {error}", hint="necropsy lab status") from error
        path = to / f"health-{admin.name}.json"
        path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
        yield path


def _incident(plan: LabPlan, to: Path, now: datetime, answers: list[Path]) -> str:
    consul = [path.relative_to(to).as_posix() for path in answers]
    consul += [f"{m.proxy.host}=configuration/consul/{m.name}/services.json" for m in plan.machines]
    errors = sorted(path.relative_to(to).as_posix() for path in to.glob("servers/*/error-*.log.gz"))
    lines = [
        f"now = {now:%Y-%m-%dT%H:%M:%SZ}",
        'access-log = ["servers/*/access.log.gz"]',
        *([f"app-log = {json.dumps(errors)}"] if errors else []),
        'nginx = ["configuration/nginx/*.conf"]',
        'prometheus = ["configuration/prometheus.yml", "configuration/monitoring.yml"]',
        'blackbox = ["configuration/blackbox.yml"]',
        f"consul = {json.dumps(consul)}",
    ]
    for admin in plan.admins:
        lines += [
            "",
            "[[store]]",
            f'name = "{admin.name}"',
            f'rdb = "stores/{admin.name}.rdb.gz"',
            f'memory-limit = "{admin.limit}"',
        ]
    return "\n".join(lines) + "\n"


def _iso(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
