"""``query_range`` of Prometheus' HTTP API, which VictoriaMetrics, Thanos and Mimir answer as well.

A request may return 11,000 points of each series. A longer span is asked for in pieces, and every answer is laid on one grid.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

import numpy as np

from necropsy.model.errors import UnreadableSource
from necropsy.wire.http import get

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_POINTS: Final = 11_000
"""Points of one series that Prometheus returns for one request (``exceeded maximum resolution``)."""
_TIMEOUT_S: Final = 60.0
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Grid:
    """Moments at which series are evaluated: ``start_s``, ``start_s + step_s`` …, ``points`` of them."""

    start_s: float
    step_s: float
    points: int

    @property
    def at_s(self) -> NDArray[np.float64]:
        """All moments, Unix seconds."""
        return self.start_s + self.step_s * np.arange(self.points, dtype=np.float64)


def grid(start_s: float, end_s: float, least_step_s: float = 15.0, most_points: int = MOST_POINTS) -> Grid:
    """Return the grid of a span that fits one request: a step of whole seconds, and moments that are multiples of it.

    >>> grid(1_000_000.0, 1_000_000.0 + 30 * 86_400.0)
    Grid(start_s=999840.0, step_s=240.0, points=10801)
    >>> grid(0.0, 3_600.0).step_s
    15.0
    """
    step = max(least_step_s, math.ceil((end_s - start_s) / (most_points - 2) / least_step_s) * least_step_s)
    start = math.floor(start_s / step) * step
    return Grid(start, step, int((end_s - start) // step) + 1)


@dataclass(frozen=True, slots=True)
class Series:
    """One series on a grid."""

    labels: Mapping[str, str]
    values: NDArray[np.float64]
    """NaN where there was no sample within the server's lookback, five minutes by default."""


def ask(
    address: str,
    expression: str,
    on: Grid,
    report: Callable[[float], None] = lambda _share: None,
    warn: Callable[[str], None] = lambda _why: None,
) -> list[Series]:
    """Evaluate an expression on a grid.

    Parameters
    ----------
    address
        Of the server, with the path before ``/api`` if there is one; ``user:password@`` is sent as basic authentication.
    expression
        PromQL.
    on
        The grid; of any length.
    report
        Called with the share that is done, 0 to 1.
    warn
        Called with the reason when an answer lacks a part: Thanos and VictoriaMetrics answer with what they reach.

    Raises
    ------
    UnreadableSource
        Nobody there, no such API, a refused query, or an answer that is none of Prometheus'.
    """
    values: dict[tuple[tuple[str, str], ...], NDArray[np.float64]] = {}
    for first in range(0, on.points, MOST_POINTS):
        points = min(MOST_POINTS, on.points - first)
        start = on.start_s + first * on.step_s
        for labels, at, found in _piece(address, expression, start, on.step_s, points, warn):
            known = values.setdefault(labels, np.full(on.points, np.nan))
            place = np.round((at - on.start_s) / on.step_s).astype(np.int64)
            inside = (place >= 0) & (place < on.points)
            known[place[inside]] = found[inside]
        report((first + points) / on.points)
    return [Series(dict(labels), found) for labels, found in values.items()]


def _piece(
    address: str, expression: str, start_s: float, step_s: float, points: int, warn: Callable[[str], None]
) -> Iterator[tuple[tuple[tuple[str, str], ...], NDArray[np.float64], NDArray[np.float64]]]:
    end_s = start_s + step_s * (points - 1)
    query = urlencode({"query": expression, "start": f"{start_s:.3f}", "end": f"{end_s:.3f}", "step": f"{step_s:g}"})
    answer = get(f"{address.rstrip('/')}/api/v1/query_range?{query}", timeout_s=_TIMEOUT_S)
    shown = answer.url.partition("?")[0]
    body = _json(answer.body, answer.status, shown)
    if body.get("status") != "success":
        reason = str(body.get("error", f"answers {answer.status}"))[:_LONGEST]
        raise UnreadableSource(
            f"{shown}: refuses the query: {reason}", hint="Read a shorter time with --history-since."
        )
    for why in _incomplete(body):
        warn(why)
    data = body.get("data")
    result = data.get("result") if isinstance(data, dict) else None
    if not isinstance(result, list):
        raise UnreadableSource(f"{shown}: an answer without series", hint="Is it Prometheus' HTTP API?")
    for one in result:
        try:
            labels = tuple(sorted((str(name), str(text)) for name, text in one["metric"].items()))
            pairs = one["values"]
            at = np.fromiter((pair[0] for pair in pairs), np.float64, len(pairs))
            found = np.fromiter((float(pair[1]) for pair in pairs), np.float64, len(pairs))
        except (KeyError, TypeError, ValueError, AttributeError, IndexError):
            raise UnreadableSource(f"{shown}: a malformed series", hint="Is it Prometheus' HTTP API?") from None
        yield labels, at, found


def _incomplete(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield why an answer lacks a part.

    >>> list(_incomplete({"status": "success", "warnings": ["store 10.0.0.7:10901: deadline exceeded"]}))
    ['store 10.0.0.7:10901: deadline exceeded']
    >>> list(_incomplete({"status": "success", "isPartial": True}))
    ['some of its storage did not answer']
    """
    warnings = body.get("warnings")
    if isinstance(warnings, list):
        yield from (str(why)[:_LONGEST] for why in warnings)
    if body.get("isPartial") is True:
        yield "some of its storage did not answer"


def _hint(status: int) -> str:
    if status in (401, 403):
        return "Put the login into the address: http://USER:PASSWORD@prometheus:9090."
    if status >= 500:
        return "The server cannot answer now: try again later, or read a shorter time with --history-since."
    return "Give the address without /api, as in http://prometheus:9090."


def _json(body: bytes, status: int, shown: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        said = f"answers {status}" if status != 200 else "does not answer JSON"
        raise UnreadableSource(f"{shown}: {said}", hint=_hint(status))
    return found
