"""Which key of a JSON log means what: by name first, by the shape of its values second.

Names are compared without case and punctuation: ``@timestamp``, ``request.headers.User-Agent`` and ``http_user_agent``
are ``timestamp``, ``requestheadersuseragent`` and ``httpuseragent``. A name is only believed when its values have the
shape that the meaning asks for, so that a ``time`` which is a duration is passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, TypeAlias

from necropsy.evidence.access_log.formats import cookies, timestamps

Path: TypeAlias = tuple[str | int, ...]
"""Way to a value inside an object: keys and positions."""

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    # Where there are several, the start of the request and the finer clock are better.
    "time": (
        "startutc", "starttime", "requeststarttime", "msec", "timestamp", "timeiso8601", "iso8601", "time", "ts", "datetime",
        "timelocal", "eventtime", "logtime", "startlocal", "date", "t",
    ),
    "client": (
        "httpxforwardedfor", "xforwardedfor", "forwardedfor", "requestheadersxforwardedfor", "httpxrealip", "xrealip",
        "realip", "clientip", "clientaddr", "clientaddress", "remoteaddr", "remoteip", "requestclientip", "requestremoteip",
        "remotehost", "remoteaddress", "clienthost", "downstreamremoteaddress", "sourceip", "srcip", "ip", "client", "remote",
        "requestremoteaddr",
    ),
    "request": ("request", "requestline", "httprequest", "firstline", "req"),
    "method": ("requestmethod", "httpmethod", "httprequestmethod", "method", "verb", "reqmethod"),
    "target": (
        "requesturi", "requesttarget", "uri", "requestpath", "xenvoyoriginalpath", "urlpath", "urloriginal", "url", "path",
        "target", "reqpath",
    ),
    "host": (
        "httphost", "requesthost", "requestheadershost", "authority", "vhost", "virtualhost", "host", "servername", "urldomain",
        "domain", "requestaddr",
    ),
    "status": (
        "status", "statuscode", "responsestatus", "httpstatus", "httpstatuscode", "responsecode", "downstreamstatus",
        "httpresponsestatuscode", "responsestatuscode", "originstatus", "rescode", "code",
    ),
    "agent": ("httpuseragent", "useragent", "requestheadersuseragent", "requestuseragent", "useragentoriginal", "agent", "ua"),
    "referer": (
        "httpreferer", "httpreferrer", "referer", "referrer", "requestheadersreferer", "requestreferer", "httprequestreferrer",
        "requestheadersreferrer",
    ),
    "duration": ("requesttime", "duration"),
    "body": (
        "bodybytessent", "responsebodybytes", "responsebodysize", "downstreamcontentsize", "bytessent", "sentbytes", "size",
        "bytes",
    ),
}  # fmt: skip

_ADDRESS: Final = re.compile(
    r"-?|unix:|\[?[0-9a-fA-F:.]{2,45}\]?(:\d{1,5})?|[0-9a-fA-F:.]{2,45}(, ?[0-9a-fA-F:.]{2,45})+"
)
_REQUEST: Final = re.compile(r"[A-Z]{3,20} \S.*")
_METHOD: Final = re.compile(r"[A-Z]{3,20}")
_TARGET: Final = re.compile(r"(/|[a-z]+://)\S*")
_STATUS: Final = re.compile(r"[1-9]\d\d")
_AGENT: Final = re.compile(r".*[A-Za-z-]+/\d.*|.*(Mozilla|[Bb]ot|Check|curl).*")
_SECONDS: Final = re.compile(r"\d{1,6}\.\d+")
_BYTES: Final = re.compile(r"\d+|-")


def _anything(_: str) -> bool:
    return True


_SHAPES: Final[Mapping[str, Callable[[str], object]]] = {
    "time": lambda value: timestamps.recognise([value]),
    "client": _ADDRESS.fullmatch,
    "request": _REQUEST.fullmatch,
    "method": _METHOD.fullmatch,
    "target": _TARGET.fullmatch,
    "host": _anything,
    "status": _STATUS.fullmatch,
    "agent": _anything,
    "referer": _anything,
    "duration": _SECONDS.fullmatch,
    "body": _BYTES.fullmatch,
}

_BY_SHAPE: Final = ("time", "request", "status", "client", "agent")
"""Fields that are unmistakable by their values, in the order in which they are claimed."""

_MANY: Final = ("client", "host")
"""Fields of which several may be given: the first that is filled counts."""


def resolve(samples: Sequence[object]) -> dict[str, list[Path]]:
    """Resolve which path of the sample objects carries which field, best first.

    >>> resolve([{"@timestamp": "2019-05-24T18:41:32Z", "request": "GET / HTTP/1.1", "status": "302"}])
    {'time': [('@timestamp',)], 'request': [('request',)], 'status': [('status',)]}
    """
    values = _flatten(samples)
    by_name: dict[str, list[Path]] = {}
    for path in values:
        for name in _normalised(path):
            by_name.setdefault(name, []).append(path)
    found: dict[str, list[Path]] = {}
    taken: set[Path] = set()
    for field, names in _NAMES.items():
        paths = list(dict.fromkeys(path for name in names for path in by_name.get(name, ()) if path not in taken))
        paths = [path for path in paths if _has_shape(field, values[path])]
        if paths:
            found[field] = paths if field in _MANY else paths[:1]
            taken.update(found[field])
    for field in _BY_SHAPE:
        if field in found or (field == "request" and "target" in found):
            continue
        shape = _AGENT.fullmatch if field == "agent" else _SHAPES[field]
        for path, some in values.items():
            filled = [value for value in some if value not in {"", "-"}]
            if path not in taken and filled and all(shape(value) for value in filled):
                found[field] = [path]
                taken.add(path)
                break
    return found | _cookies(path for path in values if path not in taken)


def _cookies(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Return which paths tell of cookies, the first of each kind."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        told = next(filter(None, map(cookies.field_of_key, _normalised(path))), None)
        if told is not None:
            found.setdefault(told, [path])
    return found


def _has_shape(field: str, values: Iterable[str]) -> bool:
    """Whether most of the filled values have the shape of the field; a key that is always empty is believed."""
    filled = [value for value in values if value not in {"", "-"}]
    return sum(1 for value in filled if _SHAPES[field](value)) * 2 >= len(filled)


def _normalised(path: Path) -> Iterable[str]:
    """Yield the names of a path: whole, then by its end (``request.headers.Host[0]``: ``host`` too)."""
    keys = [re.sub(r"[^a-z0-9]", "", part.lower()) for part in path if isinstance(part, str)]
    for start in range(len(keys)):
        yield "".join(keys[start:])


def _flatten(samples: Sequence[object]) -> dict[Path, list[str]]:
    """Collect the scalar values of all samples by path, in the order of first appearance; four levels deep."""
    values: dict[Path, list[str]] = {}

    def walk(value: object, path: Path) -> None:
        if isinstance(value, dict) and len(path) < 4:
            for key, inner in value.items():
                walk(inner, (*path, key))
        elif isinstance(value, list) and value and path:
            walk(value[0], (*path, 0))
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            values.setdefault(path, []).append(str(value))

    for sample in samples:
        if isinstance(sample, dict):
            walk(sample, ())
    return values


def spelled(path: Path) -> str:
    """Spell a path for people.

    >>> spelled(("request", "headers", "User-Agent", 0))
    'request.headers.User-Agent[0]'
    """
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")
