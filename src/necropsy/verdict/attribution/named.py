"""Births whose session names the request that made them: a saved request holds its headers. The best evidence there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.probes import session_risk
from necropsy.verdict import identity_match
from necropsy.verdict.attribution.sources import BirthSource
from necropsy.verdict.attribution.trains import find_trains
from necropsy.verdict.chunks import AT_ONCE, chunks
from necropsy.visits.agents import is_browser

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.model.probe import Probe
    from necropsy.verdict.attribution.timeline import Timeline
    from necropsy.verdict.evidence import Births, Creator, VisitorClass

_OWN_PAGE: Final = 0.05
"""Share of a client's births from which a page of it is a creator by itself."""
_ENOUGH: Final = 4_000
"""Births of one creator that tell its rhythm: there is nobody else among them."""
_MOST_PAGES: Final = 300
"""Pages of one creator that are looked for in the logs."""
_ALONE: Final = 0.7
"""Share of them that must be of one train."""
ERROR_PATH: Final = "/error"
"""An error dispatch inside the application: nobody asked for it."""


def named(births: Births) -> tuple[list[BirthSource], NDArray[np.bool_]]:
    """Claim births that name a machine; what names a browser is judged in time, as anything can call itself one.

    Returns
    -------
    sources, free
        Commonest creator first; which births are left.
    """
    is_machine = _machines(births)
    if not is_machine.any():
        return [], np.ones(births.born_ms.size, dtype=bool)
    free = np.ones(births.born_ms.size, dtype=bool)
    each: dict[tuple[str, str], list[tuple[int, NDArray[np.int64]]]] = {}
    for number, mine in enumerate(_by_creator(births)):
        if is_machine[number] and mine.size:
            free[mine] = False
            creator = births.creators[number]
            each.setdefault((creator.user_agent, creator.host), []).append((number, mine))
    sources = []
    for parts_of in each.values():
        parts_of.sort(key=lambda part: -part[1].size)
        least = _OWN_PAGE * sum(mine.size for _, mine in parts_of)
        large = [part for part in parts_of if part[1].size >= least]
        small = [part for part in parts_of if part[1].size < least]
        pages: tuple[int, ...] = ()
        if small:  # a crawler's thousand pages are one creator
            first, mine = large[0] if large else small[0]
            rest = small if large else small[1:]
            large[:1] = [(first, np.sort(np.concatenate([mine, *(births_of for _, births_of in rest)])))]
            pages = (first, *(number for number, _ in rest))
        sources += [
            BirthSource(
                "visitor",
                "named",
                mine,
                np.broadcast_to(np.float64(1.0), mine.size),
                creator=number,
                pages=pages if pages[:1] == (number,) else (),
            )
            for number, mine in large
        ]
    sources.sort(key=lambda source: -source.births.size)
    return sources, free


def rhythms(source: BirthSource, timeline: Timeline, periods_s: Sequence[float], coverage: float) -> list[BirthSource]:
    """Split a creator that is several probers of one name, as their phases tell; give each its train.

    Read from the newest births. A proxy that passes one host's requests on to two ports makes two probers of one name.
    """
    mine = source.births[-_ENOUGH:]
    found = find_trains(timeline.born_s[mine], periods_s, resolution_s=timeline.resolution_s, coverage=coverage)
    trains = [replace(train, births=mine[train.births]) for train in found]
    if trains and trains[0].births.size >= _ALONE * mine.size:
        return [replace(source, train=trains[0], probability=trains[0].ticks.fullness)]
    alike = [train for train in trains if train.period_s == trains[0].period_s and train.members == 1]
    if len(alike) < 2 or sum(train.births.size for train in alike) < _ALONE * mine.size:
        return [source]
    centre = np.asarray([train.middle_s for train in alike])
    period = alike[0].period_s
    apart = np.abs(timeline.born_s[source.births][:, None] - centre[None, :]) % period
    nearest = np.minimum(apart, period - apart).argmin(axis=1)
    return [
        replace(
            source,
            births=source.births[nearest == number],
            weight=np.ones(int((nearest == number).sum())),
            train=train,
            probability=train.ticks.fullness,
        )
        for number, train in enumerate(alike)
    ]


def names_no_machine(births: Births) -> NDArray[np.bool_]:
    """Whether each birth names nobody, or a browser."""
    other: NDArray[np.bool_] = ~_machines(births)[births.creator]
    return other


def _machines(births: Births) -> NDArray[np.bool_]:
    """Whether each creator is a machine, and a last place for births that name none.

    A layout that keeps the address of a page, as Laravel's does, and never the User-Agent names nobody.
    """
    tells = any(creator.user_agent for creator in births.creators)
    return np.asarray([tells and not is_browser(c.user_agent) for c in births.creators] + [False], dtype=bool)


def names_browser(births: Births) -> NDArray[np.bool_]:
    """Whether each birth names a browser as its creator."""
    browser = np.asarray([is_browser(c.user_agent) for c in births.creators] + [False], dtype=bool)
    return browser[births.creator]


