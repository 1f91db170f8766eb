"""A whole autopsy of the demo's store A (70,560 keys and a day of two servers' logs), beside merely loading the libraries.

Limit: the case 3 s. Debian's `redis-check-rdb` cannot be the peer: it refuses what Valkey 9 writes.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from table import NECROPSY, Table, command

from necropsy.lab.demo import stage

with tempfile.TemporaryDirectory() as folder:
    staged = stage(Path(folder), seed=1)
    store = next(truth for truth in staged.stores if truth.name == "admin-a")
    options = ["--rdb", str(store.dump), "--now", staged.now.isoformat(), "--fail-on", "never"]
    options += ["--prometheus", str(staged.prometheus), "--blackbox", str(staged.blackbox)]
    options += ["--consul", str(store.consul_answer)]
    for definitions in store.consul_definitions:
        options += ["--consul", f"{definitions.address}={definitions.path}"]
    for name, files in (("--access-log", store.access_logs), ("--nginx", store.nginx), ("--app-log", store.error_logs)):
        for file in files:
            options += [name, str(file)]
    necropsy = (*NECROPSY, "examine")
    table = Table(f"autopsy of {store.keys:,} keys and {len(store.access_logs)} access logs, median of 5")
    table.add(
        "python -c 'import duckdb, pyarrow, numpy'",
        command(sys.executable, "-c", "import duckdb, pyarrow, numpy", repeat=5),
    )
    table.add("necropsy examine, the dump alone", command(*necropsy, *options[:6], repeat=5))
    table.add("necropsy examine, everything", command(*necropsy, *options, repeat=5))
