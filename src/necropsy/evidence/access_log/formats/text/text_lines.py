"""Text lines: any ``log_format``, compiled to its variables and literals.

``combined``, of nginx and Apache::

    203.0.113.9 - - [24/May/2019:18:41:34 +0000] "GET /login?next=%2F HTTP/1.1" 200 1769 "-" "curl/8.5.0"

A format has one description, its variables and literals. The scanner follows it; for lines that the scanner leaves, and where
it is not compiled, it becomes a regular expression (RE2, linear time).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from necropsy.evidence.access_log.formats.fields.timestamps import TimeForm
from necropsy.evidence.access_log.formats.layout import LineLayout
from necropsy.evidence.access_log.formats.nginx import LISTS, PREFERENCE, Piece, Variable, ambiguous, parse
from necropsy.evidence.access_log.formats.values import Pattern

_FORMS: Final = {
    "start_iso8601": TimeForm("iso", zoned=True, fine=True),
    "start_epoch_us": TimeForm("epoch-us", zoned=True, fine=True),
    "start_epoch_ms": TimeForm("epoch-ms", zoned=True, fine=True),
    "start_epoch": TimeForm("epoch", zoned=True, fine=True),
    "start_spaced": TimeForm("iso", zoned=True, fine=True),
    "start_loose": TimeForm("iso-loose", zoned=True, fine=True),
    "start_unzoned": TimeForm("iso", zoned=False, fine=True),
    "start_spaced_unzoned": TimeForm("iso", zoned=False, fine=True),
    "msec": TimeForm("epoch", zoned=True, fine=True),
    "time_iso8601": TimeForm("iso", zoned=True, fine=False),
    "time_local": TimeForm("common", zoned=True, fine=False),
}


@lru_cache(256)
def compile_format(
    text: str, escape: str = "default", *, name: str, note: str, more: bool = False
) -> LineLayout | None:
    """Compile a format to a layout; None when it tells no time or no request, or is ambiguous.

    Parameters
    ----------
    text
        The format, with ``$variables``.
    escape
        ``default``, ``json`` or ``none``.
    more
        Whether a line may go on after the format's end.
    """
    pieces = parse(text)
    if ambiguous(pieces):
        return None
    variables = [piece for piece in pieces if isinstance(piece, Variable)]
    if len({v.name for v in variables}) < len(variables):  # one of them twice: the first will do
        pieces = _rename_repeated(pieces)
        variables = [piece for piece in pieces if isinstance(piece, Variable)]
    wanted: dict[str, list[str]] = {}
    for variable in sorted((v for v in variables if v.field), key=lambda v: PREFERENCE.get(v.name, len(PREFERENCE))):
        wanted.setdefault(str(variable.field), []).append(variable.name)
    if "time" not in wanted or not ({"request", "target"} & wanted.keys()):
        return None
    fields = {field: tuple(names if field in _MANY else names[:1]) for field, names in wanted.items()}
    from_end = fields["time"] == ("msec",)
    if not from_end:
        # The line is written when the request ends ($msec); its start is what a prober's clock knows.
        fields.pop("duration", None)
    if "request" in fields:
        fields = {field: names for field, names in fields.items() if field not in {"method", "target"}}
    names = {name for some in fields.values() for name in some}
    return LineLayout(
        name,
        note,
        _by_expression(pieces, names, escape, more=more),
        fields,
        _FORMS[fields["time"][0]],
        from_end and "duration" in fields,
        bool(LISTS & set(fields.get("client", ()))),
        "client_and_port" in fields.get("client", ()),
        escapes="" if escape == "none" else "bytes",
        template=() if escape == "json" else tuple(pieces),
        template_is_open=more,
    )


_MANY: Final = frozenset({"client", "host"})


def _rename_repeated(pieces: Sequence[Piece]) -> list[Piece]:
    seen: set[str] = set()
    renamed: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, Variable) and piece.name in seen:
            renamed.append(Variable(f"{piece.name}_again_{len(renamed)}"))
        else:
            renamed.append(piece)
            if isinstance(piece, Variable):
                seen.add(piece.name)
    return renamed


def _by_expression(pieces: Sequence[Piece], names: set[str], escape: str, *, more: bool) -> Pattern:
    """Find values by one regular expression over the whole line."""
    pattern = "^"
    captured: list[str] = []
    for position, piece in enumerate(pieces):
        if not isinstance(piece, Variable):
            pattern += re.escape(piece)
            continue
        after = pieces[position + 1] if position + 1 < len(pieces) else ""
        value = value_pattern(piece, str(after)[:1], escape)
        if piece.name in names:
            captured.append(piece.name)
            pattern += f"(?P<{piece.name}>{value})"
        else:
            pattern += f"(?:{value})"
    # A line that does not fit leaves all of them empty; one that does has a time, whatever else is empty in it.
    return Pattern(pattern if more else pattern + "$", tuple(captured))


_EXACTLY: Final = {
    "time_iso8601": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d",
    "time_local": r"\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d [+-]\d{4}",
    "msec": r"\d+\.\d{3}",
    "status": r"\d{3}",
    "request_method": r"[^\s:/,]*",
    **dict.fromkeys(
        ("upstream_addr", "upstream_status", "upstream_response_time", "upstream_response_length", "upstream_connect_time",
         "upstream_header_time", "upstream_bytes_received", "upstream_bytes_sent", "upstream_cache_status"),
        r"[^\s,]+(?:(?:, | : )[^\s,]+)*",
    ),
}  # fmt: skip
"""Values of a fixed form: never escaped (ngx_http_log_module.c). Of several upstreams, those of one group are separated by
commas, groups by colons (ngx_http_upstream.c)."""


def value_pattern(variable: Variable, following: str, escape: str) -> str:
    """Return the expression for the values of a variable, given the character behind it and the format's escaping."""
    if variable.name in _EXACTLY:
        return _EXACTLY[variable.name]
    if following == '"' and escape == "json":
        return r'(?:[^"\\]|\\.)*'
    if following == '"' and escape == "default":
        return '[^"]*'
    if variable.width == 1:
        return r"\S*?" if following != " " else r"\S*"
    return ".*?"
