"""Groups of visits that can be one creator: what comes at a fixed interval by itself, all else by agent and page.

Browsers of one page are one group, whoever sits before them; a client of its own rhythm is a group by itself, as two
probers of one address must not share a probability. A program of which many versions come, each seldom, is one program.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.model.traffic import STATIC
from necropsy.probes import session_risk
from necropsy.verdict.attribution import sampling
from necropsy.visits.agents import hides_its_clients, is_browser

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from necropsy.verdict.evidence import VisitorClass, Visits

_STATIC: Final = re.compile(STATIC)
_OWN: Final = 50
_OWN_SHARE: Final = 0.01
"""Visits of a browser's User-Agent, by number and by share of all browsers', from which it has a probability of its own."""
_SEVERAL: Final = 3
_OF_PROGRAM: Final = 0.1
"""Versions of one program from which the seldom ones are one program: with fewer visits than a browser's of its own, or with
less than that share of the program's."""
_NUMBERS: Final = re.compile(r"\d[\d.]*")
_MANY_CLIENTS: Final = 100
_PART: Final = 0.05
_ONCE: Final = 1.5
_TWICE: Final = 2.0
"""Of clients that pass through: how many of one User-Agent, which part of all browsers' visits, how many visits each at most,
and how many each of the others has at least."""
_WHOLE: Final = 0.95
"""Share of the requests from which a log is taken for whole."""
_FEWEST: Final = 20
"""Visits that show a rhythm."""
_STEADY: Final = 0.8
"""Share of the intervals that must be alike."""
_CUT_S: Final = 1.5
"""How far the visits of one clock may lie apart from it in a log of whole seconds, first to last."""
_MOST_REQUESTS: Final = 3
"""Requests of a visit that are believed to start sessions."""
_MOST_INTERLEAVED: Final = 6
"""Probers of one address that a class may hold."""


@dataclass(slots=True)
class Group:
    """Visits that share one creation probability."""

    rows: list[int]
    """Indices into the classes."""
    log: int
    browser: bool
    """Whether it can be a browser: by its User-Agent, or in a log that tells none."""
    agent: str
    host: str
    method: str
    path: str
    status: int
    is_clockwork: bool
    interval_s: float | None = None
    """Usual interval, of clockwork."""
    complete: float | None = None
    """Of clockwork, which share of its requests the log holds; less than 1 where the log is a sample."""
    requests_each: int = 1
    """Requests of a visit that may each start a session: two where it follows a redirect."""
    drift_s: float | None = None
    """By how much its mean interval is longer than whole seconds; None: it keeps its phase, or several take turns."""

    @property
    def is_static(self) -> bool:
        """Whether the path is a file's that belongs to a page: the page before it made the session."""
        return bool(_STATIC.search(self.path))

    @property
    def is_harmless_by_name(self) -> bool:
        """Whether the path is a health endpoint by its name: a prior, overruled by births."""
        return bool(self.path) and session_risk.is_harmless_path(self.path)


@dataclass(slots=True)
class Groups:
    """All groups, and what each visit belongs to."""

    groups: list[Group]
    logs: tuple[str, ...]
    of_visit: NDArray[np.int32]
    row_of_visit: NDArray[np.int32]
    client_of_visit: NDArray[np.int32]
    log_of_visit: NDArray[np.int16]
    agent_of_row: NDArray[np.int32]
    """Number of the User-Agent of each class; -1: none."""
    family: NDArray[np.int64]
    """By group of machines: number of its kind, the same for clockwork that differs by client alone; -1: browsers."""

    def share_held(self, log: int) -> float:
        """Share of all requests that a log holds, as the clockwork that it shows most completely tells; 1 where none does.

        A service that takes turns among its addresses shows each of them now and then: only a client that is alone with its
        User-Agent and page tells.
        """
        mine = [group for group in self.groups if group.log == log]
        alone = Counter((group.agent, group.host, group.method, group.path) for group in mine)
        told = [
            group.complete
            for group in mine
            if group.complete is not None and alone[group.agent, group.host, group.method, group.path] == 1
        ]
        most = max(told, default=1.0)
        return 1.0 if most >= _WHOLE else most


