"""W3C extended logs: CloudFront (tabs), IIS (spaces).

A line ``#Fields:`` names the columns::

    #Version: 1.0
    #Fields: date time c-ip cs-method cs(Host) cs-uri-stem sc-status cs(Referer) cs(User-Agent) cs-uri-query
    2019-05-24	18:41:34	203.0.113.9	GET	d111.example	/login	302	-	curl/8.5.0	-

Times are UTC by definition (https://www.w3.org/TR/WD-logfile.html). Blanks inside values are ``%20`` in CloudFront's, ``+``
in IIS's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from necropsy._internal.sql_quoting import literal
from necropsy.evidence.access_log.formats.layout import Layout

_FIELDS: Final = {
    "client": ("c-ip",),
    "host": ("x-host-header", "cs(Host)", "cs-host"),
    "status": ("sc-status",),
    "agent": ("cs(User-Agent)",),
    "referer": ("cs(Referer)",),
}


def recognise(lines: Sequence[str]) -> Layout | None:
    """Recognise by the line that names the columns; None without one, or without date, time and path."""
    names = next((line.split()[1:] for line in lines if line.startswith("#Fields:")), [])
    place = {name: number for number, name in enumerate(names, start=1)}
    if not {"date", "time", "cs-uri-stem"} <= place.keys():
        return None
    tabs = any("\t" in line for line in lines if not line.startswith("#"))
    separator = "chr(9)" if tabs else literal(" ")

    def value(name: str) -> str:
        return f"value[{place[name]}]"

    stamp = f"TRY_CAST({value('date')} || ' ' || {value('time')} AS TIMESTAMP)"
    method = value("cs-method") if "cs-method" in place else literal("GET")
    fields = {"stamp": stamp, "request": f"{method} || ' ' || split_part({value('cs-uri-stem')}, '?', 1)"}
    for field, candidates in _FIELDS.items():
        for name in candidates:
            if name in place:
                fields.setdefault(field, value(name))
    if "agent" in fields:
        fields["agent"] = f"url_decode({fields['agent']})" if tabs else f"replace({fields['agent']}, '+', ' ')"
    if "status" in fields:
        fields["status"] = f"TRY_CAST({fields['status']} AS SMALLINT)"
    if "referer" in fields:
        fields["referer"] = f"split_part({fields['referer']}, '?', 1)"
    said = ", ".join(f"{field}={name}" for field, names in _FIELDS.items() for name in names if name in place)
    return Layout(
        "W3C extended",
        f"W3C extended: {said}",
        "lines",
        fields,
        fits=f"len(value) = {len(names)}",
        steps=({"value": f"string_split(line, {separator})"},),
        comment="#",
    )
