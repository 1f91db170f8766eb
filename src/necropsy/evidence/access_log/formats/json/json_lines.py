"""JSON, an object a line, with any key names.

The layout of the real incident (nginx ``log_format`` by hand; all values text, the address empty)::

    {"@timestamp":"2019-05-24T18:41:34+00:00","remote_addr":"","host":"172.12.1.189:80","request":"GET / HTTP/1.1",
     "status": "302","request_time":"0.010","http_referrer":"","http_user_agent":"Go-http-client/1.1"}

Nested ones (Caddy, ECS) are read the same way: ``request.headers.User-Agent[0]``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from necropsy.evidence.access_log.formats.fields import cookies, timestamps
from necropsy.evidence.access_log.formats.fields.addresses import need_tidying
from necropsy.evidence.access_log.formats.json import json_keys
from necropsy.evidence.access_log.formats.layout import LineLayout, Lines
from necropsy.evidence.access_log.formats.values import Objects, Path

_SPOKEN: Final = {"time": "time", "client": "client", "host": "host", "request": "request", "method": "method",
                  "target": "target", "status": "status", "agent": "user agent", "referer": "referer",
                  "cookie": "cookie", "own_cookie": "cookie", "set_cookie": "set-cookie",
                  "own_set_cookie": "set-cookie"}  # fmt: skip


_MANY: Final[tuple[str, ...]] = ("client", "host")
_MACHINE: Final = ("host",)
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]+")


def recognise(lines: Sequence[str], named: Mapping[str, str] | None = None) -> LineLayout | None:
    """Recognise JSON lines by the first ones; None when they are none, or hold no requests.

    Parameters
    ----------
    named
        Field to the key that holds it, as the user said it.

    >>> layout = recognise(['{"ts":1558723292.5,"request":{"method":"GET","uri":"/","host":"a"},"status":200}'])
    >>> layout.note
    'JSON: time=ts, method=request.method, target=request.uri, host=request.host, status=status'
    """
    samples = [value for value in map(parsed, lines) if isinstance(value, dict)]
    if not samples:
        return None
    return layout(json_keys.resolve(samples, named), samples, "JSON")


def layout(
    found: Mapping[str, Sequence[Path]],
    samples: Sequence[Mapping[str, Any]],
    name: str,
    prefix: str = "JSON: ",
    *,
    of_text: Callable[[Mapping[str, Path]], Lines] = Objects,
) -> LineLayout | None:
    """Make the layout for resolved keys; None when there is no time, or neither request nor target.

    Parameters
    ----------
    of_text
        Makes what takes values by their ways out of lines; by default, lines are objects.
    """
    if "time" not in found or not ({"request", "target"} & found.keys()):
        return None
    form = timestamps.recognise(value for sample in samples if (value := _at(sample, found["time"][0])) is not None)
    if form is None:
        return None
    absolute = "target" in found and any(_ABSOLUTE.match(_at(sample, found["target"][0]) or "") for sample in samples)
    said = [f"{_SPOKEN[field]}={json_keys.spelled(paths[0])}" for field, paths in found.items() if field in _SPOKEN]
    chosen = {field: _filled(paths, samples) if field in _MANY else paths[:1] for field, paths in found.items()}
    if absolute and chosen.get("host") == [_MACHINE]:
        del chosen["host"]  # a whole URL names the host that was asked; what ships the log calls its machine so
    if absolute and "host" not in chosen:
        said.append(f"host={json_keys.spelled(found['target'][0])}")
    if not form.fine or "start" in json_keys.spelled(found["time"][0]):
        # A log line is written when the request ends; its start is what a prober's clock knows.
        chosen.pop("duration", None)
    if len(chosen.get("body", [()])[0]) > 1:
        del chosen["body"]
    if "request" in chosen:
        needless = (
            {"method"} if absolute and "host" not in chosen else {"method", "target"}
        )  # a whole URL names the host
        chosen = {field: paths for field, paths in chosen.items() if field not in needless}
    fields, ways = _named(chosen)
    zone = "" if form.zoned else "; times without a zone, read as UTC"
    note = prefix + ", ".join(said) + zone + json_keys.missing(found, samples)
    clients = [value for path in chosen.get("client", ()) for sample in samples if (value := _at(sample, path))]
    # Forwarded addresses are lists whether the samples show it or not; a form that they never show costs nothing.
    lists = any("," in value for value in clients) or len(chosen.get("client", ())) > 1
    untidy = need_tidying(value.strip() for values in clients for value in values.split(","))
    return LineLayout(name, note, of_text(ways), fields, form, "duration" in fields, lists, untidy, absolute)


def _named(chosen: Mapping[str, Sequence[Path]]) -> tuple[dict[str, tuple[str, ...]], dict[str, Path]]:
    """Give each value a name; of headers of cookies, where the samples showed the first one, all are wanted."""
    fields: dict[str, tuple[str, ...]] = {}
    ways: dict[str, Path] = {}
    tops: dict[str, object] = {}
    for field, paths in chosen.items():
        some = [path[:-1] if field in cookies.FIELDS and isinstance(path[-1], int) else path for path in paths]
        # DuckDB knows no two columns whose names differ in their case alone: the first is the better one.
        some = [path for path in some if tops.setdefault(str(path[0]).lower(), path[0]) == path[0]]
        names = [f"{field}_{number}" for number in range(len(some))]
        ways |= dict(zip(names, some, strict=True))
        if names:
            fields[field] = tuple(names)
    return fields, ways


def _filled(paths: Sequence[Path], samples: Sequence[Mapping[str, Any]]) -> list[Path]:
    """Return those of several sources that any sample fills; the best one if none is."""
    given = [path for path in paths if any(_at(sample, path) not in {None, "", "-"} for sample in samples)]
    return given or list(paths[:1])


def parsed(line: str) -> object:
    """Return what a line of JSON holds; None where it is none."""
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _at(sample: object, path: Path) -> str | None:
    for part in path:
        if isinstance(part, int):
            sample = sample[part] if isinstance(sample, list) and len(sample) > part else None
        else:
            sample = sample.get(part) if isinstance(sample, dict) else None
    return None if sample is None else str(sample)
