"""How often is something called a clock that is none? Measured on shuffled controls of the same log.

    python bench/rhythm/controls.py [LOG ...] [--rounds 20] [--seed N] [--lines 400000]

Every visitor class that was not called a clock is its own control: its gaps are put into another order, by chance, and it
is judged again, among as many. What made people bursty stays (the gaps themselves), what could make a clock (their
order, the phase) goes; whatever is found then is found wrongly. Clocks are left out: equal gaps are equal in any order.
Without a log, that of ``bench/access_log.py`` is made: a day of people, five probers, crawling bots among the people.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

Visits = tuple["NDArray[np.int64]", "NDArray[np.int64]"]
"""Class of each visit, and its time in microseconds since 1970."""


def visits_of(log: str) -> tuple[Visits, int]:
    """Return the visits of a log that are judged, and how many classes that are."""
    from necropsy.case.store import Case
    from necropsy.evidence.access_log import reader
    from necropsy.visits import analyse

    seen: list[pa.Table] = []
    among = [0]

    class Listening(analyse.Rhythms):
        def __call__(self, visits: pa.Table) -> pa.Table:
            seen.append(visits)
            among[0] = self.among
            return super().__call__(visits)

    judging = analyse.Rhythms
    analyse.Rhythms = Listening  # type: ignore[misc]
    try:
        with Case.create(None) as case:
            reader.read(case, [log], bins=False, checksums=False)
    finally:
        analyse.Rhythms = judging  # type: ignore[misc]
    columns = [np.concatenate([table[name].to_numpy() for table in seen]) for name in ("class_key", "time_us")]
    _, number = np.unique(columns[0], return_inverse=True)
    return (number.astype(np.int64), columns[1].astype(np.int64)), among[0]


def shuffled(visits: Visits, chance: np.random.Generator) -> Visits:
    """Return the same classes, their gaps in another order; in the order of classes and times."""
    class_id, time_us = visits
    order = np.lexsort((time_us, class_id))
    class_id, time_us = class_id[order], time_us[order]
    first = np.flatnonzero(np.diff(class_id, prepend=class_id[:1] - 1))
    gap = np.diff(time_us, prepend=time_us[:1])
    gap[first] = 0
    inner = np.ones(gap.size, dtype=bool)
    inner[first] = False
    # Within each class: sorted by class, and by chance within it; the first visits stay where they are.
    places = np.flatnonzero(inner)
    gap[places] = gap[places[np.lexsort((chance.random(places.size), class_id[places]))]]
    since = np.cumsum(gap)
    counts = np.diff(first, append=class_id.size)
    return class_id, np.repeat(time_us[first] - since[first], counts) + since


def false_positives(visits: Visits, among: int, rounds: int, seed: int) -> tuple[int, int, int]:
    """Return how many clocks the visits have, how many controls there were, and how many of these were called clocks."""
    from necropsy.rhythm import periods

    clocks = periods.find(*visits, among=among).class_id
    people = ~np.isin(visits[0], clocks)
    controls = visits[0][people], visits[1][people]
    chance = np.random.default_rng(seed)
    wrong = sum(periods.find(*shuffled(controls, chance), among=among).class_id.size for _ in range(rounds))
    return clocks.size, rounds * np.unique(controls[0]).size, wrong


def main() -> None:
    """Measure the logs that are named, or one that is made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("logs", nargs="*", metavar="LOG")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000))
    parser.add_argument("--lines", type=int, default=400_000, help="of the log that is made")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.rounds} rounds")
    with tempfile.TemporaryDirectory() as folder:
        logs = options.logs
        if not logs:
            from access_log import COMBINED_LINE, write

            logs = [str(Path(folder) / "combined.log")]
            write(Path(logs[0]), options.lines, COMBINED_LINE)
        for log in logs:
            visits, among = visits_of(log)
            clocks, controls, wrong = false_positives(visits, among, options.rounds, options.seed)
            if not controls:
                print(
                    f"{Path(log).name}: {among:,} classes judged, {clocks:,} clocks; nobody else comes often enough to be a control"
                )
                continue
            most = (wrong + 3) / controls  # Poisson, at 95 %: exact for none, about right for some
            print(
                f"{Path(log).name}: {among:,} classes judged, {clocks:,} clocks; of {controls:,} shuffled controls"
                f" {wrong:,} called clocks: {wrong / controls:.2e}, below {most:.2e} at 95 %"
            )


if __name__ == "__main__":
    main()
