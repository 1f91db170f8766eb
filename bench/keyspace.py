"""The keyspace engine and its limits: dumps, live servers, millions of sessions, in one table at the end.

Each part is a script of its own: keyspace_rdb, keyspace_live, keyspace_sessions (BENCH_SESSIONS=1e7 for ten million).
"""

from __future__ import annotations

import keyspace_live
import keyspace_rdb
import keyspace_sessions
from table import print_bars

if __name__ == "__main__":
    print_bars([bar for part in (keyspace_rdb, keyspace_live, keyspace_sessions) for bar in part.main()])