def make_groups(classes: Sequence[VisitorClass], visits: Visits) -> Groups:
    """Sort visits into groups."""
    place = {visitors.class_id: row for row, visitors in enumerate(classes)}
    table = np.full(max(place, default=-1) + 2, -1, np.int32)
    for class_id, row in place.items():
        table[class_id] = row
    row_of_visit = table[np.clip(visits.class_id, -1, table.size - 1)]
    _, client = np.unique(visits.client, return_inverse=True)
    logs = tuple(sorted({visitors.log for visitors in classes} | {span.log for span in visits.spans}))
    log_number = {name: number for number, name in enumerate(logs)}
    steady, held = _clockwork(classes, row_of_visit, client, visits.at_us)
    for row in _pools(classes, row_of_visit, visits.at_us, steady):
        del steady[row]
    by_browser: dict[str, int] = {}
    for visitors in classes:
        if is_browser(visitors.user_agent):
            by_browser[visitors.user_agent] = by_browser.get(visitors.user_agent, 0) + visitors.visits
    least = max(_OWN, _OWN_SHARE * sum(by_browser.values()))
    frequent = {agent for agent, count in by_browser.items() if count >= least}
    program = _programs(classes)
    passing = _passing_through(classes, row_of_visit, client)
    nameless = frozenset(logs) - {visitors.log for visitors in classes if visitors.user_agent}
    groups: list[Group] = []
    known: dict[tuple[object, ...], int] = {}
    group_of_row = np.zeros(len(classes) + 1, np.int32)
    for row, visitors in enumerate(classes):
        # Where a log tells no User-Agent of anybody, anybody may be a browser: how they come must tell.
        hidden = visitors.log in nameless or hides_its_clients(visitors.user_agent)
        browser = hidden or (is_browser(visitors.user_agent) and visitors.user_agent not in passing)
        agent = program.get(visitors.user_agent, visitors.user_agent)
        if browser and visitors.user_agent not in frequent:
            agent = ""
        key: tuple[object, ...] = (
            visitors.log, browser, agent, visitors.host, visitors.method, visitors.path, visitors.status,
        )  # fmt: skip
        if row in steady:
            key = (row,)
        if key not in known:
            known[key] = len(groups)
            groups.append(
                Group(
                    rows=[],
                    log=log_number[visitors.log],
                    browser=browser,
                    agent=visitors.user_agent if row in steady else agent,
                    host=visitors.host,
                    method=visitors.method,
                    path=visitors.path,
                    status=visitors.status,
                    is_clockwork=row in steady,
                    interval_s=steady[row][0] if row in steady else None,
                    drift_s=steady[row][1] if row in steady else None,
                    complete=held.get(row),
                    requests_each=_requests_each(visitors),
                )
            )
        groups[known[key]].rows.append(row)
        group_of_row[row] = known[key]
    log_of_row = np.asarray([log_number[visitors.log] for visitors in classes] + [0], np.int16)
    agents: dict[str, int] = {}
    agent_of_row = np.asarray(
        [
            agents.setdefault(c.user_agent, len(agents)) if c.user_agent and not hides_its_clients(c.user_agent) else -1
            for c in classes
        ],
        np.int32,
    )
    kinds: dict[tuple[object, ...], int] = {}
    family = [
        kinds.setdefault((g.log, g.agent, g.method, g.path, g.status), len(kinds))
        if g.is_clockwork or (g.agent and not g.browser)
        else -1
        for g in groups
    ]
    return Groups(
        groups,
        logs,
        group_of_row[row_of_visit],
        row_of_visit,
        client.astype(np.int32),
        log_of_row[row_of_visit],
        agent_of_row,
        np.asarray(family, np.int64),
    )


def _programs(classes: Sequence[VisitorClass]) -> dict[str, str]:
    """Name of the program of each User-Agent that is one of many rare versions: an application of this year's telephones.

    ``Shop/4.1 (Android 14)`` and ``Shop/4.2 (Android 15)`` are ``Shop/* (Android *)``.
    """
    visits: Counter[str] = Counter()
    for visitors in classes:
        visits[visitors.user_agent] += visitors.visits
    whole: Counter[str] = Counter()
    named = {agent: _NUMBERS.sub("*", agent) for agent in visits if _NUMBERS.search(agent) and not is_browser(agent)}
    for agent, name in named.items():
        whole[name] += visits[agent]
    program = {agent: n for agent, n in named.items() if visits[agent] < max(_OWN, _OF_PROGRAM * whole[n])}
    versions = Counter(program.values())
    return {agent: name for agent, name in program.items() if versions[name] >= _SEVERAL}


def _requests_each(visitors: VisitorClass) -> int:
    """Requests of a visit; a client that keeps no cookie between them can start a session by each."""
    if not visitors.followed_to or not visitors.visits:
        return 1
    return max(1, min(_MOST_REQUESTS, round(visitors.requests / visitors.visits)))


