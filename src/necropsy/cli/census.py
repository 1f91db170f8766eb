"""The process that takes one look for the guard: ``python -m necropsy.cli.census``, not a command for people.

It reads what to ask from standard input and writes what came out to standard output, both JSON. Addresses may hold passwords, so
they stand in no argument, which every user of the machine could read.
"""

from __future__ import annotations

import sys
from typing import Final

from necropsy.model.errors import NecropsyError

COMMAND: Final = (sys.executable, "-m", "necropsy.cli.census")
"""The command with which the exporter starts it."""


def main() -> int:
    """Take the look that standard input asks for."""
    from necropsy.cli.process import refuse_pandas, tune
    from necropsy.cli.stopping import Stopped, stoppable
    from necropsy.guard.census.worker import decode_asked, encode, take
    from necropsy.wire.priority import stand_back

    tune()
    stand_back()  # nobody waits for a look: what answers scrapes, and a store on the same machine, go first
    refuse_pandas()
    asked = decode_asked(sys.stdin.read())
    try:
        with stoppable():  # so that a look that is ended leaves no half of a case
            taken = take(asked)
    except Stopped as stopped:
        return stopped.exit_code
    except NecropsyError as error:
        sys.stderr.write(f"{error.message}\n")
        return error.exit_code
    sys.stdout.write(encode(taken))
    return 0


if __name__ == "__main__":
    sys.exit(main())
