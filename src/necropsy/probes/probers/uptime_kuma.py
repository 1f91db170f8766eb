"""Uptime Kuma: the monitors of a backup (JSON, "Settings / Backup / Export").

Sample::

    {"version": "1.23.0", "monitorList": [
        {"name": "admin", "type": "http", "url": "https://admin.example.com/", "interval": 60, "active": true}]}
"""

from __future__ import annotations

from typing import Final

from necropsy.probes.probers.interface import Prober, ProberReading, Schedule, add, harmless_probe, http_probe
from necropsy.probes.syntax.document import parse_json
from necropsy.probes.syntax.node import Node

_DEFAULT_INTERVAL_S: Final = 60.0
_HTTP: Final = ("http", "keyword", "json-query")
_BROWSER: Final = "real-browser"
_IDLE: Final = ("push", "group", "manual")
"""Monitors that ask nobody."""


def read(text: str, file: str) -> ProberReading:
    """Read a backup. Monitors that are paused are left out."""
    found = ProberReading()
    for monitor in parse_json(text, file).get("monitorList") or ():
        if _text(monitor, "active").lower() not in ("false", "0") and _text(monitor, "type") not in _IDLE:
            _monitor(monitor, found)
    return found


def _text(monitor: Node, name: str) -> str:
    node = monitor.get(name)
    return node.text() if node is not None else ""


def _monitor(monitor: Node, found: ProberReading) -> None:
    name, kind = _text(monitor, "name"), _text(monitor, "type")
    prober = f"uptime-kuma/{name}"
    try:
        schedule = Schedule(float(_text(monitor, "interval")) or _DEFAULT_INTERVAL_S)
    except ValueError:
        schedule = Schedule(_DEFAULT_INTERVAL_S)
    key = "url" if kind in (*_HTTP, _BROWSER) else "hostname"
    origin = (monitor.key(key) or monitor).origin(f"checks {name}")
    if kind not in (*_HTTP, _BROWSER):
        where = ":".join(part for part in (_text(monitor, "hostname"), _text(monitor, "port")) if part)
        because = f"its {kind} monitors send no HTTP request"
        found.probes.append(
            harmless_probe(prober, f"uptime-kuma-{kind}", where, schedule, (origin,), because, instance=name)
        )
        return
    probe = http_probe(
        prober,
        "uptime-kuma-http",
        _text(monitor, "url"),
        schedule,
        (origin,),
        method=_text(monitor, "method") or "GET",
        # A real browser says what browsers say, and keeps its cookies for one visit.
        user_agents=() if kind == _BROWSER else ("Uptime-Kuma/",),
        follows_redirects=_text(monitor, "maxredirects") != "0",
        instance=name,
    )
    add(found, probe, origin)


PROBER: Final = Prober("uptime_kuma", "Uptime Kuma", read)
