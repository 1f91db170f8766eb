"""Text formats that need no configuration: combined and its relatives, and what programs write that have one layout only."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from necropsy.evidence.access_log.formats.layout import LineLayout
from necropsy.evidence.access_log.formats.text.text_lines import compile_format

_COMMON: Final = '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent'
_COMBINED: Final = (
    '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"'
)

KNOWN: Final[tuple[tuple[str, str], ...]] = (
    (
        "Kubernetes ingress-nginx",
        _COMBINED
        + " $request_length $request_time [$proxy_upstream_name] [$proxy_alternative_upstream_name] $upstream_addr"
        " $upstream_response_length $upstream_response_time $upstream_status $req_id",
    ),
    (
        "combined, X-Forwarded-For last",
        _COMBINED + ' "$http_x_forwarded_for"',
    ),
    ("combined", _COMBINED),
    (
        "combined, host first",
        "$http_host " + _COMBINED,
    ),
    (
        "Envoy",
        (
            '[$start_iso8601] "$request" $status $response_flags $body_bytes_sent $bytes_sent $duration $upstream_time'
            ' "$http_x_forwarded_for" "$http_user_agent" "$x_request_id" "$http_host" "$upstream_host"'
        ),
    ),
    (
        "lighttpd",
        _COMBINED.replace(" - ", " $http_host ", 1),
    ),
    (
        "Nginx Proxy Manager",
        (
            "[$time_local] $upstream_cache_status $upstream_status_word $status - $request_method $scheme $http_host"
            ' "$request_uri" [Client $remote_addr] [Length $body_bytes_sent] [Gzip $gzip_ratio] [Sent-to $server]'
            ' "$http_user_agent" "$http_referer"'
        ),
    ),
    (
        "Nginx Proxy Manager, default host",
        (
            '[$time_local] $status - $request_method $scheme $http_host "$request_uri" [Client $remote_addr]'
            ' [Length $body_bytes_sent] [Gzip $gzip_ratio] "$http_user_agent" "$http_referer"'
        ),
    ),
    ("common", _COMMON),
)
"""Formats that need no configuration: what nginx, Apache and ingress controllers write when nobody says otherwise."""

_OPEN: Final[tuple[tuple[str, str], ...]] = (
    ("combined", _COMBINED),
    (
        "Istio",
        (
            '[$start_iso8601] "$request" $status $response_flags $details $ended "$failure" $body_bytes_sent $bytes_sent'
            ' $duration $upstream_time "$http_x_forwarded_for" "$http_user_agent" "$x_request_id" "$http_host" '
        ),
    ),
    (
        "application load balancer",
        (
            "$kind $start_iso8601 $balancer $client_and_port $target $t1 $t2 $t3 $status $target_status $received $sent"
            ' "$request" "$http_user_agent" '
        ),
    ),
    ("common", _COMMON + " "),
)
"""Formats whose lines go on after what is known of them."""


_ONLY: Final = {
    "lighttpd": re.compile(r"[0-9A-Fa-f:.]{3,45} [A-Za-z0-9_][A-Za-z0-9_.:-]* [^\[]+ \["),
    "combined, host first": re.compile(r"[A-Za-z0-9_.:-]+ \S+ - "),
}
"""What lines of a format begin with, where others would fit it with something else in the place of the client or host."""


_ADDRESSES: Final = r"[0-9A-Fa-f:.]{3,45}, ?[0-9A-Fa-f:.]{3,45}"
_LIST: Final = re.compile(_ADDRESSES)
_LIST_BEHIND_HOST: Final = re.compile(rf"[A-Za-z0-9_.:-]+ {_ADDRESSES}")
"""Find several addresses where combined has its client: X-Forwarded-For was written there."""


def layouts(lines: Sequence[str]) -> list[LineLayout]:
    """Compile the formats that need no configuration, and that these lines may have."""
    return [*_with_lists(lines), *_as_they_are(lines)]


def _with_lists(lines: Sequence[str]) -> list[LineLayout]:
    """Compile the formats with a list of addresses in the client's place, if a line has one; the first is the client's."""
    found = []
    for formats, more in ((KNOWN, False), (_OPEN, True)):
        for name, text in formats:
            start = _LIST if text.startswith("$remote_addr ") else _LIST_BEHIND_HOST
            if "$remote_addr -" in text and "$http_x_forwarded_for" not in text and any(map(start.match, lines)):
                listed = text.replace("$remote_addr", "$http_x_forwarded_for")
                note = f"{name}, X-Forwarded-For as client"
                found.append(compile_format(listed, name=name, note=note, more=more))
    return [layout for layout in found if layout is not None]


def _may_be(name: str, lines: Sequence[str]) -> bool:
    """Tell whether most lines begin as those of a format do, where others would fit it."""
    return name not in _ONLY or sum(bool(_ONLY[name].match(line)) for line in lines) * 2 > len(lines)


def _as_they_are(lines: Sequence[str]) -> list[LineLayout]:
    found = [compile_format(text, name=name, note=name) for name, text in KNOWN if _may_be(name, lines)]
    found += [compile_format(text, name=name, note=f"{name}, with more after it", more=True) for name, text in _OPEN]
    return [layout for layout in found if layout is not None]
