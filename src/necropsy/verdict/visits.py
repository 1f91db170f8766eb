"""Births explained by visits that do not come like clockwork: bounded least squares with bootstrap intervals.

Births per minute are modelled as the sum over creators of (probability that a visit creates a session) × (visits in that
minute), each probability between 0 and 1. Classes of one period are collinear and never come here: they were settled by
phase. Creators are people (all browsers together, by entry page) and each machine agent by itself.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

import numpy as np

from necropsy.probes import session_risk
from necropsy.verdict import acquaintance
from necropsy.verdict.bounded import bounded_least_squares
from necropsy.verdict.evidence import Births, Circumstances, Claim, VisitorClass

if TYPE_CHECKING:
    from numpy.typing import NDArray

_MOST_COLUMNS: Final = 24
_BOOTSTRAPS: Final = 60
_FEWEST_BIRTHS: Final = 5
_LEAST_SHARE: Final = 0.001
"""Fewer births than this share of all stay unexplained: no interval could be told from nothing."""


def claim_by_visits(births: Births, around: Circumstances, free: NDArray[np.bool_], hours: float) -> list[Claim]:
    """Claim births of nobody yet by the visits of the classes; does not mark them (it counts, it does not point)."""
    if around.bins is None or int(free.sum()) < max(_FEWEST_BIRTHS, _LEAST_SHARE * free.size):
        return []
    columns, owners = _design(births, around)
    if not columns.shape[1]:
        return []
    minutes = births.born_ms[free] // 60_000
    first = int(births.born_ms.min() // 60_000)
    observed = np.bincount(minutes - first, minlength=columns.shape[0]).astype(np.float64)[: columns.shape[0]]
    probability, spread = _solve(columns, observed, owners)
    visits = columns.sum(axis=0)
    claims: list[Claim] = []
    for owner in sorted(set(owners)):
        mine = np.asarray([o == owner for o in owners])
        count = float((probability[mine] * visits[mine]).sum())
        if count < 1.0:
            continue
        low, high = spread[owner]
        representative = _representative(owner, around)
        claims.append(
            Claim(
                store=births.store,
                creator="people" if owner == _PEOPLE else "visitor",
                evidence="visits",
                label="people with browsers" if owner == _PEOPLE else owner,
                births=count,
                births_low=low,
                births_high=high,
                births_per_hour=count / hours,
                creation_probability=min(1.0, count / max(1.0, float(visits[mine].sum()))),
                user_agent="" if owner == _PEOPLE else owner,
                class_id=representative.class_id if representative else None,
                in_access_log=True,
            )
        )
    return _scale(claims, int(free.sum()))


_PEOPLE: Final = "people"


def _owner(visitors: VisitorClass) -> str:
    return _PEOPLE if acquaintance.is_person(visitors.user_agent) else visitors.user_agent


def _representative(owner: str, around: Circumstances) -> VisitorClass | None:
    mine = [c for c in around.classes if owner != _PEOPLE and c.user_agent == owner]
    return max(mine, key=lambda c: c.visits) if mine else None


def _design(births: Births, around: Circumstances) -> tuple[NDArray[np.float64], list[str]]:
    """Matrix of visits (minutes × columns) and the owner of each column; columns are (owner, method, path, status)."""
    assert around.bins is not None  # noqa: S101 -- the caller's precondition, for the type checker
    groups: dict[tuple[str, str, str, int], list[int]] = defaultdict(list)
    weight: dict[tuple[str, str, str, int], int] = defaultdict(int)
    for visitors in around.classes:
        if visitors.period_s is not None or session_risk.is_harmless_path(visitors.path):
            continue
        key = (_owner(visitors), visitors.method, visitors.path, visitors.status)
        groups[key].append(visitors.class_id)
        weight[key] += visitors.visits
    if not groups:
        return np.zeros((0, 0)), []
    chosen = sorted(groups, key=lambda key: (-weight[key], key))[:_MOST_COLUMNS]
    first, last = (int(edge // 60_000) for edge in (births.born_ms.min(), births.born_ms.max()))
    matrix = np.zeros((last - first + 1, len(chosen)))
    column_of = np.full(max(c.class_id for c in around.classes) + 1, -1, dtype=np.int64)
    for column, key in enumerate(chosen):
        column_of[groups[key]] = column
    known = column_of[around.bins.class_id]
    row = around.bins.minute - first
    inside = (known >= 0) & (row >= 0) & (row < matrix.shape[0])
    np.add.at(matrix, (row[inside], known[inside]), around.bins.visits[inside])
    occupied = matrix.sum(axis=0) > 0
    return matrix[:, occupied], [key[0] for key, used in zip(chosen, occupied, strict=True) if used]


def _solve(
    columns: NDArray[np.float64], observed: NDArray[np.float64], owners: list[str]
) -> tuple[NDArray[np.float64], dict[str, tuple[float, float]]]:
    # Minutes without a visit of anybody say nothing about probabilities; leaving them out keeps the system small.
    active = columns.sum(axis=1) > 0
    x, y = columns[active], observed[active]
    probability = _bounded(x, y, np.ones(len(y)))
    random = np.random.default_rng(0)
    visits = columns.sum(axis=0)
    mine = {owner: np.asarray([o == owner for o in owners]) for owner in set(owners)}
    draws: dict[str, list[float]] = defaultdict(list)
    for _ in range(_BOOTSTRAPS):
        # Drawing minutes with replacement is giving each a whole weight: no matrix is copied.
        weight = np.bincount(random.integers(0, len(y), len(y)), minlength=len(y)).astype(np.float64)
        drawn = _bounded(x, y, weight)
        for owner, columns_of in mine.items():
            draws[owner].append(float((drawn[columns_of] * visits[columns_of]).sum()))
    return probability, {
        owner: (float(np.quantile(values, 0.025)), float(np.quantile(values, 0.975))) for owner, values in draws.items()
    }


def _bounded(x: NDArray[np.float64], y: NDArray[np.float64], weight: NDArray[np.float64]) -> NDArray[np.float64]:
    """Least squares with every coefficient in [0, 1], on the normal equations: columns by columns, however many minutes."""
    weighted = x * weight[:, None]
    gram = weighted.T @ x
    # A trace of a ridge: columns that always occur together share what they explain instead of failing.
    gram[np.diag_indices_from(gram)] += 1e-9 * max(1.0, float(np.trace(gram)))
    return bounded_least_squares(gram, weighted.T @ y)


def _scale(claims: list[Claim], births: int) -> list[Claim]:
    """Scale the claims down when together they claim more births than there are: each birth is claimed once."""
    total = sum(claim.births for claim in claims)
    if total > births:
        for claim in claims:
            claim.births *= births / total
            claim.births_low = min(claim.births_low, claim.births)
            claim.births_high = min(claim.births_high, float(births))
    return claims
