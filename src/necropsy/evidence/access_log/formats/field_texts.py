"""The meaning of a field's raw text, the same for every reader: one address of a list, UTF-8 of escaped bytes, path of a URL."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from necropsy.evidence.access_log.formats.fields.addresses import tidied

if TYPE_CHECKING:
    from necropsy.evidence.access_log.formats.layout import LineLayout

AUTHORITY: Final = r"^[A-Za-z][A-Za-z0-9+.-]*://([^/?#]+)"
"""Finds the host of a whole URL."""
_AUTHORITY: Final = re.compile(AUTHORITY)
_BYTES: Final = re.compile(rb"\\x([89A-Fa-f][0-9A-Fa-f])")


@dataclass(frozen=True, slots=True)
class TextChange:
    """Makes the text of a field of its raw text."""

    change: Callable[[str], str]
    only_with: str = ""
    """What a raw text holds that is changed at all."""

    def __call__(self, text: str) -> str:
        """Return the text."""
        return self.change(text) if self.only_with in text else text


def changes(layout: LineLayout) -> dict[str, TextChange]:
    """Return what makes the text of a field of its raw text, for the fields whose texts change.

    Of a request, ``GET /a HTTP/1.1`` or ``GET /a``, the query is cut off before.
    """
    found: dict[str, TextChange] = {}
    if layout.absolute:
        found["request"] = TextChange(without_authority, "://")
    if layout.escapes == "bytes":
        found |= dict.fromkeys(("request", "agent", "referer", "host"), TextChange(unescaped, "\\x"))
    elif layout.escapes == "percent":
        found["agent"] = TextChange(percent_decoded, "%")
    elif layout.escapes == "plus":
        found["agent"] = TextChange(lambda text: text.replace("+", " "), "+")
    if layout.clients_are_lists or layout.clients_are_untidy:
        found["client"] = TextChange(partial(client, lists=layout.clients_are_lists, untidy=layout.clients_are_untidy))
    return found


def client(text: str, *, lists: bool, untidy: bool) -> str:
    """Return one client.

    >>> client("198.51.100.7:4711, 10.0.0.2", lists=True, untidy=True)
    '198.51.100.7'
    """
    if lists:
        text = text.partition(",")[0].strip(" ")
    return tidied(text) if untidy else text


def unescaped(text: str) -> str:
    r"""Return a text whose UTF-8 was escaped byte by byte.

    What was escaped for another reason (quotation marks, control characters) stays as it stands in the log.

    >>> unescaped(r"caf\xC3\xA9 \x22"), unescaped(r"\xFF")
    ('café \\x22', '\\xFF')
    """
    try:
        return _BYTES.sub(lambda one: bytes.fromhex(one[1].decode()), text.encode()).decode()
    except UnicodeDecodeError:
        return text


def percent_decoded(text: str) -> str:
    """Decode ``%20`` and its kin, unless that makes no text.

    >>> percent_decoded("curl/8.5.0%20x"), percent_decoded("%FF")
    ('curl/8.5.0 x', '%FF')
    """
    try:
        return unquote_to_bytes(text).decode()
    except UnicodeDecodeError:
        return text


def without_authority(request: str) -> str:
    """Return a request whose target is the path of its URL.

    >>> without_authority("GET https://shop.example:443/a"), without_authority("GET http://shop.example")
    ('GET /a', 'GET /')
    """
    method, space, target = request.partition(" ")
    path = _AUTHORITY.sub("", target)
    return f"{method}{space}{'/' if not path and target else path}"
