r"""Addresses of clients: recognised by their form alone, and normalised.

====================================  ==================
written                               becomes
====================================  ==================
``203.0.113.9:41342``                 ``203.0.113.9``
``[2001:db8::1]:41342``               ``2001:db8::1``
``::ffff:203.0.113.9``                ``203.0.113.9``
``198.51.100.7, 10.0.0.2`` (a list)   ``198.51.100.7``
====================================  ==================
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Final

_WITH_PORT: Final = re.compile(r"(\d+\.\d+\.\d+\.\d+):\d{1,5}|\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?")
_ANY_PORT: Final = re.compile(r"(\d+\.\d+\.\d+\.\d+):\d+|\[([0-9A-Fa-f:.]+)\](?::\d+)?", re.ASCII)
_MAPPED: Final = re.compile(r"::ffff:(\d+\.\d+\.\d+\.\d+)", re.IGNORECASE | re.ASCII)
_NAME: Final = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)+\.?|localhost")
_HASHED: Final = re.compile(r"#?[0-9a-fA-F]{16,128}")


def is_address(value: str) -> bool:
    """Tell whether a value is an IP address, perhaps with a port, or a list of them; a bare number is none.

    >>> [is_address(value) for value in ("203.0.113.9:80", "::1", "198.51.100.7, 10.0.0.2", "8080", "8.1.0", "5c1b2e8d")]
    [True, True, True, False, False, False]
    """
    return all(map(_is_one, value.split(","))) or value == "unix:"


def is_client(value: str) -> bool:
    """Tell whether a value may stand for a client under a key that says that it does: an address, a host's name, a hash."""
    return is_address(value) or bool(_NAME.fullmatch(value) or _HASHED.fullmatch(value))


def _is_one(value: str) -> bool:
    value = value.strip()
    if match := _WITH_PORT.fullmatch(value):
        value = match[1] or match[2]
    try:
        ipaddress.ip_address(value.partition("%")[0])
    except ValueError:
        return False
    return True


def need_tidying(values: Iterable[str]) -> bool:
    """Tell whether any of these addresses is written in a form that ``tidied`` changes, lists left out."""
    return any(_WITH_PORT.fullmatch(value) or value.lower().startswith("::ffff:") for value in values)


def tidied(address: str) -> str:
    """Return an address without port, brackets and what maps an IPv4 address into IPv6.

    >>> [tidied(written) for written in ("203.0.113.9:41342", "[2001:db8::1]:41342", "::ffff:203.0.113.9", "unix:")]
    ['203.0.113.9', '2001:db8::1', '203.0.113.9', 'unix:']
    """
    if match := _ANY_PORT.fullmatch(address):
        address = match[1] or match[2]
    if match := _MAPPED.fullmatch(address):
        address = match[1]
    return address
