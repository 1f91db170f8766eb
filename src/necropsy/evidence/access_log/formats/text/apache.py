r"""Apache's ``LogFormat``: its text becomes a template in nginx's notation, which everything else here understands.

::

    %h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"
    $remote_addr $remote_ident $remote_user [$time_local] "$request" $status $body_bytes_sent "$http_referer" "$http_user_agent"

Source: modules/loggers/mod_log_config.c and its documentation. What differs from nginx: ``%t`` is when the request came, and
not when it was answered, so nothing is subtracted from it; values hold quotation marks as ``\"`` (``ap_escape_logitem``); a
directive may be bound to a status (``%400,501{User-agent}i``) and is ``-`` otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

_DIRECTIVE: Final = re.compile(
    r"%(?P<when>!?\d{3}(?:,\d{3})*)?[<>]?(?:\{(?P<argument>[^}]*)\})?(?P<letter>\^t[io]|[A-Za-z%])"
)
_ESCAPED: Final = re.compile(r'\\(["\\nt])')
_NGINX: Final = re.compile(r"\$\{?[A-Za-z_]")

_PLAIN: Final = {
    "h": "remote_addr", "a": "remote_addr", "l": "remote_ident", "u": "remote_user", "r": "request", "m": "request_method",
    "U": "uri", "q": "query", "H": "server_protocol", "s": "status", "b": "body_bytes_sent", "B": "body_bytes_sent",
    "O": "bytes_sent", "I": "request_length", "S": "bytes_both_ways", "D": "took_us", "T": "took", "v": "server_name",
    "V": "server_name", "p": "server_port", "P": "pid", "A": "server_addr", "f": "file", "k": "connection_requests",
    "L": "log_id", "R": "handler", "X": "connection_state",
}  # fmt: skip
"""Directive without an argument to variable; those that our reader does not know only take their place in the line."""
_NAMED: Final = {
    "i": "http",
    "o": "sent_http",
    "C": "cookie",
    "e": "env",
    "n": "note",
    "^ti": "trailer",
    "^to": "sent_trailer",
}
"""Directive with an argument to the first part of the variable's name."""

_TIMES: Final[tuple[tuple[re.Pattern[str], str], ...]] = tuple(
    (re.compile(pattern), variable)
    for pattern, variable in (
        (r"%d/%b/%Y:%H:%M:%S %z", "time_local"),
        (r"%Y-%m-%dT%H:%M:%S(?:\.<[mu]sec_frac>)?(?:%z|Z)", "start_iso8601"),
        (r"%Y-%m-%d %H:%M:%S(?:\.<[mu]sec_frac>)?(?:%z|Z)", "start_spaced"),
        (r"%Y-%m-%d %H:%M:%S(?:[.,]<[mu]sec_frac>)? %z", "start_loose"),
        (r"%Y-%m-%dT%H:%M:%S(?:\.<[mu]sec_frac>)?", "start_unzoned"),
        (r"%Y-%m-%d %H:%M:%S(?:\.<[mu]sec_frac>)?", "start_spaced_unzoned"),
        (r"<sec>(?:\.<[mu]sec_frac>)?", "start_epoch"),
        (r"<msec>", "start_epoch_ms"),
        (r"<usec>", "start_epoch_us"),
    )
)
"""Forms of ``%{…}t``, several of which may make one time, and the variable that our reader takes for them."""
_CLOCKS: Final = frozenset({"sec", "msec", "usec", "msec_frac", "usec_frac"})


@dataclass(frozen=True, slots=True)
class _Directive:
    letter: str
    argument: str | None


_Piece: TypeAlias = "str | _Directive"


def is_apache(text: str) -> bool:
    r"""Whether a format is Apache's, and not nginx's.

    >>> is_apache("%h %t \"%r\" %>s"), is_apache("$remote_addr [$time_local]"), is_apache("100%")
    (True, False, False)
    """
    return _DIRECTIVE.search(text) is not None and _NGINX.search(text) is None


