"""Progress of reading a log: the shares of DuckDB's queries over it, asked while they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import duckdb

_EVERY_S: Final = 0.25


class LogShare:
    """The share of one log that was worked through: it never falls, and is told when it grows.

    >>> told = []
    >>> share = LogShare(told.append)
    >>> share.reached(0.5), share.reached(0.4), share.reached(0.9)
    (None, None, None)
    >>> told
    [0.5, 0.9]
    """

    def __init__(self, tell: Callable[[float], None]) -> None:
        self._tell = tell
        self._share = 0.0

    def reached(self, share: float) -> None:
        """Tell a share, from 0 to 1, if it is more than the last."""
        if share > self._share:
            self._share = share
            self._tell(share)

    @contextmanager
    def of_query(self, connection: duckdb.DuckDBPyConnection, begin: float, end: float) -> Iterator[None]:
        """Tell shares between two while a query runs in the block; ``end`` after it.

        DuckDB counts blocks of about 120,000 lines, so that a small log jumps from one to the other.
        """
        done = Event()
        progress = getattr(connection, "query_progress", lambda: -1.0)  # the oldest DuckDB that is taken may have none

        def ask() -> None:
            while not done.wait(_EVERY_S):
                percent = progress()  # -1 until it is known
                if 0 < percent <= 100:
                    self.reached(begin + (end - begin) * percent / 100)

        asking = Thread(target=ask, name="necropsy-log-share", daemon=True)
        asking.start()
        try:
            yield
        finally:
            done.set()
            asking.join()
        self.reached(end)
