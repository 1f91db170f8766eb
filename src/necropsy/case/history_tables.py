"""Tables of what was so over time: measured quantities, events, and the moments at which births changed.

Whoever measures a store at several moments appends here: Prometheus' series, an older case, a guard that looks again and
again.
"""

from __future__ import annotations

from typing import Final

from necropsy.case.table import Column, Table

HISTORY_TABLES: Final[tuple[Table, ...]] = (
    Table(
        "history",
        "Quantities of a store over time, from whatever measured them; of long series at most some thousand rows each.",
        (
            Column("store", "VARCHAR", "Name of the session store."),
            Column("source", "VARCHAR", "What measured it: an address, a file, an older case, the guard."),
            Column(
                "quantity",
                "VARCHAR",
                "keys, sessions, births, bytes, limit, or predicted: sessions as they were once predicted.",
            ),
            Column(
                "at",
                "TIMESTAMP",
                "Moment of a level (keys, sessions, bytes, limit); start of the span of a count (births).",
            ),
            Column("seconds", "DOUBLE", "Length of that span; 0 for a level."),
            Column(
                "value", "DOUBLE", "The level, or the count within the span. What could not be measured has no row."
            ),
        ),
    ),
    Table(
        "event",
        "What happened at a known time: deploys and changes that the user names, commits, restarts, targets that appeared.",
        (
            Column("at", "TIMESTAMP", "When."),
            Column("kind", "VARCHAR", "given (by the user), commit, restart, emptied, target-appeared or target-left."),
            Column("text", "VARCHAR", "What, in a few words."),
            Column("source", "VARCHAR", "Who says so: the command line, a repository, a series."),
            Column("store", "VARCHAR", "The store that it is about; NULL: any."),
        ),
    ),
    Table(
        "change_point",
        "Moments at which the rate of births of a store changed, found in its history.",
        (
            Column("store", "VARCHAR", "Name of the session store."),
            Column("source", "VARCHAR", "The history in which it was found, as in the table history."),
            Column("at", "TIMESTAMP", "The likeliest moment."),
            Column("earliest_at", "TIMESTAMP", "Start of the 95 % interval."),
            Column("latest_at", "TIMESTAMP", "End of it."),
            Column("before_per_hour", "DOUBLE", "Births an hour before it, back to the change before."),
            Column("after_per_hour", "DOUBLE", "Births an hour after it, up to the next change."),
            Column(
                "event", "VARCHAR", "Text of the event within the interval or shortly before it; NULL: none is known."
            ),
        ),
    ),
)
