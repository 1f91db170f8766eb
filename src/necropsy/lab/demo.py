"""Stages a story: lives through it in fast-forward on a real server and leaves its evidence in a folder.

::

    incident.toml                       names all sources, relative to itself
    prometheus/prometheus.yml           and blackbox.yml
    consul/health-admin-a.json          saved answer of /v1/health/service/admin-a
    stores/admin-a.rdb                  dump by SAVE
    servers/a1/access.log               and access.log-20190524.gz, where it was rotated
    servers/a1/error.log                of the application
    servers/a1/nginx.conf
    servers/a1/consul.d/services.json   what the Consul agent there reads
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from necropsy.lab import access_log, configuration, error_log
from necropsy.lab.browsing import TIMEOUT_BURSTS
from necropsy.lab.dated import date
from necropsy.lab.incident_file import incident_file
from necropsy.lab.life import Life, dice, live, ports
from necropsy.lab.machines import PROXY_PORT, creates, milliseconds
from necropsy.lab.people import principals
from necropsy.lab.server import Build, running
from necropsy.lab.spring import SpringKeys
from necropsy.lab.story import FOREVER_S, INCIDENT, LOG_WINDOW, Admin, Story
from necropsy.lab.truth import AgentDefinitions, Stage, StoreTruth, TargetTruth

_HOUR_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000
_TASK_TIMEOUT_MS: Final = 10_000


def stage(
    folder: Path,
    *,
    seed: int = 1,
    progress: Callable[[str], None] | None = None,
    story: Story = INCIDENT,
    build: Build | None = None,
) -> Stage:
    """Stage a story in this folder, which is made if need be; files of an earlier staging are overwritten.

    The same seed gives the same logs, the same configuration and the same keys and values, whichever server is used.

    Parameters
    ----------
    progress
        Called with a sentence from time to time.
    story
        One of ``story.STORIES``.
    build
        Embedded server; None: the first one that is installed.

    Raises
    ------
    NecropsyError
        No embedded server is installed, or it failed.
    """
    say = progress if progress is not None else _silence
    for name in ("consul", "stores"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    stores: list[StoreTruth] = []
    targets: list[TargetTruth] = []
    identifiers: list[str] = []
    for admin in story.admins:
        say(f"{admin.name}: living through it")
        life = live(story, admin, seed)
        keyspace = SpringKeys(life.all.sessions, admin.lifetime_s, milliseconds(story.now))
        say(f"{admin.name}: writing {keyspace.keys:,} keys of {len(keyspace.live):,} sessions to a real server")
        dump = folder / "stores" / f"{admin.name}.rdb"
        with running(build) as server:
            server.feed(keyspace.commands())
            keys = server.size()
            server.save(dump)
        date(dump, story.now)
        say(f"{admin.name}: writing logs and configuration")
        stores.append(_store(folder, story, admin, seed, life, keyspace, dump, keys))
        targets += _targets(story, admin, life, keyspace.live_ids)
        identifiers += keyspace.ids
    prometheus, blackbox = _monitoring(folder, story)
    staged = Stage(
        story=story.name,
        folder=folder,
        now=story.now,
        incident=folder / "incident.toml",
        prometheus=prometheus,
        blackbox=blackbox,
        stores=tuple(stores),
        targets=tuple(targets),
        principals=tuple(principals(max(admin.people.count for admin in story.admins))),
        session_ids=tuple(identifiers),
    )
    _write(staged.incident, incident_file(staged))
    return staged


def _store(
    folder: Path, story: Story, admin: Admin, seed: int, life: Life, keyspace: SpringKeys, dump: Path, keys: int
) -> StoreTruth:
    """Write what this application's machines hold, and say what is true about its store."""
    access_logs: list[Path] = []
    error_logs: list[Path] = []
    proxies: list[Path] = []
    definitions: list[AgentDefinitions] = []
    errors = 0
    window = (milliseconds(story.now - LOG_WINDOW), milliseconds(story.now))
    midnight = milliseconds(story.now.replace(hour=0, minute=0, second=0, microsecond=0))
    for server in admin.servers:
        home = folder / "servers" / server.name
        (home / "consul.d").mkdir(parents=True, exist_ok=True)
        requests = life.all.requests.get(server.name, [])
        access_logs += access_log.write(home, requests, window, midnight if server.rotated_log else None)
        proxies.append(_write(home / "nginx.conf", configuration.nginx(admin, server)))
        services = _write(home / "consul.d" / "services.json", configuration.consul_definitions(admin, server))
        definitions.append(AgentDefinitions(server.address, services))
        if admin.times_out:
            chance = dice(seed, admin.name, server.name, "errors")
            hung = [at for at in _hung_minutes(window[1]) if chance.random() < 0.6]
            error_logs.append(home / "error.log")
            errors += error_log.write(error_logs[-1], life.all.failures.get(server.name, []), hung, chance)
    answer = configuration.consul_answer(admin, dice(seed, admin.name, "consul"))
    authenticated = sum(session.principal is not None for session in keyspace.live)
    return StoreTruth(
        name=admin.name,
        lifetime_s=admin.lifetime_s,
        dump=dump,
        keys=keys,
        predicted_keys=_predicted(story, admin),
        live=len(keyspace.live),
        grace=len(keyspace.grace),
        authenticated=authenticated,
        anonymous=len(keyspace.live) - authenticated,
        minute_sets=keyspace.minute_sets,
        principal_sets=keyspace.principal_sets,
        from_probes=len(keyspace.live_ids & {one for made in life.probed.values() for one in made}),
        from_bot=len(keyspace.live_ids & life.crawled),
        access_logs=tuple(access_logs),
        nginx=tuple(proxies),
        error_logs=tuple(error_logs),
        errors=errors,
        consul_definitions=tuple(definitions),
        consul_answer=_write(folder / "consul" / f"health-{admin.name}.json", answer),
    )


