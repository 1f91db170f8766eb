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
from dataclasses import dataclass
from typing import Any, Final

from necropsy._internal.sql_quoting import identifier, literal
from necropsy.evidence.access_log.formats import cookies, json_keys, line_flags, timestamps
from necropsy.evidence.access_log.formats.addresses import need_tidying, tidied
from necropsy.evidence.access_log.formats.json_keys import Path
from necropsy.evidence.access_log.formats.layout import Layout, first_given
from necropsy.evidence.access_log.formats.plan import Plan, for_objects

_SPOKEN: Final = {"time": "time", "client": "client", "host": "host", "request": "request", "method": "method",
                  "target": "target", "status": "status", "agent": "user agent", "referer": "referer",
                  "cookie": "cookie", "own_cookie": "cookie", "set_cookie": "set-cookie",
                  "own_set_cookie": "set-cookie"}  # fmt: skip


_MANY: Final[tuple[str, ...]] = ("client", "host")
_MACHINE: Final = ("host",)
_SIMPLE: Final = {"status": "TRY_CAST({} AS SMALLINT)", "agent": "{}", "referer": "split_part({}, '?', 1)"}
_ABSOLUTE: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^/?#]+")


def recognise(lines: Sequence[str], named: Mapping[str, str] | None = None) -> Layout | None:
    """Recognise JSON lines by the first ones; None when they are none, or hold no requests.

    Parameters
    ----------
    named
        Field to the key that holds it, as the user said it.

    >>> layout = recognise(['{"ts":1558723292.5,"request":{"method":"GET","uri":"/","host":"a"},"status":200}'])
    >>> layout.note
    'JSON: time=ts, method=request.method, target=request.uri, host=request.host, status=status'
    """
    samples = [value for value in map(_parse, lines) if isinstance(value, dict)]
    if not samples:
        return None
    return layout(json_keys.resolve(samples, named), samples, "JSON")


def layout(
    found: Mapping[str, Sequence[Path]],
    samples: Sequence[Mapping[str, Any]],
    name: str,
    prefix: str = "JSON: ",
    *,
    of_line: Callable[[str], str] | None = None,
) -> Layout | None:
    """Make the layout for resolved keys; None when there is no time, or neither request nor target.

    Parameters
    ----------
    of_line
        Expression for a key's value in a line of text; None: lines are objects.
    """
    if "time" not in found or not ({"request", "target"} & found.keys()):
        return None
    form = timestamps.recognise(value for sample in samples if (value := _at(sample, found["time"][0])) is not None)
    if form is None:
        return None
    # A nested one would cost the short way, where nothing else is nested.
    found = {field: paths for field, paths in found.items() if field != "body" or len(paths[0]) == 1}
    columns = _Columns(of_line)
    from_end = form.fine and "start" not in json_keys.spelled(found["time"][0])
    needed = {field: paths for field, paths in found.items() if field != "duration" or from_end}
    one = {field: columns.of(paths[0]) for field, paths in needed.items()}
    fields = {"stamp": form.expression(one["time"])}
    if "duration" in one:
        # A log line is written when the request ends; its start is what a prober's clock knows.
        fields["stamp"] = timestamps.earlier_by(fields["stamp"], one["duration"])
    absolute = "target" in one and any(_ABSOLUTE.match(_at(sample, found["target"][0]) or "") for sample in samples)
    fields["request"] = _request(one, absolute=absolute)
    sources = {field: _filled(found[field], samples) for field in _MANY if field in found}
    if absolute and sources.get("host") == [_MACHINE]:
        del sources["host"]  # a whole URL names the host that was asked; what ships the log calls its machine so
    form_of_clients = _Clients.of(sources.get("client", ()), samples)
    if "client" in sources:
        fields["client"] = client_expression(
            [columns.of(path) for path in sources["client"]], lists=form_of_clients.lists, ports=form_of_clients.untidy
        )
    if "host" in sources:
        fields["host"] = first_given([columns.of(path) for path in sources["host"]])
    elif absolute:
        fields["host"] = f"regexp_extract({one['target']}, '^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]+)', 1)"
    fields |= {field: form.format(one[field]) for field, form in _SIMPLE.items() if field in one}
    fields |= line_flags.expressions(
        {field: columns.of(_whole(found[field][0])) for field in line_flags.FIELDS if field in found}
    )
    said = [f"{_SPOKEN[field]}={json_keys.spelled(paths[0])}" for field, paths in found.items() if field in _SPOKEN]
    if absolute and "host" not in sources:
        said.append(f"host={json_keys.spelled(found['target'][0])}")
    zone = "" if form.zoned else "; no zone in its times: read as UTC"
    note = prefix + ", ".join(said) + zone + json_keys.missing(found, samples)
    starts = "duration" in one
    if of_line is not None:
        return Layout(name, note, "lines", fields, {}, columns.filled, form.fine, starts)
    short = not (form_of_clients.untidy or absolute or set(cookies.FIELDS) & found.keys())
    plan = _plan(form, needed, sources, lists=form_of_clients.lists) if short else None
    return Layout(name, note, "json", fields, columns.types, columns.filled, form.fine, starts, plan=plan)