def translate(text: str) -> str:
    r"""Translate a format into nginx's notation.

    Parameters
    ----------
    text
        As it stands in the configuration, with or without the backslashes of its quotation marks.

    >>> translate(r'%v:%p %h %t \"%m %U%q %H\" %>s %O')
    '$http_host $remote_addr [$time_local] "$request_method $request_uri $server_protocol" $status $bytes_sent'
    >>> translate("%{%Y-%m-%dT%H:%M:%S}t.%{msec_frac}t%{%z}t %{X-Forwarded-For}i %400,501{User-agent}i 100%%")
    '$start_iso8601 $http_x_forwarded_for $http_user_agent 100%'
    """
    pieces = _parse(text)
    parts: list[str] = []
    position = 0
    while position < len(pieces):
        taken, part = _together(pieces[position:])
        parts.append(part)
        position += taken
    return "".join(parts)


def _parse(text: str) -> list[_Piece]:
    pieces: list[_Piece] = []
    position = 0
    for match in _DIRECTIVE.finditer(text):
        if match.start() > position:
            pieces.append(_unescaped(text[position : match.start()]))
        pieces.append("%" if match["letter"] == "%" else _Directive(match["letter"], match["argument"]))
        position = match.end()
    if position < len(text):
        pieces.append(_unescaped(text[position:]))
    return pieces


def _unescaped(literal: str) -> str:
    return _ESCAPED.sub(lambda match: {"n": "", "t": "\t"}.get(match[1], match[1]), literal)


def _together(pieces: Sequence[_Piece]) -> tuple[int, str]:
    """Translate the first piece, with those behind it where they are one value; how many that are."""
    first = pieces[0]
    if isinstance(first, str):
        return 1, first
    kinds = [piece if isinstance(piece, str) else piece.letter for piece in pieces[:3]]
    if kinds[:2] == ["U", "q"]:
        return 2, "$request_uri"
    if kinds[:1] in (["v"], ["V"]) and kinds[1:] == [":", "p"]:
        return 3, "$http_host"
    if first.letter == "t":
        return _time(pieces)
    return 1, f"${{{name}}}" if _glued(name := _variable(first), pieces[1:2]) else f"${name}"


def _glued(name: str, behind: Sequence[_Piece]) -> bool:
    """Whether what stands behind a variable would be read as a part of its name."""
    return bool(name) and bool(behind) and isinstance(behind[0], str) and re.match(r"\w", behind[0]) is not None


def _variable(directive: _Directive) -> str:
    letter, argument = directive.letter, directive.argument
    if letter in _NAMED:
        return f"{_NAMED[letter]}_{re.sub(r'[^a-z0-9]', '_', (argument or '').lower())}"
    return _PLAIN.get(letter, f"unknown_{letter.lower()}")


def _time(pieces: Sequence[_Piece]) -> tuple[int, str]:
    """Translate a time, written by one ``%t`` or put together from several."""
    first = pieces[0]
    if isinstance(first, _Directive) and first.argument is None:
        return 1, "[$time_local]"
    texts = [_clock(piece) for piece in pieces[:7]]
    for length in range(len(texts), 0, -1):
        some = texts[:length]
        if None in some or isinstance(pieces[length - 1], str):
            continue
        whole = "".join(text or "" for text in some)
        bare = whole.removeprefix("[").removesuffix("]")
        for pattern, variable in _TIMES:
            if pattern.fullmatch(bare):
                return length, whole.replace(bare, f"${variable}")
    return 1, "$unknown_time"


def _clock(piece: _Piece) -> str | None:
    """Return the part of a time that a piece writes; None: it belongs to no time."""
    if isinstance(piece, str):
        return piece if len(piece) < 3 else None
    if piece.letter != "t" or piece.argument is None:
        return None
    argument = piece.argument.removeprefix("begin:").removeprefix("end:")
    if argument in _CLOCKS:
        return f"<{argument}>"
    return argument.replace("%F", "%Y-%m-%d").replace("%T", "%H:%M:%S").replace("%D", "%m/%d/%y")
