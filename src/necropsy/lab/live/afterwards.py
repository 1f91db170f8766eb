"""Ends a lab when whoever runs it ends, however: by a signal, a second one while it cleans up, a closed terminal, SIGKILL.

``ended_with_us`` starts this module as a process in a session of its own, whose standard input is a pipe from the one who runs
the lab. The system closes the pipe with that process; then the lab is stopped.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from necropsy.model.errors import NecropsyError

_WAIT_S: Final = 60.0


@contextmanager
def ended_with_us(folder: Path) -> Iterator[None]:
    """Have the lab in this folder stopped at the end of the block, or of this process."""
    waiting = subprocess.Popen(  # noqa: S603 -- ourselves
        [sys.executable, "-m", __name__, str(folder.resolve())],
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # signals to our group, such as Ctrl-C, are not for it
    )
    try:
        yield
    finally:
        waiting.communicate(timeout=_WAIT_S)  # closes its standard input


def main() -> None:
    """Wait for the end of standard input, then stop the lab."""
    from necropsy.lab.live import conductor

    sys.stdin.read()
    try:
        conductor.down(Path(sys.argv[1]))
    except NecropsyError:
        sys.exit(0)  # no lab was begun


if __name__ == "__main__":
    main()
