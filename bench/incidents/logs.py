"""Access logs as nginx writes them: formats, resolutions, cookies, rotation, sampling, clocks and time zones."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from incidents.chance import Chance
from incidents.scene import Request, Scene

COMBINED = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)

FORMATS = {
    "combined": COMBINED,
    "main": COMBINED + " rt=$request_time host=$host",
    "vhost": "$host " + COMBINED,
    "timed": '$msec $request_time $remote_addr $http_host "$request" $status $body_bytes_sent "$http_user_agent"',
    "cookies": COMBINED + ' $request_time "$http_cookie" "$sent_http_set_cookie"',
    "json": '{"@timestamp":"$time_iso8601","remote_addr":"$remote_addr","host":"$http_host","request":"$request",'
            '"status": "$status","body_bytes_sent":"$body_bytes_sent","request_time":"$request_time",'
            '"http_referrer":"$http_referer","http_user_agent":"$http_user_agent"}',
    "json-msec": '{"msec":"$msec","remote_addr":"$remote_addr","host":"$host","request":"$request","status":"$status",'
                 '"request_time":"$request_time","http_user_agent":"$http_user_agent"}',
    "json-cookies": '{"time":"$time_iso8601","msec":"$msec","remote_addr":"$remote_addr","host":"$host",'
                    '"request":"$request","status":"$status","request_time":"$request_time",'
                    '"http_user_agent":"$http_user_agent","http_cookie":"$http_cookie",'
                    '"sent_http_set_cookie":"$sent_http_set_cookie"}',
}  # fmt: skip
"""``log_format`` strings by name."""

NAMES_HOST = frozenset(FORMATS) - {"combined", "cookies"}
MILLISECONDS = frozenset({"timed", "json-msec", "json-cookies"})
COOKIES = frozenset({"cookies", "json-cookies"})


@dataclass(frozen=True, slots=True)
class Style:
    """How the logs of one incident are written."""

    format: str
    start_ms: float
    """First moment that the logs cover."""
    end_ms: float
    offset_ms: float = 0.0
    """What the log's clock is ahead of the store's."""
    zone_minutes: int = 0
    rotations: tuple[float, ...] = ()
    """Moments at which it was rotated."""
    compressed: bool = True
    sample: float = 1.0
    """Share of the lines that were kept."""
    dated: bool = False
    """Rotated files are named by day, not by number."""
    cookie: str = "SESSION"

    @property
    def milliseconds(self) -> bool:
        return self.format in MILLISECONDS


@dataclass(slots=True)
class Written:
    """The files of one server, oldest first, and how many lines each actor has in them."""

    files: list[Path]
    lines: dict[str, int] = field(default_factory=dict)
    visits: dict[str, int] = field(default_factory=dict)
    clients: dict[tuple[str, str], int] = field(default_factory=dict)
    """Lines by user agent and address."""


def write(scene: Scene, style: Style, folder: Path) -> Written:
    """Write each server's log; a line holds the end of its request, and is written then."""
    chance = scene.chance.fork("log")
    written = Written([])
    by_server: dict[str, list[Request]] = {server: [] for server in scene.servers}
    for request in scene.requests:
        if style.start_ms < request.ended_ms <= min(style.end_ms, scene.now_ms):
            by_server[request.server].append(request)
    for server, requests in by_server.items():
        requests.sort(key=lambda one: (one.ended_ms, one.path))
        kept = requests if style.sample >= 1 else [one for one in requests if chance.happens(style.sample)]
        for one in kept:
            written.lines[one.actor] = written.lines.get(one.actor, 0) + 1
            client = (one.agent, one.address)
            written.clients[client] = written.clients.get(client, 0) + 1
        edges = [style.start_ms, *sorted(style.rotations), float(scene.now_ms) + 1]
        place = folder / server if len(by_server) > 1 else folder
        place.mkdir(parents=True, exist_ok=True)
        for number, (low, high) in enumerate(pairwise(edges)):
            age = len(edges) - 2 - number
            part = [one for one in kept if low < one.ended_ms <= high or (age == 0 and one.ended_ms > high)]
            text = "".join(line(one, style) for one in part).encode("utf-8", "surrogateescape")
            written.files.append(_save(place, text, age, style, high))
    return written


def _save(folder: Path, text: bytes, age: int, style: Style, rotated: float) -> Path:
    name = "access.log"
    if age:
        day = datetime.fromtimestamp(rotated / 1000, UTC)
        name += f"-{day:%Y%m%d}" + (f"-{day:%H%M}" if len(style.rotations) > 1 else "") if style.dated else f".{age}"
    if age and style.compressed:
        path = folder / f"{name}.gz"
        path.write_bytes(gzip.compress(text, 1, mtime=0))
    else:
        path = folder / name
        path.write_bytes(text)
    return path


