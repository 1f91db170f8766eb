r"""nginx's ``log_format``: its text taken apart, and what its variables mean.

Semantics from src/http/modules/ngx_http_log_module.c: the parts are joined without a separator; a name is
``[A-Za-z0-9_]+``, with or without braces. With ``escape=default`` a byte below 0x20, ``"``, ``\`` or one from 0x7F up
is written ``\xHH``, so no value holds a quotation mark; ``escape=json`` writes ``\"``; ``escape=none`` writes what the
client sent.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from necropsy.evidence.access_log.formats.fields import cookies

_VARIABLE: Final = re.compile(r"\$(?:\{([A-Za-z0-9_]+)\}|([A-Za-z0-9_]+))")

FIELD_OF: Final = {
    "start_iso8601": "time",
    "start_epoch_us": "time",
    "start_epoch_ms": "time",
    "start_epoch": "time",
    "start_spaced": "time",
    "start_loose": "time",
    "start_unzoned": "time",
    "start_spaced_unzoned": "time",
    "msec": "time",
    "time_iso8601": "time",
    "time_local": "time",
    "http_x_forwarded_for": "client",
    "proxy_add_x_forwarded_for": "client",
    "http_x_real_ip": "client",
    "http_cf_connecting_ip": "client",
    "http_true_client_ip": "client",
    "the_real_ip": "client",
    "remote_addr": "client",
    "client_and_port": "client",
    "http_host": "host",
    "host": "host",
    "server_name": "host",
    "request": "request",
    "request_method": "method",
    "request_uri": "target",
    "uri": "target",
    "document_uri": "target",
    "status": "status",
    "http_user_agent": "agent",
    "http_referer": "referer",
    "request_time": "duration",
    "body_bytes_sent": "body",
    "bytes_sent": "body",
}
"""Variable to field; where several mean the same, the earlier one is better.

Those that begin with ``start_`` (of the request's start) and ``client_and_port`` are not nginx's: formats of others are
written in the same notation."""

LISTS: Final = frozenset({"http_x_forwarded_for", "proxy_add_x_forwarded_for"})
"""Variables whose value may be a list of addresses, the client's first."""

PREFERENCE: Final = {variable: position for position, variable in enumerate(FIELD_OF)}

_WIDTHS: Final = {"time_local": 2, "start_spaced": 2, "start_spaced_unzoned": 2, "start_loose": 3}
_ONE_WORD: Final = frozenset((
    "time_iso8601", "start_iso8601", "start_epoch", "start_epoch_ms", "start_epoch_us", "start_unzoned", "client_and_port",
    "remote_ident", "took", "took_us", "bytes_both_ways", "connection_state", "log_id",
    "remote_addr", "realip_remote_addr", "remote_port", "http_host", "host", "server_name", "server_addr", "server_port",
    "server_protocol", "status", "request_method", "request_uri", "request_time", "request_length", "request_id", "req_id",
    "msec", "body_bytes_sent", "bytes_sent", "pipe", "connection", "connection_requests", "connection_time", "scheme",
    "https", "pid", "hostname", "args", "query_string", "is_args", "gzip_ratio", "ssl_protocol", "ssl_cipher",
    "ssl_session_reused", "upstream_cache_status", "tcpinfo_rtt", "proxy_upstream_name", "namespace", "ingress_name",
    "service_name", "service_port", "http_x_real_ip", "http_cf_connecting_ip", "http_true_client_ip",
    "kind", "balancer", "target", "t1", "t2", "t3", "target_status", "received", "sent", "response_flags", "duration",
    "upstream_time", "upstream_status_word", "server",
))  # fmt: skip
"""Variables whose value never holds a space; of all others it is not known."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One ``$name`` of a format."""

    name: str

    @property
    def width(self) -> int | None:
        """Words that its value takes; None: unknown."""
        return _WIDTHS.get(self.name, 1 if self.name in _ONE_WORD else None)

    @property
    def field(self) -> str | None:
        """Field that it carries, if any."""
        return FIELD_OF.get(self.name) or cookies.field_of(self.name)


Piece: TypeAlias = "str | Variable"
"""Literal text or a variable."""


def parse(text: str) -> list[Piece]:
    """Take a format apart.

    >>> parse("[$time_local] ${status}x")
    ['[', Variable(name='time_local'), '] ', Variable(name='status'), 'x']
    """
    pieces: list[Piece] = []
    position = 0
    for match in _VARIABLE.finditer(text):
        if match.start() > position:
            pieces.append(text[position : match.start()])
        pieces.append(Variable(match[1] or match[2]))
        position = match.end()
    if position < len(text):
        pieces.append(text[position:])
    return pieces


def ambiguous(pieces: Sequence[Piece]) -> bool:
    """Whether two variables stand side by side, so that nobody can tell where one ends."""
    return any(isinstance(a, Variable) and isinstance(b, Variable) for a, b in itertools.pairwise(pieces))
