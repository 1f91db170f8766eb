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

from necropsy.evidence.access_log.formats.fields.timestamps import TimeForm
from necropsy.evidence.access_log.formats.layout import LineLayout
from necropsy.evidence.access_log.formats.values import SeparatedValues

_SAID: Final = {
    "client": ("c-ip",),
    "host": ("x-host-header", "cs(Host)", "cs-host"),
    "status": ("sc-status",),
    "agent": ("cs(User-Agent)",),
    "referer": ("cs(Referer)",),
}
_FIELDS: Final = _SAID | {"method": ("cs-method",)}


def recognise(lines: Sequence[str]) -> LineLayout | None:
    """Recognise by the line that names the columns; None without one, or without date, time and path."""
    names = next((line.split()[1:] for line in lines if line.startswith("#Fields:")), [])
    place = {name: number for number, name in enumerate(names)}
    if not {"date", "time", "cs-uri-stem"} <= place.keys():
        return None
    tabs = any("\t" in line for line in lines if not line.startswith("#"))
    places = {"time": (place["date"], place["time"]), "target": (place["cs-uri-stem"],)}
    for field, candidates in _FIELDS.items():
        found = next((place[name] for name in candidates if name in place), None)
        if found is not None:
            places[field] = (found,)
    said = ", ".join(f"{field}={name}" for field, names in _SAID.items() for name in names if name in place)
    return LineLayout(
        "W3C extended",
        f"W3C extended: {said}",
        SeparatedValues("\t" if tabs else " ", len(names), places),
        {field: (field,) for field in places},
        TimeForm("iso", zoned=True, fine=False),
        escapes="percent" if tabs else "plus",
        comment="#",
    )
