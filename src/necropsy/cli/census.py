"""The process that takes one census for the exporter: ``python -m necropsy.cli.census``, not a command for people.

It reads what to ask from standard input and writes metrics to standard output, both JSON. Addresses may hold passwords, so
they stand in no argument, which every user of the machine could read.
"""

from __future__ import annotations

import json
import sys
from typing import Final

from necropsy.model.errors import NecropsyError

COMMAND: Final = (sys.executable, "-m", "necropsy.cli.census")
"""How the exporter starts it."""


def main() -> int:
    """Take the census that standard input asks for."""
    from necropsy.guard.census.worker import encode, take

    asked = json.load(sys.stdin)
    try:
        found = take([(name, url) for name, url in asked["stores"]], asked["incident"])
    except NecropsyError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    sys.stdout.write(encode(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
