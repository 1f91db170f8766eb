"""Pairs of a redirect and the line that may have followed it, by their order alone.

Within one flow a run of redirects is followed by a run of other lines; the n-th of the one is paired with the n-th of the
other. So two probers that are redirected in the same second come apart. A client that follows no redirect, and asks for one
page after another, seems to follow some: but it asks for that page as often where nothing redirected it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

_ENOUGH: Final = 20
"""Redirects of one page, and lines that redirect nowhere, of one flow, from which they tell whether it follows."""
_FOLLOWED: Final = 0.8
"""Share of a page's redirects from which it is followed, whatever else is asked."""
_AS_OFTEN: Final = 0.5
"""How often a page comes where nothing redirects to it, as a share of how often it comes behind a redirect, from which the
redirect is no reason."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Pairs lines of the same key; see ``__call__``."""

    slack_us: int
    """Microseconds within which a redirect is followed."""
    named: bool
    """Whether keys are those of pages that Referers named: a follower came later then, and may ask for the same page
    of another host; else it asks for another page."""

    def __call__(self, legs: pa.Table) -> pa.Table:
        """Pair lines.

        Parameters
        ----------
        legs
            All lines of some keys: ``key``, ``time_us``, ``number``, ``flow``, ``leads`` (1: a redirect), ``what`` (lines
            that differ in it make different runs), ``free`` (whether it may follow), ``pattern_key`` and ``bare_key`` (page
            and host without its port).

        Returns
        -------
        ``key``, ``number`` of a redirect and of its ``follower``, their ``flow`` and pages, ``from_pattern`` and
        ``to_pattern``, and ``onward`` (1: the follower is a redirect, too).
        """
        import numpy as np
        import pyarrow as pa

        line: dict[str, NDArray[Any]] = {name: legs[name].to_numpy() for name in legs.column_names}
        order = _in_order(line)
        line = {name: column[order] for name, column in line.items()}
        turn = np.ones(order.size, dtype=bool)
        turn[1:] = False
        for name in ("key", "what", "free", "leads"):
            turn[1:] |= line[name][1:] != line[name][:-1]
        starts = np.append(np.flatnonzero(turn), order.size)
        run = np.cumsum(turn) - 1
        leading = np.flatnonzero(line["leads"] == 1)
        place, behind = leading - starts[run[leading]], starts[run[leading] + 1]
        # The run behind ends where the one after it starts; there is none behind the last.
        ends = starts[np.minimum(run[leading] + 2, starts.size - 1)]
        met = behind + place < ends
        a, b = leading[met], (behind + place)[met]
        chosen = (line["key"][a] == line["key"][b]) & line["free"][b]
        chosen &= line["time_us"][b] - line["time_us"][a] <= self.slack_us
        other = line["pattern_key"][a] != line["pattern_key"][b]
        if self.named:
            other |= line["bare_key"][a] != line["bare_key"][b]
            chosen &= (line["leads"][b] == 0) & (line["number"][a] < line["number"][b])
        a, b = a[chosen & other], b[chosen & other]
        if not self.named and a.size:
            led = ~_comes_anyway(line, a, b, self.slack_us)
            a, b = a[led], b[led]
        return pa.table(
            {
                "key": line["key"][a],
                "number": line["number"][a],
                "follower": line["number"][b],
                "flow": line["flow"][a],
                "from_pattern": line["pattern_key"][a],
                "to_pattern": line["pattern_key"][b],
                "onward": line["leads"][b].astype(np.int64),
            }
        )


def _comes_anyway(
    line: dict[str, NDArray[Any]], a: NDArray[np.int64], b: NDArray[np.int64], slack_us: int
) -> NDArray[np.bool_]:
    """Mark the pairs of lines ``a`` and ``b`` of a flow that asks for the second page as often behind no redirect."""
    import numpy as np

    key, leads = line["key"], line["leads"] == 1
    page = np.unique(line["pattern_key"], return_inverse=True)[1].astype(np.int64)
    flow = np.cumsum(np.append(True, key[1:] != key[:-1])) - 1
    pages = int(page.max()) + 1
    place = flow * pages + page
    from_place, pair = place[a], place[a] * pages + page[b]
    followed = np.append((key[1:] == key[:-1]) & (np.diff(line["time_us"]) <= slack_us), False)
    next_page = np.append(page[1:], 0)
    behind = followed & leads
    plain = followed & ~leads
    redirects, others = _Counts(place[leads]), _Counts(flow[~leads])
    paired = _Counts(pair)
    all_a, all_plain = redirects.of(from_place), others.of(flow[a])
    after = _Counts(place[behind] * pages + next_page[behind]).of(pair) / np.maximum(all_a, 1)
    anyway = _Counts(flow[plain] * pages + next_page[plain]).of(flow[a] * pages + page[b]) / np.maximum(all_plain, 1)
    known = (all_a >= _ENOUGH) & (all_plain >= _ENOUGH)
    result: NDArray[np.bool_] = known & (paired.of(pair) < _FOLLOWED * all_a) & (anyway >= _AS_OFTEN * after)
    return result


class _Counts:
    """Occurrences of each number."""

    def __init__(self, numbers: NDArray[np.int64]) -> None:
        import numpy as np

        self._numbers, self._counts = np.unique(numbers, return_counts=True)

    def of(self, numbers: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how often each of them occurred."""
        import numpy as np

        if not self._numbers.size:
            return np.zeros(numbers.size, np.int64)
        at = np.minimum(np.searchsorted(self._numbers, numbers), self._numbers.size - 1)
        return np.where(self._numbers[at] == numbers, self._counts[at], 0)


def _in_order(line: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Return the order by key, time, number, and what follows before what leads."""
    import numpy as np

    by_time = np.lexsort((2 * line["number"] + line["leads"], line["time_us"]))
    return by_time[np.argsort(line["key"][by_time], kind="stable")]
