"""The text that INFO answers."""

from __future__ import annotations

from collections.abc import Mapping


def parse_info(answer: bytes | str) -> dict[str, str]:
    r"""Return the fields of all sections.

    >>> parse_info(b"# Server\r\nredis_version:7.0.15\r\n\r\n# Keyspace\r\ndb0:keys=3,expires=1,avg_ttl=0\r\n")
    {'redis_version': '7.0.15', 'db0': 'keys=3,expires=1,avg_ttl=0'}
    """
    text = answer.decode(errors="replace") if isinstance(answer, bytes) else answer
    pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line and not line.startswith("#"))
    return {name: value for name, value in pairs}  # noqa: C416 -- rows of two, which dict() would have to be told


def databases(info: Mapping[str, str]) -> dict[int, int]:
    """Return the keys of each database that has some.

    >>> databases({"db0": "keys=3,expires=1,avg_ttl=0", "db11": "keys=5,expires=0", "dbms": "x"})
    {0: 3, 11: 5}
    """
    found = {}
    for name, value in info.items():
        if name.startswith("db") and name[2:].isdecimal():
            fields = dict(pair.split("=", 1) for pair in value.split(",") if "=" in pair)
            if fields.get("keys", "").isdecimal():
                found[int(name[2:])] = int(fields["keys"])
    return dict(sorted(found.items()))


def number(info: Mapping[str, str], name: str, default: int = 0) -> int:
    """Return a field as a whole number; the default when it is missing or no number.

    >>> number({"maxmemory": "104857600"}, "maxmemory"), number({}, "maxmemory")
    (104857600, 0)
    """
    text = info.get(name, "")
    return int(text) if text.lstrip("-").isdecimal() else default
