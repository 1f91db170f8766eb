"""Text lines: any ``log_format``, compiled to DuckDB expressions over the line.

``combined``, of nginx and Apache::

    203.0.113.9 - - [24/May/2019:18:41:34 +0000] "GET /login?next=%2F HTTP/1.1" 200 1769 "-" "curl/8.5.0"

With ``escape=default`` no value holds a quotation mark. So the line is split at these, and what stands outside of them
at spaces; that is three times as fast as a regular expression, and a damaged line cannot swallow its neighbours as in
quoted CSV. Formats of other escapes, and those where a value of unknown width hides the place of the next, fall back to
a regular expression (RE2, linear time).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from necropsy._internal.sql_quoting import literal
from necropsy.evidence.access_log.formats import cookies, line_flags
from necropsy.evidence.access_log.formats.json_lines import client_expression
from necropsy.evidence.access_log.formats.layout import Layout, first_given
from necropsy.evidence.access_log.formats.nginx import LISTS, PREFERENCE, Piece, Variable, ambiguous, parse, split
from necropsy.evidence.access_log.formats.plan import Plan, for_text
from necropsy.evidence.access_log.formats.timestamps import TimeForm, earlier_by

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


@dataclass(frozen=True, slots=True)
class _Plan:
    """Expressions for the wanted variables, and what must be computed before."""

    values: Mapping[str, str]
    steps: tuple[Mapping[str, str], ...]
    fits: str


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
    names = {name for some in wanted.values() for name in some}
    plan = (_by_words(pieces, names, more=more) if escape == "default" else None) or _by_expression(
        pieces, names, escape
    )
    layout = _layout(plan, wanted, name, note)
    if escape != "none":
        layout.fields.update({field: _unescaped(layout.fields[field]) for field in _ESCAPED if field in layout.fields})
    return replace(layout, plan=None if more else _plain(pieces, wanted, escape))


_ESCAPED: Final = ("request", "agent", "referer", "host")


def _unescaped(value: str) -> str:
    r"""Return the expression for a value whose UTF-8 was escaped byte by byte: ``caf\xC3\xA9`` is ``café``.

    What was escaped for another reason (quotation marks, control characters) stays as it stands in the log.
    """
    percent = f"regexp_replace(replace({value}, '%', '%25'), '\\\\x([89A-Fa-f][0-9A-Fa-f])', '%\\1', 'g')"
    return f"CASE WHEN contains({value}, '\\x') THEN coalesce(TRY(url_decode({percent})), {value}) ELSE {value} END"


def _plain(pieces: Sequence[Piece], wanted: Mapping[str, Sequence[str]], escape: str) -> Plan | None:
    """Plan how plain lines are read."""
    if escape == "json" or "client_and_port" in wanted.get("client", ()) or set(cookies.FIELDS) & wanted.keys():
        return None
    many = ("client", "host")
    one = {field: names[0] for field, names in wanted.items() if field not in many}
    if "request" in one:
        one = {field: name for field, name in one.items() if field not in {"method", "target"}}
    if one["time"] != "msec":
        one.pop("duration", None)
    client, host = (wanted.get(field, ()) for field in many)
    return for_text(_FORMS[one["time"]], pieces, one, client, host, lists=bool(LISTS & set(client)))


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


def _layout(plan: _Plan, wanted: Mapping[str, Sequence[str]], name: str, note: str) -> Layout:
    value = plan.values
    form = _FORMS[wanted["time"][0]]
    fields = {"stamp": form.expression(value[wanted["time"][0]])}
    from_end = wanted["time"][0] == "msec" and "duration" in wanted
    if from_end:
        # The line is written when the request ends ($msec); its start is what a prober's clock knows.
        fields["stamp"] = earlier_by(fields["stamp"], value["request_time"])
    if "request" in wanted:
        fields["request"] = f"split_part({value['request']}, '?', 1)"
    else:
        method = value.get("request_method", literal("GET"))
        fields["request"] = f"{method} || ' ' || split_part({value[wanted['target'][0]]}, '?', 1)"
    if "client" in wanted:
        fields["client"] = client_expression(
            [value[name] for name in wanted["client"]],
            lists=bool(LISTS & set(wanted["client"])),
            ports="client_and_port" in wanted["client"],
        )
    if "host" in wanted:
        fields["host"] = first_given([value[variable] for variable in wanted["host"]])
    if "status" in wanted:
        fields["status"] = f"TRY_CAST({value['status']} AS SMALLINT)"
    if "agent" in wanted:
        fields["agent"] = value["http_user_agent"]
    if "referer" in wanted:
        fields["referer"] = f"split_part({value['http_referer']}, '?', 1)"
    fields |= line_flags.expressions(
        {field: value[names[0]] for field, names in wanted.items() if field in line_flags.FIELDS}
    )
    return Layout(name, note, "lines", fields, {}, plan.fits, form.fine, from_end, plan.steps)


def _by_words(pieces: Sequence[Piece], names: set[str], *, more: bool) -> _Plan | None:
    """Plan by splitting at quotation marks and spaces; None when a value of unknown width hides a wanted one."""
    parts = split(pieces, '"')
    values: dict[str, str] = {}
    words: dict[str, str] = {}
    conditions = [f"len(quoted) {'>=' if more else '='} {len(parts)}"]
    for number, part in enumerate(parts, start=1):
        inside = {piece.name for piece in part if isinstance(piece, Variable)}
        last = more and number == len(parts)
        if last and not inside & names:
            break
        if not inside:
            conditions.append(f"rtrim(quoted[{number}]) = {literal(''.join(map(str, part)).rstrip())}")
        elif len(part) == 1:
            values |= dict.fromkeys(inside & names, f"quoted[{number}]")
        else:
            column = f"words_{number}"
            words[column] = f"string_split(quoted[{number}], ' ')"
            conditions += _conditions(split(part, " "), column, more=last)
            for name in inside & names:
                expression = _word(split(part, " "), name, column)
                if expression is None:
                    return None
                values[name] = expression
    steps: tuple[Mapping[str, str], ...] = ({"quoted": "string_split(line, '\"')"},)
    return _Plan(values, (*steps, words) if words else steps, " AND ".join(conditions))


def _conditions(words: Sequence[Sequence[Piece]], column: str, *, more: bool) -> list[str]:
    """Return what a part must meet: as many words as its format, or more, and where the format has fixed text, that text."""
    widths = [_width(word) for word in words]
    least = sum(1 if width is None else width for width in widths)
    found = [f"len({column}) {'>=' if more or None in widths else '='} {least}"]
    place = 1
    for word, width in zip(words, widths, strict=True):
        fixed = "".join(piece for piece in word if isinstance(piece, str))
        if fixed and not any(isinstance(piece, Variable) for piece in word):
            found.append(f"{column}[{place}] = {literal(fixed)}")
        if width is None:
            break
        place += width
    return found


def _word(words: Sequence[Sequence[Piece]], name: str, column: str) -> str | None:
    """Return the expression for one variable among space-separated words.

    >>> _word(split(parse("$remote_addr - $remote_user [$time_local]"), " "), "time_local", "w")
    "substr(array_to_string(w[-2:-1], ' '), 2, length(array_to_string(w[-2:-1], ' ')) - 2)"
    """
    widths = [_width(word) for word in words]
    here = next(i for i, word in enumerate(words) if any(isinstance(p, Variable) and p.name == name for p in word))
    before, after = widths[:here], widths[here + 1 :]
    left = None if None in before else sum(w or 0 for w in before)
    right = None if None in after else sum(w or 0 for w in after)
    if [isinstance(piece, Variable) for piece in words[here]].count(True) != 1:
        return None
    width = widths[here]
    if width is None:
        if left is None or right is None:
            return None
        value = f"array_to_string({column}[{left + 1}:{-right - 1}], ' ')"
    elif left is not None:
        value = f"{column}[{left + 1}]" if width == 1 else f"array_to_string({column}[{left + 1}:{left + width}], ' ')"
    elif right is not None:
        value = (
            f"{column}[{-right - 1}]"
            if width == 1
            else f"array_to_string({column}[{-right - width}:{-right - 1}], ' ')"
        )
    else:
        return None
    return _without_literals(value, words[here])


def _width(word: Sequence[Piece]) -> int | None:
    widths = [piece.width for piece in word if isinstance(piece, Variable)]
    if None in widths:
        return None
    return 1 + sum(w - 1 for w in widths if w is not None)


def _without_literals(value: str, word: Sequence[Piece]) -> str:
    """Cut the literal text before and after the one variable of a word."""
    position = next(i for i, piece in enumerate(word) if isinstance(piece, Variable))
    before, after = len("".join(map(str, word[:position]))), len("".join(map(str, word[position + 1 :])))
    if not before and not after:
        return value
    return f"substr({value}, {before + 1}, length({value}) - {before + after})"


def _by_expression(pieces: Sequence[Piece], names: set[str], escape: str) -> _Plan:
    """Plan by one regular expression over the whole line."""
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
            pattern += f"({value})"
        else:
            pattern += f"(?:{value})"
    groups = ", ".join(map(literal, captured))
    steps = ({"found": f"regexp_extract(line, {literal(pattern + '$')}, [{groups}])"},)
    values = {name: f"found[{literal(name)}]" for name in captured}
    # A line that does not fit leaves all of them empty; one that does has a time, whatever else is empty in it.
    return _Plan(values, steps, " OR ".join(f"{value} <> ''" for value in values.values()))


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
