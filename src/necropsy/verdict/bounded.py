"""Least squares with every coefficient between 0 and 1, on the normal equations: what a probability may be.

A primal active set method for a convex quadratic function in a box (Nocedal and Wright, Numerical Optimization, chapter
16.5). With some twenty coefficients it takes a fraction of a millisecond; a general optimiser takes longer to import.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TOLERANCE: Final = 1e-10
_ROUNDS: Final = 50
"""Rounds for each coefficient before giving up on the last digits: a coefficient enters and leaves a few times at most."""


def bounded_least_squares(gram: NDArray[np.float64], moment: NDArray[np.float64]) -> NDArray[np.float64]:
    """Minimise ``x·gram·x / 2 - moment·x`` over ``0 <= x <= 1``.

    Parameters
    ----------
    gram
        ``A.T @ A`` of the observations, n by n, positive definite.
    moment
        ``A.T @ b``, n.

    Returns
    -------
    array of n
        The minimum, unique as ``gram`` is positive definite.

    >>> bounded_least_squares(np.array([[4.0, 0.0], [0.0, 1.0]]), np.array([2.0, -3.0])).tolist()
    [0.5, 0.0]
    """
    size = moment.size
    x = np.zeros(size)
    free = np.zeros(size, dtype=bool)
    slack = _TOLERANCE * max(1.0, float(np.abs(moment).max(initial=0.0)))
    for _ in range(_ROUNDS * max(1, size)):
        if free.any():
            target = x.copy()
            known = gram[np.ix_(free, ~free)] @ x[~free]
            target[free] = np.linalg.solve(gram[np.ix_(free, free)], moment[free] - known)
            step = target - x
            # How far each coefficient can go towards its target before it meets a bound.
            room = np.where(step > 0, 1.0 - x, x)
            reach = np.divide(room, np.abs(step), out=np.full(size, np.inf), where=np.abs(step) > room)
            share = min(1.0, float(reach.min()))
            x = np.clip(x + share * step, 0.0, 1.0)
            if share < 1.0:
                free &= reach > share
                continue
        slope = gram @ x - moment
        # What a bound holds back: it would go up from 0, or down from 1.
        pull = np.where(free, 0.0, np.where(x <= 0.0, -slope, np.where(x >= 1.0, slope, np.abs(slope))))
        worst = int(pull.argmax()) if size else 0
        if not size or pull[worst] <= slack:
            break
        free[worst] = True
    return x
