"""Pairs of a redirect and the line that may have followed it, by their order alone.

Within one flow a run of redirects is followed by a run of other lines; the n-th of the one is paired with the n-th of the
other. So two probers that are redirected in the same second come apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray


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


def _in_order(line: dict[str, NDArray[Any]]) -> NDArray[np.int64]:
    """Return the order by key, time, number, and what follows before what leads."""
    import numpy as np

    by_time = np.lexsort((2 * line["number"] + line["leads"], line["time_us"]))
    return by_time[np.argsort(line["key"][by_time], kind="stable")]
