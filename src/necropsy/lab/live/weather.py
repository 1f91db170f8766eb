"""The weather between the clients of a store and its servers: late answers, lost packets, a failover to its replica.

With ``lab up --weather`` each store is two servers, a primary and its replica, behind one address (``actors.network``), as a
managed Redis has it: the address stays, and after a failover the former replica answers there.
"""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Final

from necropsy.lab.live.actors.network import Weather, read
from necropsy.lab.live.plan import LabPlan, ListeningAddress, LiveApplication
from necropsy.lab.live.supervisor import Supervisor
from necropsy.lab.live.twin.connection import StoreRefusal, TimedOut, TwinConnection
from necropsy.model.errors import NecropsyError

DELAY_S: Final = 0.3
LASTS_S: Final = 15.0
SERVERS: Final = ("first", "second")
_ANSWER_S: Final = 10.0
_READY_S: Final = 180.0


def kept(plan: LabPlan, admin: LiveApplication) -> Path:
    """File that says how the network of a store is."""
    return plan.folder / "network" / f"{admin.name}.json"


def server(plan: LabPlan, admin: LiveApplication, which: str) -> ListeningAddress:
    """Address of one of the two servers of a store."""
    return plan.at(f"{admin.name}/{which}")


def process(admin: LiveApplication, which: str) -> str:
    """Name of its process."""
    return f"redis-{admin.name}-{which}"


def write(plan: LabPlan, admin: LiveApplication, weather: Weather) -> None:
    """Say how the network is from now on."""
    path = kept(plan, admin)
    path.parent.mkdir(parents=True, exist_ok=True)
    passing = path.with_suffix(".new")
    passing.write_text(json.dumps(asdict(weather)) + "\n", encoding="utf-8")
    passing.replace(path)


def primary(plan: LabPlan, admin: LiveApplication) -> str:
    """The server of the two that has the address now."""
    to = read(kept(plan, admin)).to
    return next(which for which in SERVERS if str(server(plan, admin, which)) == to)


def late(plan: LabPlan, admin: LiveApplication) -> None:
    """Let each answer arrive 0.3 s later, for a quarter of a minute."""
    _for_a_while(plan, admin, delay_s=DELAY_S)


def silent(plan: LabPlan, admin: LiveApplication) -> None:
    """Lose every packet between the clients and the store, for a quarter of a minute; no connection ends."""
    _for_a_while(plan, admin, silent=True)


def _for_a_while(plan: LabPlan, admin: LiveApplication, *, delay_s: float = 0.0, silent: bool = False) -> None:
    to = _weather(plan, admin).to
    write(plan, admin, Weather(to, delay_s, silent))
    try:
        time.sleep(LASTS_S)
    finally:
        write(plan, admin, Weather(to))


def failover(plan: LabPlan, supervisor: Supervisor, admin: LiveApplication) -> str:
    """Kill the primary of a store, promote its replica and move the address to it; return which server died.

    Raises
    ------
    NecropsyError
        The replica does not answer, or has not taken the primary's data yet.
    """
    _weather(plan, admin)
    dies = primary(plan, admin)
    takes_over = next(which for which in SERVERS if which != dies)
    place = server(plan, admin, takes_over)
    _await(lambda: b"master_link_status:up" in _call(place, b"INFO", b"replication"), f"{admin.name} has no replica")
    supervisor.send(process(admin, dies), signal.SIGKILL)
    supervisor.stop(process(admin, dies))
    _call(place, b"REPLICAOF", b"NO", b"ONE")
    write(plan, admin, Weather(str(place)))
    return dies


def _weather(plan: LabPlan, admin: LiveApplication) -> Weather:
    try:
        return read(kept(plan, admin))
    except FileNotFoundError as error:
        raise NecropsyError(
            "the clients of this lab reach their stores directly: no network to disturb, no replica",
            hint="necropsy lab up --weather",
        ) from error


def _call(place: ListeningAddress, *words: bytes) -> bytes:
    try:
        connection = TwinConnection((place.host, place.port), _ANSWER_S)
        try:
            return bytes(connection.call(*words))
        finally:
            connection.close()
    except (TimedOut, StoreRefusal) as error:
        raise NecropsyError(f"{place} does not answer: {error}", hint="necropsy lab status shows what runs.") from error


def _await(holds: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + _READY_S
    while not holds():
        if time.monotonic() > deadline:
            raise NecropsyError(what, hint="necropsy lab status shows what runs.")
        time.sleep(0.1)