def _by_creator(births: Births) -> list[NDArray[np.int64]]:
    """Indices of the births of each creator, in order.

    Counted and placed a part at a time, whatever the number of creators: there may be as many as an attacker likes, and
    ten million births.
    """
    groups = len(births.creators) + 1  # the first: births that name nobody
    cut = list(chunks(births.creator.size, max(AT_ONCE, groups)))
    counts = [np.bincount(births.creator[part] + 1, minlength=groups) for part in cut]
    total = sum(counts, np.zeros(groups, np.int64))
    ends = np.cumsum(total)
    place = ends - total
    together = np.empty(births.born_ms.size, np.int64)
    small = np.int16 if groups < 1 << 15 else np.int32  # two bytes are sorted by their digits
    for part, here in zip(cut, counts, strict=True):
        order = np.argsort(births.creator[part].astype(small), kind="stable")
        # The n-th of a creator here comes n places after those of the parts before.
        to = np.repeat(place - (np.cumsum(here) - here), here) + np.arange(order.size)
        together[to] = order + part.start
        place += here
    return np.split(together, ends[:-1])[1:]


def probe_named(
    creator: Creator,
    probes: Sequence[Probe],
    *,
    period_s: float | None = None,
    taken: frozenset[int] = frozenset(),
    by_proxy: tuple[bool, frozenset[int]] | None = None,
) -> int | None:
    """Index of the configured probe that a session names; an error's path names no request.

    A User-Agent that the configuration does not tell of is believed where host, port and path are the probe's alone.
    ``by_proxy`` tells whether a log shows the creator, and the ports at which a logging proxy answers: of two probes of one
    host it is the one that passes the proxy, or the one that goes round it.
    """

    def order(index: int) -> tuple[bool, bool]:
        return index in taken, by_proxy is not None and (probes[index].port in by_proxy[1]) != by_proxy[0]

    fitting = [
        index
        for index, probe in enumerate(probes)
        if creator.host
        and identity_match.host_fits(probe, creator.host)
        and creator.path in ("", ERROR_PATH, probe.path.split("?", 1)[0])
    ]
    # Through a proxy's name the application does not see the port: then period and path must be the probe's.
    name = session_risk.split_host(creator.host)[0] if creator.host else ""
    by_period = [
        index
        for index, probe in enumerate(probes)
        if period_s is not None
        and probe.timing == "ticker"
        and abs(probe.period_s - period_s) < 0.01 * period_s
        and probe.host == name
        and index not in taken
        and creator.path == probe.path.split("?", 1)[0]
    ]
    sure = sorted((n for n in fitting if identity_match.agent_fits(probes[n], creator.user_agent)), key=order)
    if sure and (not by_period or order(sure[0]) <= order(min(by_period, key=order))):
        return sure[0]
    fitting = sorted([*fitting, *by_period], key=order)
    known = [n for n in fitting if probes[n].host != session_risk.UNKNOWN_ADDRESS and probes[n].creates_sessions]
    if known and creator.path not in ("", ERROR_PATH):
        return known[0]
    return sure[0] if sure else None


def rows_of(source: BirthSource, creators: Sequence[Creator], classes: Sequence[VisitorClass]) -> list[int]:
    """Indices of the classes that a named source's sessions can name: those of its page first, then those of its others."""
    assert source.creator is not None  # noqa: S101 -- asked of named sources only
    exact = frozenset(creator.host for creator in creators)
    rows = rows_named(creators[source.creator], classes, exact)
    if len(source.pages) < 2:
        return rows
    known = set(rows)
    paths = {creators[number].path for number in source.pages[:_MOST_PAGES]}
    others = rows_named(replace(creators[source.creator], path=""), classes, exact)
    return rows + [row for row in others if row not in known and any(folds(classes[row].path, path) for path in paths)]


def rows_named(creator: Creator, classes: Sequence[VisitorClass], exact: frozenset[str] = frozenset()) -> list[int]:
    """Indices of the classes that a session can name, most visits first.

    ``exact``: hosts that sessions name; a log's host without a port is rather the one that a session names like that.
    """
    rows = [
        row
        for row, visitors in enumerate(classes)
        if visitors.user_agent == creator.user_agent
        and _is_host(visitors.host, creator.host, exact)
        and (
            creator.path in ("", ERROR_PATH)
            or folds(visitors.path, creator.path)
            # The second request of a visit, where no cookie came along.
            or (visitors.followed_to is not None and folds(visitors.followed_to, creator.path))
        )
    ]
    return sorted(rows, key=lambda row: (classes[row].path != creator.path, -classes[row].visits))


def _is_host(logged: str, created: str, exact: frozenset[str]) -> bool:
    """Whether a log's host can be a session's: nginx' $host has no port, whatever the port of the request."""
    if not logged or not created:
        return True
    mine, its = session_risk.split_host(logged), session_risk.split_host(created)
    return mine == its or (not session_risk.names_port(logged) and mine[0] == its[0] and logged not in exact)


def folds(pattern: str, path: str) -> bool:
    """Whether a log's pattern can stand for a page that a session names.

    >>> folds("/orders/*", "/orders/17"), folds("/orders/*", "/"), folds("/", "/")
    (True, False, True)
    """
    mine, other = pattern.split("/"), path.partition("?")[0].split("/")
    if pattern == path or "*" not in pattern:
        return pattern == path.partition("?")[0]
    if len(other) > len(mine) and mine[-1] == "*":
        other = other[: len(mine)]
    return len(mine) == len(other) and all("*" in one or one == two for one, two in zip(mine, other, strict=True))


def label(creator: Creator) -> str:
    """Name a creator for a legend."""
    path = "" if creator.path == ERROR_PATH else creator.path
    return f"{creator.user_agent or 'no User-Agent'} {creator.method} {creator.host}{path}".strip()