class _Columns:
    """The columns that a layout needs, and the expressions for values in them."""

    def __init__(self, of_line: Callable[[str], str] | None) -> None:
        self.types: dict[str, str] = {}
        self._of_line = of_line

    def of(self, path: Path) -> str:
        """Return the expression for the value at a path."""
        top, rest = str(path[0]), path[1:]
        self.types[top] = "JSON" if rest or self.types.get(top) == "JSON" else "VARCHAR"
        if self._of_line is not None:
            return self._of_line(top)
        return f"json_extract_string({identifier(top)}, {literal(_pointer(rest))})" if rest else identifier(top)

    @property
    def filled(self) -> str:
        """Condition that a line meets when any of the values is there."""
        if self._of_line is not None:
            return " OR ".join(f"{self._of_line(key)} <> ''" for key in self.types)
        return " OR ".join(f"{identifier(key)} IS NOT NULL" for key in self.types)


@dataclass(frozen=True, slots=True)
class _Clients:
    """How the samples write their clients."""

    lists: bool
    untidy: bool
    """Whether with ports, or as IPv4 addresses mapped into IPv6."""

    @classmethod
    def of(cls, paths: Sequence[Path], samples: Sequence[Mapping[str, Any]]) -> _Clients:
        """Look at the samples. A form that they never show costs nothing."""
        some = [value for path in paths for sample in samples if (value := _at(sample, path))]
        # Forwarded addresses are lists whether they show it or not.
        lists = any("," in value for value in some) or len(paths) > 1
        return cls(lists, need_tidying(value.strip() for values in some for value in values.split(",")))


def _whole(path: Path) -> Path:
    """Return the way to all values of a header, where the samples showed the first: ``headers.Cookie[0]``."""
    return path[:-1] if isinstance(path[-1], int) else path


def _request(one: Mapping[str, str], *, absolute: bool) -> str:
    """Return the expression for what was asked: method and target without its query, and of a whole URL the path."""
    if "request" in one:
        return f"split_part({one['request']}, '?', 1)"
    target = f"split_part({one['target']}, '?', 1)"
    if absolute:
        path = f"regexp_replace({target}, '^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]+', '')"
        target = f"CASE WHEN {path} = '' AND {target} <> '' THEN '/' ELSE {path} END"
    return f"coalesce({one.get('method', literal('GET'))}, '-') || ' ' || {target}"


def _filled(paths: Sequence[Path], samples: Sequence[Mapping[str, Any]]) -> list[Path]:
    """Return those of several sources that any sample fills; the best one if none is."""
    given = [path for path in paths if any(_at(sample, path) not in {None, "", "-"} for sample in samples)]
    return given or list(paths[:1])


def _plan(
    form: timestamps.TimeForm,
    needed: Mapping[str, Sequence[Path]],
    sources: Mapping[str, Sequence[Path]],
    *,
    lists: bool,
) -> Plan | None:
    """Plan how plain lines are read; None where a wanted value is nested."""
    singles = {field: paths[0] for field, paths in needed.items() if field not in sources}
    client, host = (sources.get(field, ()) for field in ("client", "host"))
    if any(len(path) > 1 for path in (*singles.values(), *client, *host)):
        return None
    one = {field: str(path[0]) for field, path in singles.items()}
    return for_objects(form, one, [str(path[0]) for path in client], [str(path[0]) for path in host], lists=lists)


def client_expression(candidates: Sequence[str], *, lists: bool, ports: bool = False) -> str:
    """Return the expression for the client: the first address that is given.

    Parameters
    ----------
    lists
        Whether values may be lists (X-Forwarded-For), of which the first is the client.
    ports
        Whether values may carry a port, or be IPv4 addresses mapped into IPv6; neither is part of the client's name.

    >>> client_expression(["a"], lists=True)
    "trim(split_part(a, ',', 1))"
    """
    address = first_given(candidates)
    if lists:
        address = f"trim(split_part({address}, ',', 1))"
    if ports:
        address = tidied(address)
    return address


def _parse(line: str) -> object:
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


def _pointer(path: Path) -> str:
    """Return DuckDB's JSON path.

    >>> _pointer(("headers", "User-Agent", 0))
    '$."headers"."User-Agent"[0]'
    """
    return "$" + "".join(
        f"[{part}]" if isinstance(part, int) else '."' + part.replace('"', '\\"') + '"' for part in path
    )
