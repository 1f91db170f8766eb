"""How long until the command line answers, beside a Python that does nothing. Limit: `necropsy --help` 150 ms."""

from __future__ import annotations

import sys

from table import NECROPSY, Table, command

table = Table("start of the command line, median of 15")
table.add("python -c pass", command(sys.executable, "-c", "pass", repeat=15))
table.add("python -c 'import typer'", command(sys.executable, "-c", "import typer", repeat=15))
table.add("necropsy --help", command(*NECROPSY, "--help", repeat=15))
table.add("necropsy examine --help", command(*NECROPSY, "examine", "--help", repeat=15))
table.add(
    "necropsy explain probes/creates-sessions", command(*NECROPSY, "explain", "probes/creates-sessions", repeat=15)
)