def line(request: Request, style: Style) -> str:
    """One line with its end."""
    ended = request.ended_ms + style.offset_ms
    seconds = int(ended // 1000)
    took = f"{request.took_ms / 1000:.3f}"
    ask = f"{request.method} {request.path} HTTP/1.1"
    match style.format:
        case "timed":
            agent = request.agent or "-"
            return f'{ended / 1000:.3f} {took} {request.address} {request.host} "{ask}" {request.status} {request.size} "{agent}"\n'
        case "json":
            return (
                f'{{"@timestamp":"{_iso(seconds, style.zone_minutes)}","remote_addr":"{request.address}","host":"{request.host}",'
                f'"request":"{ask}","status": "{request.status}","body_bytes_sent":"{request.size}","request_time":"{took}",'
                f'"http_referrer":"{request.referrer}","http_user_agent":"{request.agent}"}}\n'
            )
        case "json-msec":
            return (
                f'{{"msec":"{ended / 1000:.3f}","remote_addr":"{request.address}","host":"{request.host.partition(":")[0]}",'
                f'"request":"{ask}","status":"{request.status}","request_time":"{took}","http_user_agent":"{request.agent}"}}\n'
            )
        case "json-cookies":
            brought, given = _cookies(request, style, "")
            return (
                f'{{"time":"{_iso(seconds, style.zone_minutes)}","msec":"{ended / 1000:.3f}","remote_addr":"{request.address}",'
                f'"host":"{request.host.partition(":")[0]}","request":"{ask}","status":"{request.status}","request_time":"{took}",'
                f'"http_user_agent":"{request.agent}","http_cookie":"{brought}","sent_http_set_cookie":"{given}"}}\n'
            )
    text = (
        f'{request.address} - - [{_local(seconds, style.zone_minutes)}] "{ask}" {request.status} {request.size} '
        f'"{request.referrer or "-"}" "{request.agent or "-"}"'
    )
    host = request.host.partition(":")[0]
    if style.format == "main":
        text += f" rt={took} host={host}"
    elif style.format == "vhost":
        text = f"{host} {text}"
    elif style.format == "cookies":
        brought, given = _cookies(request, style, "-")
        text += f' {took} "{brought}" "{given}"'
    return text + "\n"


def _cookies(request: Request, style: Style, none: str) -> tuple[str, str]:
    value = f"{int(request.ended_ms) * 2_654_435_761 % (1 << 64):016x}"
    brought = f"{style.cookie}={value}" if request.brought_cookie else none
    return brought, f"{style.cookie}={value}; Path=/; HttpOnly" if request.was_given_cookie else none


@lru_cache(maxsize=64)
def _iso(seconds: int, minutes: int) -> str:
    return datetime.fromtimestamp(seconds, timezone(timedelta(minutes=minutes))).isoformat()


@lru_cache(maxsize=64)
def _local(seconds: int, minutes: int) -> str:
    return datetime.fromtimestamp(seconds, timezone(timedelta(minutes=minutes))).strftime("%d/%b/%Y:%H:%M:%S %z")


def covered(style: Style, times: Iterable[float]) -> int:
    """How many of these moments the logs cover."""
    return sum(style.start_ms < at <= style.end_ms for at in times)


def draw(
    scene: Scene, chance: Chance, *, formats: tuple[str, ...] = (), cover: tuple[float, float] = (0.25, 1.3)
) -> Style:
    """A style at random: everything here should not matter."""
    now = float(scene.now_ms)
    name = chance.pick(formats) if formats else chance.weighted(
        {"combined": 5, "main": 3, "vhost": 1, "timed": 2, "cookies": 1, "json": 3, "json-msec": 2, "json-cookies": 2}
    )  # fmt: skip
    span = scene.history_ms * chance.log_between(*cover)
    end = now - (0 if chance.happens(0.7) else scene.history_ms * chance.between(0.0, 0.03))
    start = end - span
    offset = chance.weighted({0.0: 60, chance.between(-40, 40): 28, chance.between(-4_000, 4_000): 12})
    cuts = chance.weighted({0: 5, 1: 3, 2: 2})
    return Style(
        format=name, start_ms=start, end_ms=end,
        offset_ms=offset if scene.log_offset_ms is None else scene.log_offset_ms, sample=scene.log_sample,
        zone_minutes=chance.weighted({0: 6, 120: 2, -300: 1, 330: 1}),
        rotations=tuple(sorted(start + span * chance.between(0.1, 0.9) for _ in range(cuts))),
        compressed=chance.happens(0.6),
        dated=chance.happens(0.4),
        cookie=chance.pick(("SESSION", "JSESSIONID", "connect.sid", "sessionid", "session")),
    )  # fmt: skip


def moved(style: Style, start_ms: float) -> Style:
    """The same style, beginning earlier."""
    return replace(style, start_ms=start_ms)
