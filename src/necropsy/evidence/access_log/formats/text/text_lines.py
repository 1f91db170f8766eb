"""Text lines: any ``log_format``, compiled to the places of its values.

``combined``, of nginx and Apache::

    203.0.113.9 - - [24/May/2019:18:41:34 +0000] "GET /login?next=%2F HTTP/1.1" 200 1769 "-" "curl/8.5.0"

With ``escape=default`` no value holds a quotation mark. So the line is split at these, and what stands outside of them
at spaces; that is three times as fast as a regular expression, and a damaged line cannot swallow its neighbours as in
quoted CSV. Formats of other escapes, and those where a value of unknown width hides the place of the next, fall back to
a regular expression (RE2, linear time).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from necropsy.evidence.access_log.formats.fields.timestamps import TimeForm
from necropsy.evidence.access_log.formats.layout import Layout, Lines
from necropsy.evidence.access_log.formats.nginx import LISTS, PREFERENCE, Piece, Variable, ambiguous, parse, split
from necropsy.evidence.access_log.formats.text.words import Part, Place, Words
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


def compile_format(text: str, escape: str = "default", *, name: str, note: str, more: bool = False) -> Layout | None:
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
    lines: Lines | None = _by_words(pieces, names, more=more) if escape == "default" else None
    return Layout(
        name,
        note,
        lines or _by_expression(pieces, names, escape),
        fields,
        _FORMS[fields["time"][0]],
        from_end and "duration" in fields,
        bool(LISTS & set(fields.get("client", ()))),
        "client_and_port" in fields.get("client", ()),
        escapes="" if escape == "none" else "bytes",
        template=() if more or escape == "json" else tuple(pieces),
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


def _by_words(pieces: Sequence[Piece], names: set[str], *, more: bool) -> Words | None:
    """Find values between quotation marks and spaces; None when a value of unknown width hides a wanted one."""
    quoted = split(pieces, '"')
    parts: list[Part] = []
    places: dict[str, Place] = {}
    for number, part in enumerate(quoted):
        inside = {piece.name for piece in part if isinstance(piece, Variable)}
        last = more and number == len(quoted) - 1
        if last and not inside & names:
            break
        if not inside:
            parts.append(Part(number, text="".join(map(str, part)).rstrip(" ")))
        elif len(part) == 1:
            places |= dict.fromkeys(inside & names, Place(number))
        else:
            words = split(part, " ")
            parts.append(_counted(number, words, more=last))
            for name in inside & names:
                place = _place(number, words, name)
                if place is None:
                    return None
                places[name] = place
    return Words(places, len(quoted), more, tuple(parts))


def _counted(number: int, words: Sequence[Sequence[Piece]], *, more: bool) -> Part:
    """Return what a part must be: as many words as its format, or more, and where the format has fixed text, that text."""
    widths = [_width(word) for word in words]
    fixed: dict[int, str] = {}
    place = 0
    for word, width in zip(words, widths, strict=True):
        text = "".join(piece for piece in word if isinstance(piece, str))
        if text and not any(isinstance(piece, Variable) for piece in word):
            fixed[place] = text
        if width is None:
            break
        place += width
    least = sum(1 if width is None else width for width in widths)
    return Part(number, least=least, most=None if more or None in widths else least, words=fixed)


def _place(number: int, words: Sequence[Sequence[Piece]], name: str) -> Place | None:
    """Return where one variable stands among the words of a part.

    >>> _place(0, split(parse("$remote_addr - $remote_user [$time_local]"), " "), "time_local")
    Place(part=0, first=-2, last=-1, before=1, after=1)
    """
    widths = [_width(word) for word in words]
    here = next(i for i, word in enumerate(words) if any(isinstance(p, Variable) and p.name == name for p in word))
    before, after = widths[:here], widths[here + 1 :]
    left = None if None in before else sum(w or 0 for w in before)
    right = None if None in after else sum(w or 0 for w in after)
    variables = [isinstance(piece, Variable) for piece in words[here]]
    if variables.count(True) != 1:
        return None
    at = variables.index(True)
    cut = len("".join(map(str, words[here][:at]))), len("".join(map(str, words[here][at + 1 :])))
    width = widths[here]
    if left is not None and (width is not None or right is not None):
        return Place(number, left, left + width - 1 if width is not None else -1 - (right or 0), *cut)
    if right is not None and width is not None:
        return Place(number, -right - width, -right - 1, *cut)
    return None


def _width(word: Sequence[Piece]) -> int | None:
    widths = [piece.width for piece in word if isinstance(piece, Variable)]
    if None in widths:
        return None
    return 1 + sum(w - 1 for w in widths if w is not None)


def _by_expression(pieces: Sequence[Piece], names: set[str], escape: str) -> Pattern:
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
    return Pattern(pattern + "$", tuple(captured))


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