def _targets(story: Story, admin: Admin, life: Life, live_ids: set[str]) -> Iterator[TargetTruth]:
    if story.prober is None:
        return
    for server, target in ports(admin):
        yield TargetTruth(
            store=admin.name,
            server=server.name,
            address=server.address,
            port=target.port,
            creates=creates(story.prober, server, target, story.now),
            logged=target.port == PROXY_PORT,
            phase_ms=target.phase_ms,
            sessions=len(live_ids & life.probed[server.name, target.port]),
        )


def _predicted(story: Story, admin: Admin) -> int | None:
    """Keys at the balance of births and expiries: two a session, and a set for every minute of a lifetime."""
    if admin.lifetime_s == FOREVER_S or story.prober is None:
        return None
    asking = sum(creates(story.prober, server, target, story.now) for server, target in ports(admin))
    sessions = asking * admin.lifetime_s // story.prober.interval_s
    return 2 * sessions + (admin.lifetime_s // 60 if asking else 0)


def _hung_minutes(end_ms: int) -> Iterator[int]:
    """Yield when the task that runs at every full minute gives up waiting for Redis, while it hangs."""
    for low, high in TIMEOUT_BURSTS:
        first = end_ms + round(low * _HOUR_MS)
        for minute in range(first - first % _MINUTE_MS, end_ms + round(high * _HOUR_MS), _MINUTE_MS):
            yield minute + _TASK_TIMEOUT_MS + 9


def _monitoring(folder: Path, story: Story) -> tuple[Path | None, Path | None]:
    if story.prober is None or story.prober.kind != "blackbox":
        return None, None
    (folder / "prometheus").mkdir(exist_ok=True)
    return (
        _write(folder / "prometheus" / "prometheus.yml", configuration.prometheus(story.prober)),
        _write(folder / "prometheus" / "blackbox.yml", configuration.BLACKBOX),
    )


def _write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


def _silence(message: str) -> None:
    """Say nothing."""