def _passing_through(
    classes: Sequence[VisitorClass], row: NDArray[np.int32], client: NDArray[np.int64]
) -> frozenset[str]:
    """User-Agents of browsers whose clients, many of them, ask for one thing each and never again, as others do not.

    A browser fetches what belongs to its page, and people look at another one. A program with thousands of addresses that
    calls itself one exact version of a browser does neither.
    """
    names: dict[str, int] = {}
    agent = np.asarray(
        [names.setdefault(c.user_agent, len(names)) if is_browser(c.user_agent) else -1 for c in classes] + [-1]
    )[row]
    mine = agent >= 0
    if not mine.any():
        return frozenset()
    pair = np.unique(agent[mine].astype(np.int64) * (int(client.max()) + 1) + client[mine])
    clients = np.bincount(pair // (int(client.max()) + 1), minlength=len(names))
    visits = np.bincount(agent[mine], minlength=len(names))
    each = visits / np.maximum(clients, 1)
    others = (visits.sum() - visits) / np.maximum(clients.sum() - clients, 1)
    found = (clients >= _MANY_CLIENTS) & (visits >= _PART * visits.sum()) & (each <= _ONCE) & (others >= _TWICE)
    return frozenset(name for name, number in names.items() if found[number])


def _clockwork(
    classes: Sequence[VisitorClass], row: NDArray[np.int32], client: NDArray[np.int64], at_us: NDArray[np.int64]
) -> tuple[dict[int, tuple[float, float | None]], dict[int, float | None]]:
    """Find classes of one client whose visits come at one interval, or at the interval of several in turn; with drift.

    Return also how many of its requests the log holds, of each class of one client.
    """
    found: dict[int, tuple[float, float | None]] = {}
    held: dict[int, float | None] = {}
    order = np.argsort(row, kind="stable")
    counts = np.bincount(row[row >= 0], minlength=len(classes))
    first = np.searchsorted(row[order], np.arange(len(classes)))
    for number in np.flatnonzero(counts >= _FEWEST).tolist():
        mine = order[first[number] : first[number] + counts[number]]
        if client[mine[0]] != client[mine[-1]] or np.any(client[mine] != client[mine[0]]):
            continue
        held[number] = sampling.held(at_us[mine] / 1e6)
        interval = steady_interval(at_us[mine] / 1e6)
        if interval is not None:
            found[number] = interval, _drift(at_us[mine] / 1e6, interval)
        elif classes[number].period_s is not None:
            found[number] = float(classes[number].period_s or 0.0), None
    return found, held


def _pools(
    classes: Sequence[VisitorClass],
    row: NDArray[np.int32],
    at_us: NDArray[np.int64],
    steady: dict[int, tuple[float, float | None]],
) -> list[int]:
    """Clockwork that is one prober's at many addresses: they take turns, and none comes at the interval by itself.

    Behind an intermediary that sends its own User-Agent an address is nobody's.
    """
    together: dict[tuple[object, ...], list[int]] = {}
    for number in steady:
        mine = classes[number]
        key = (mine.log, mine.user_agent, mine.host, mine.method, mine.path, mine.status)
        together.setdefault(key, []).append(number)
    result: list[int] = []
    for alike in together.values():
        if hides_its_clients(classes[alike[0]].user_agent):
            result += alike
            continue
        if len(alike) < _SEVERAL:
            continue
        periods = [steady[number][0] for number in alike]
        at_s = np.sort(at_us[np.isin(row, alike)] / 1e6)
        usual = steady_interval(at_s)
        turns = (
            usual is not None and max(periods) - min(periods) < 0.02 * usual and abs(usual - periods[0]) < 0.02 * usual
        )
        if turns and all(steady_interval(at_us[row == number] / 1e6) is None for number in alike):
            result += alike
    return result


def _drift(at_s: NDArray[np.float64], usual_s: float) -> float | None:
    """Mean interval less whole seconds: what waits after each answer drifts, and its mean is known to a millisecond."""
    gaps = np.diff(at_s)
    alike = gaps[np.abs(gaps - usual_s) <= min(1.5, 0.3 * usual_s + 1.0)]
    if alike.size < 0.9 * gaps.size or not alike.size:
        return None
    mean = float(alike.mean())
    drift = mean - round(mean)
    error = 1.0 / alike.size
    return drift if max(2 * error, 0.0007) < abs(drift) < 0.02 * mean + 0.02 else None


def steady_interval(at_s: NDArray[np.float64]) -> float | None:
    """Interval of visits that come at a fixed interval, alone or several in turn; None where there is none.

    >>> steady_interval(np.arange(30) * 10.0)
    10.0
    """
    for together in range(1, _MOST_INTERLEAVED + 1):
        if at_s.size < _FEWEST + together:
            return None
        gaps = at_s[together:] - at_s[:-together]
        usual = float(np.median(gaps))
        slack = min(1.1, 0.06 * usual + 0.05) if usual < 5 else min(3.2, 0.06 * usual + 1.05)
        if usual > 0.2 and slack < 0.45 * usual and float((np.abs(gaps - usual) <= slack).mean()) >= _STEADY:
            return usual if together == 1 else _one_clock(at_s) or usual
    return None


def _one_clock(at_s: NDArray[np.float64]) -> float | None:
    """Interval of visits that are one clock's, none missing; None where they are not.

    Every 2.5 s, a log of whole seconds has gaps of 2 and 3 in turn, as if two came every 5 s.

    >>> _one_clock(np.floor(np.arange(40) * 2.5))
    2.5
    """
    count = np.arange(at_s.size)
    interval, first = np.polyfit(count, at_s, 1)
    apart = np.ptp(at_s - first - interval * count)
    return round(float(interval), 2) if apart <= _CUT_S else None
