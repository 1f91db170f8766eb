"""Fuzzing of what reads live servers: whatever one answers, the reader ends in an error that says what to do, or in figures.

::

    pip install atheris
    python tests/fuzz/replies_atheris.py -max_len=16384 -runs=100000 FOLDER           # guided by what the sources reach
    python tests/fuzz/replies_atheris.py --blind 1000000 --seconds 900 tests/assets/replies

An input is a tape (see ``tapes``): what a server sent on each connection. What long runs came to: ``RECORD.md``.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

from fuzz.running import Harness, main  # noqa: E402
from fuzz.tapes import BETWEEN, FOLDER, PAUSE, play  # noqa: E402
from necropsy.model.errors import NecropsyError  # noqa: E402

WORDS = (
    b"\r\n", b"$-1\r\n", b"*-1\r\n", b"*0\r\n", b"$0\r\n\r\n", b":-1\r\n", b":9223372036854775807\r\n", b"+OK\r\n", b"-ERR unknown command\r\n",
    b"-NOPERM this user has no permissions to run the 'x' command\r\n", b"-LOADING\r\n", b"-MOVED 1 127.0.0.1:2\r\n", b"*1\r\n",
    b"*2\r\n", b"$1\r\n", b"$2147483647\r\n", b"_\r\n", b"#t\r\n", b",nan\r\n", b"%1\r\n", b"~1\r\n", b">1\r\n", b"(9\r\n", b"=4\r\ntxt:\r\n",
    b"$EOF:", b"REDIS0011", b"redis_mode:cluster\r\n", b"redis_mode:sentinel\r\n", b"99999999999999999999", b"nan", b"\xff\xfe",
    BETWEEN, PAUSE,
)  # fmt: skip
"""Replies of every kind, and pieces of what is looked for in them."""


def swift(data: bytes) -> None:
    """Read the tape to its end."""
    with contextlib.suppress(NecropsyError):
        rows, facts, blemishes, absent, *_ = play(data)
        assert rows >= 0
        assert all(isinstance(text, str) for pair in facts.items() for text in pair)
        assert all(blemish.why for blemish in blemishes)
        assert all(missing.reason and missing.hint for missing in absent)


HARNESS = Harness(
    swift=swift,
    thorough=swift,
    compared=swift,
    seeds=lambda: (path.read_bytes() for path in sorted(FOLDER.iterdir())),
    corpus=FOLDER,
    package="necropsy.evidence.redis",
    uncompiled=contextlib.nullcontext,
    suffix="tape",
    edges=tuple(b"\0\r\n$*+-:,_#%~>(=0129\x7f\xff"),
    words=WORDS,
    entries=("necropsy.evidence.redis.reader",),
    longest=1 << 15,
)

if __name__ == "__main__":
    main(HARNESS)
