"""Mapping of the keys of a JSON log to fields: first as the user says, then by name, hardly ever by shape.

Names are compared without case and punctuation: ``@timestamp``, ``request.headers.User-Agent`` and ``http_user_agent``
are ``timestamp``, ``requestheadersuseragent`` and ``httpuseragent``. A name is only believed when its values have the
shape that the meaning asks for, so that a ``time`` which is a duration is passed over. Values alone never tell who a
client is, what its program is, or what it asked for: an address may be the server's, a request id looks like one. What
cannot be told stays empty, and is said.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from necropsy.evidence.access_log.formats.fields import cookies, timestamps
from necropsy.evidence.access_log.formats.fields.addresses import is_address, is_client
from necropsy.evidence.access_log.formats.json.json_names import HOLDERS, HOST_IS_CLIENT, NAMES, STRANGERS
from necropsy.evidence.access_log.formats.values import Path

_REQUEST: Final = re.compile(r"[A-Z]{3,20} \S.*")
_METHOD: Final = re.compile(r"[A-Z]{3,20}")
_TARGET: Final = re.compile(r"(/|[a-z]+://)\S*")
_LOG_FILE: Final = re.compile(r"/\S*\.log(\.\d+)?")
"""Finds the path of a log: shippers write under ``path`` which file a line comes from."""
_STATUS: Final = re.compile(r"[1-5]\d\d")
_SECONDS: Final = re.compile(r"\d{1,6}\.\d+")
_NUMBER: Final = re.compile(r"[\d.]+")
_BYTES: Final = re.compile(r"\d+|-")
_EPHEMERAL: Final = 1023
"""Ports of clients are above it."""


def _anything(_: str) -> bool:
    return True


_SHAPES: Final[Mapping[str, Callable[[str], object]]] = {
    "time": lambda value: timestamps.recognise([value]),
    "client": is_client,
    "request": _REQUEST.fullmatch,
    "method": _METHOD.fullmatch,
    "target": lambda value: _TARGET.fullmatch(value) and not _LOG_FILE.fullmatch(value),
    "host": _anything,
    "status": _STATUS.fullmatch,
    "agent": _anything,
    "referer": _anything,
    "duration": _SECONDS.fullmatch,
    "body": _BYTES.fullmatch,
}
_WEAK: Final = frozenset({"client", "remote", "peer", "addr"})
"""Names that may mean a program as well as an address: believed with addresses only."""
_LOGSTASH: Final = frozenset({"@version"})
"""Keys that only Logstash writes."""
_BY_SHAPE: Final = ("time", "request", "status")
"""Fields that are unmistakable by their values where only one key has such values."""
_MANY: Final = ("client", "host")
"""Fields of which several may be given: the first that is filled counts."""

FIELDS: Final = tuple(NAMES)
"""Fields that a key can be named for."""


def resolve(samples: Sequence[object], named: Mapping[str, str] | None = None) -> dict[str, list[Path]]:
    """Resolve which path of the sample objects carries which field, best first.

    Parameters
    ----------
    named
        Field to the spelling of its path (see ``spelled``), as the user said it: believed whatever the values are.

    >>> resolve([{"@timestamp": "2019-05-24T18:41:32Z", "request": "GET / HTTP/1.1", "status": "302"}])
    {'time': [('@timestamp',)], 'request': [('request',)], 'status': [('status',)]}
    >>> resolve([{"t": "2019-05-24T18:41:32Z", "q": "GET / HTTP/1.1", "from": "203.0.113.9"}], {"client": "from"})
    {'client': [('from',)], 'time': [('t',)], 'request': [('q',)]}
    """
    values = flatten(samples)
    spellings = {spelling: path for path in values for spelling in (spelled(path), spelled(path).removesuffix("[0]"))}
    found: dict[str, list[Path]] = {
        field: [spellings[spelling]] for field, spelling in (named or {}).items() if spelling in spellings
    }
    taken: set[Path] = {paths[0] for paths in found.values()}
    by_name: dict[str, list[Path]] = {}
    for path in values:
        for name in _names(path):
            by_name.setdefault(name, []).append(path)
    if _LOGSTASH & {str(key) for sample in samples if isinstance(sample, dict) for key in sample}:
        taken.add(("host",))  # the machine that ships the log
    if "client" not in found and (host := _client_as_host(samples, values)) is not None:
        found["client"] = [host]
        taken.add(host)
    for field, names in NAMES.items():
        if field in found:
            continue
        paths = list(
            dict.fromkeys(
                path
                for name in names
                for path in by_name.get(name, ())
                if path not in taken and _has_shape(field, name, values[path])
            )
        )
        if paths:
            found[field] = paths if field in _MANY else paths[:1]
            taken.update(found[field])
    _by_shape(values, found, taken)
    return found | _cookies(path for path in values if path not in taken)


def _by_shape(values: Mapping[Path, Sequence[str]], found: dict[str, list[Path]], taken: set[Path]) -> None:
    """Add the fields that one key alone has the values of."""
    for field in _BY_SHAPE:
        if field in found or (field == "request" and "target" in found):
            continue
        alike = [path for path, some in values.items() if path not in taken and _all_have_shape(field, some)]
        if len(alike) == 1:
            found[field] = alike
            taken.add(alike[0])


def _client_as_host(samples: Sequence[object], values: Mapping[Path, Sequence[str]]) -> Path | None:
    """Return the key ``host`` if it holds the client: some producers mean that, as do addresses beside ports of clients."""
    path: Path = ("host",)
    hosts = [value for value in values.get(path, ()) if value not in {"", "-"}]
    if not hosts or not all(map(is_address, hosts)):
        return None
    keys = {_plain(str(key)) for sample in samples if isinstance(sample, dict) for key in sample}
    if any(signature <= keys for _, signature in HOST_IS_CLIENT):
        return path
    ports = {value for value in values.get(("port",), ()) if value.isdecimal() and int(value) > _EPHEMERAL}
    return path if len(ports) > 2 else None


def _cookies(paths: Iterable[Path]) -> dict[str, list[Path]]:
    """Return which paths tell of cookies, the first of each kind."""
    found: dict[str, list[Path]] = {}
    for path in paths:
        told = next(filter(None, map(cookies.field_of_key, _names(path))), None)
        if told is not None:
            found.setdefault(told, [path])
    return found


def _has_shape(field: str, name: str, values: Iterable[str]) -> bool:
    """Whether most of the filled values have the shape of the field; a key that is always empty is believed."""
    filled = [value for value in values if value not in {"", "-"}]
    shape = is_address if field == "client" and name in _WEAK else _SHAPES[field]
    return sum(1 for value in filled if shape(value)) * 2 >= len(filled)


def _all_have_shape(field: str, values: Iterable[str]) -> bool:
    filled = [value for value in values if value not in {"", "-"}]
    return bool(filled) and all(map(_SHAPES[field], filled))


def _plain(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())


def _names(path: Path) -> Iterable[str]:
    """Yield the names of a path: whole, then behind objects that may hold a request (``request.headers.Host[0]``: ``host``)."""
    keys = [_plain(part) for part in path if isinstance(part, str)]
    yield "".join(keys)
    for start in range(1, len(keys)):
        before, behind = keys[:start], keys[start:]
        held = HOLDERS.issuperset(before)
        if held or (len(behind) > 1 and behind[0] in HOLDERS and not STRANGERS.intersection(before)):
            yield "".join(behind)


def flatten(samples: Sequence[object]) -> dict[Path, list[str]]:
    """Collect the scalar values of all samples by path, in the order of first appearance; four levels deep."""
    values: dict[Path, list[str]] = {}

    def walk(value: object, path: Path) -> None:
        if isinstance(value, dict) and len(path) < 4:
            for key, inner in value.items():
                if key:  # a key without a name tells nothing, and no column can be called by it
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


_SHOWN: Final = 12
_LONGEST: Final = 40


def missing(found: Mapping[str, Sequence[Path]], samples: Sequence[object]) -> str:
    """Say which of client and user agent no key tells, the keys that were seen, and the option; empty if none is missing."""
    lacking = [field for field in ("client", "agent") if field not in found]
    if not lacking:
        return ""
    taken = {path for paths in found.values() for path in paths}
    free = [path for path in flatten(samples) if path not in taken]
    if not free:
        return ""
    names = " and ".join({"client": "client", "agent": "user agent"}[field] for field in lacking)
    options = " ".join(f"--field {field}=KEY" for field in lacking)
    keys = "keys" if len(lacking) > 1 else "key"
    return f"; no known key has the {names}: name the {keys} by {options} (other keys: {listed(free)})"


def times_unread(samples: Sequence[object], named: Mapping[str, str]) -> tuple[str, str] | None:
    """Return the key that holds the time by its name or as the user said, and its first value, in a form that is not known.

    Digits and letters of the value are shown as ``9`` and ``x``: it may be anything.
    """
    values = flatten(samples)
    for path, some in values.items():
        said = named.get("time") in {spelled(path), spelled(path).removesuffix("[0]")}
        first = next((value for value in some if value not in {"", "-"}), "")
        # A number under such a name is a duration.
        named_so = any(name in NAMES["time"] for name in _names(path)) and not _NUMBER.fullmatch(first)
        if (said or named_so) and first and not timestamps.recognise(some):
            shape = "".join("9" if one.isdigit() else "x" if one.isalpha() else one for one in first[:_LONGEST])
            return spelled(path), "".join(one if one.isprintable() else "?" for one in shape)
    return None


def listed(paths: Sequence[Path]) -> str:
    """List keys for people, the first of them if they are many."""
    shown = [spelled(path)[:_LONGEST] for path in paths[:_SHOWN]]
    more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join("".join(one if one.isprintable() else "?" for one in name) for name in shown) + more
