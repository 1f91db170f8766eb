"""Every layout of access logs that is recognised, in the order in which they are tried."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

from necropsy.evidence.access_log import reference
from necropsy.evidence.access_log.formats import given
from necropsy.evidence.access_log.formats.json import json_lines
from necropsy.evidence.access_log.formats.layout import LineLayout, NamedLogFormat
from necropsy.evidence.access_log.formats.text import keyed_lines, known, producers, w3c

Recogniser: TypeAlias = Callable[[Sequence[str], Sequence[NamedLogFormat]], Sequence[LineLayout]]
"""First lines and given formats in; layouts that might fit out, better ones first."""


def _json(lines: Sequence[str], formats: Sequence[NamedLogFormat]) -> Sequence[LineLayout]:
    found = json_lines.recognise(lines, given.named_keys(formats))
    return [found] if found else []


def _keyed(lines: Sequence[str], formats: Sequence[NamedLogFormat]) -> Sequence[LineLayout]:
    found = keyed_lines.recognise(lines, given.named_keys(formats))
    return [found] if found else []


def _producers(lines: Sequence[str], _: Sequence[NamedLogFormat]) -> Sequence[LineLayout]:
    return producers.layouts(lines)


def _w3c(lines: Sequence[str], _: Sequence[NamedLogFormat]) -> Sequence[LineLayout]:
    found = w3c.recognise(lines)
    return [found] if found else []


def _known_text(lines: Sequence[str], _: Sequence[NamedLogFormat]) -> Sequence[LineLayout]:
    return known.layouts(lines)


LAYOUTS: Final[tuple[tuple[str, Recogniser], ...]] = (
    ("a log_format that was given or stands in the nginx configuration", given.given),
    ("JSON, one object a line, any key names", _json),
    ("W3C extended: CloudFront, IIS", _w3c),
    ("lines of HAProxy, routers, balancers, application servers", _producers),
    ("combined and its relatives, Envoy's and the application load balancer's own", _known_text),
    ("keys and values: LTSV, logfmt", _keyed),
)
"""What it is, and who recognises it."""


def recognise(lines: Sequence[str], formats: Sequence[NamedLogFormat]) -> LineLayout | None:
    """Recognise the layout by the first lines: the first that reads most of them; None when none reads any."""
    layout = _recognised(lines, formats)
    untidy = any(map(_UNTIDY.search, lines))
    if layout is None or not untidy or layout.kind != "lines" or "client" not in layout.fields:
        return layout
    return replace(layout, clients_are_untidy=True)


_UNTIDY: Final = re.compile(r"(?i)::ffff:|(?:^|\s)(?:(?:\d{1,3}\.){3}\d{1,3}|\[[0-9a-f:]+\]):\d{1,5} \S+ \S+ \[")
"""Finds IPv4 addresses mapped into IPv6, and in the place of combined's client an address with its port (Hypercorn)."""


def _recognised(lines: Sequence[str], formats: Sequence[NamedLogFormat]) -> LineLayout | None:
    best: tuple[int, LineLayout] | None = None
    for _, recogniser in LAYOUTS if lines else ():
        for layout in recogniser(lines, formats):
            readable = sum(isinstance(row, reference.ParsedLine) for row in reference.read(layout, lines))
            if readable == len(lines):
                return layout
            if readable and (best is None or readable > best[0]):
                best = (readable, layout)
    return best[1] if best else None
