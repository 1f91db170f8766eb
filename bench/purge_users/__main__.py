"""Users of a real application during a purge: how many notice, and whether the garbage is gone.

Users log in, work, log out and come back all the time; each checks at each visit that its session is what it was. Meanwhile
the sessions of visitors who never came back are purged, and brought back afterwards. The same with fewer sessions is a test:
``tests/treat/purge/test_application.py``.

    python -m purge_users [express] [spring]        in bench/
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tests"))

from servers import running
from treat.purge.applications import APPLICATIONS, served
from treat.purge.users import purged_beside_users

GARBAGE = 1000


def main() -> None:
    """Print a line an application."""
    for name in sys.argv[1:] or APPLICATIONS:
        with (
            tempfile.TemporaryDirectory() as folder,
            running("redis-7.0", tcp=True) as server,
            served(name, server.port) as port,
        ):
            seen = purged_beside_users(server, port, Path(folder), garbage=GARBAGE)
            print(f"{name}: {seen.line()}", flush=True)
            for complaint in seen.noticed:
                print(f"  {complaint}")


if __name__ == "__main__":
    main()
