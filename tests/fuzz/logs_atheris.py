"""Fuzzing of what reads logs: access logs of any layout, formats that are given for them, application error logs.

::

    pip install atheris
    python tests/fuzz/logs_atheris.py --seeds FOLDER                       # a sample of each layout, to begin with
    python tests/fuzz/logs_atheris.py -max_len=4096 -runs=100000 FOLDER    # guided by what the sources reach
    python tests/fuzz/logs_atheris.py --blind 1000000 --seconds 900        # the compiled modules, many times as fast

An input is a ``log_format`` on its first line (none if that is empty, ``escape=json`` or ``escape=none`` before it), and
a log on the others. The first form reads it by the plain sources and as built, and compares; the second damages inputs
at random. Both read every 16th by everything, into a case: no error, and no line that is neither a request nor
damage nor blank. What long runs came to: ``RECORD.md``.
"""

from __future__ import annotations

import re
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS))

import numpy as np  # noqa: E402

import plain_python  # noqa: E402
from fuzz.log_seeds import seeds  # noqa: E402
from fuzz.running import Harness, main  # noqa: E402
from necropsy.case.store import Case  # noqa: E402
from necropsy.evidence import access_log  # noqa: E402
from necropsy.evidence.app_log import reader as app_log  # noqa: E402
from necropsy.model.evidence import Blemish, Origin  # noqa: E402
from necropsy.wire.files import compression  # noqa: E402

PATIENCE_S = 60
"""Seconds after which an input of four kilobytes counts as one that hangs."""


WORDS = (
    rb'\"', rb"\x22", b"\r\n", b"\n\n", b" - ", b'" "', b"+0000", b"-2459", b"9" * 20, b"1e999", b"null", b"[" * 8, b"{}", b'{"',
    b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\x1b[2J", b"=cmd|", b"<script>", b"$msec", b"$time_iso8601", b"$request_time", b"$request",
    b"%{%s}t", b"%{X}i", b"%>s", b"0000-00-00", b"29/Feb/2023:24:60:60 +9999", b"#Fields: ", b"Caused by: ", b"Exception",
    b"JedisDataException",
)  # fmt: skip
"""Pieces of lines and of formats that mean something, and of attacks."""


@dataclass(frozen=True)
class Format:
    """A format as it is given."""

    name: str
    text: str
    escape: str
    origin: Origin | None = None


@dataclass(frozen=True)
class Input:
    """What an input means."""

    formats: tuple[Format, ...]
    log: bytes


def parse(data: bytes) -> Input:
    """Take an input apart."""
    head, _, log = data.partition(b"\n")
    text = head.decode("utf-8", "replace")
    escape = "default"
    if found := re.match(r"escape=(json|none) ", text):
        escape, text = found[1], text[found.end() :]
    return Input((Format("--log-format", text, escape),) if text.strip() else (), log)


def lines_of(log: bytes) -> list[bytes]:
    lines = log.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


@contextmanager
def patience() -> Iterator[None]:
    """Inside, what does not come to an end raises TimeoutError."""

    def give_up(*_: object) -> None:
        raise TimeoutError(f"not done after {PATIENCE_S} s")

    signal.signal(signal.SIGALRM, give_up)
    signal.alarm(PATIENCE_S)
    try:
        yield
    finally:
        signal.alarm(0)


def layouts(given: Input) -> list[Any]:
    """Every layout that is thought of for the first lines, by whichever modules are loaded."""
    from necropsy.evidence.access_log.recognise import LAYOUTS

    texts = [line.decode("utf-8", "replace").strip("\r\ufeff") for line in lines_of(given.log)[:100]]
    first = [text for text in texts if text.strip()]
    return [layout for _, recognise in LAYOUTS for layout in recognise(first, given.formats)] if first else []


def scanned(given: Input) -> list[Any]:
    """What the scanner makes of the lines, by each layout that has a short way; every line is in one of its lists."""
    from necropsy.evidence.access_log.scanner.plan import plan_of
    from necropsy.evidence.access_log.scanner.scan import LineScanner

    lines = lines_of(given.log)
    blank = [number for number, line in enumerate(lines) if line in {b"", b"\r"}]
    outcomes = []
    for plan in {layout.note: plan_of(layout) for layout in layouts(given)}.values():
        if plan is None:
            continue
        found = LineScanner(plan, 7).scan(given.log)
        told = [*found["line"].tolist(), *found["hard"].tolist(), *blank]
        assert sorted(told) == list(range(found["lines"])) == list(range(len(lines)))
        plain = {name: value.tolist() for name, value in found.items() if isinstance(value, np.ndarray)}
        keys = [key.tolist() for key in found["keys"]]
        outcomes.append((plain, keys, [(key.tolist(), ends.tolist(), data) for key, ends, data in found["texts"]]))
    return outcomes


def masked(given: Input) -> list[str]:
    """Each line as it is shown when it is damaged."""
    from necropsy.evidence.access_log.masking import mask

    shown = [mask(line.decode("utf-8", "replace").rstrip("\r\n")) for line in lines_of(given.log)[:20]]
    assert all(character.isprintable() for text in shown for character in text)
    return shown


def swift(data: bytes) -> None:
    """Without DuckDB: layouts, the compiled scanner, the mask."""
    given = parse(data)
    with patience():
        masked(given)
        scanned(given)


def thorough(data: bytes) -> None:
    """Into a case, both as an access log and as an application's."""
    given = parse(data)
    with patience(), tempfile.TemporaryDirectory(prefix="fuzz") as folder, Case.create(None) as case:
        path = Path(folder) / "access.log"
        path.write_bytes(given.log)
        requests(case, path, given)
        errors(case, path)


def requests(case: Case, path: Path, given: Input) -> None:
    """Read it as an access log, and find each of its lines again."""
    from necropsy.evidence.access_log.reader import read

    log = read(case, [str(path)], log_formats=given.formats)
    shown = [str(value) for row in case.rows("FROM visitor_class") for value in row.values()]
    shown += [blemish.sample for blemish in log.blemishes]
    assert all(character.isprintable() for text in shown for character in text), shown
    assert all(absent.reason and absent.hint for absent in log.absent)
    assert len(log.sources) + len(log.absent) == 1
    assert case.value("SELECT coalesce(sum(requests), 0) FROM visitor_class") == log.requests
    if not log.sources or compression(given.log[:6]):
        assert log.requests == 0 or log.sources
        return
    damage = sum(blemish.count for blemish in log.blemishes if blemish.unit == "line")
    least, most = countable(given.log, log.sources[0].note)
    assert least <= log.requests + damage <= most, (log.requests, damage, least, most, log.sources[0].note)
    assert all(in_place(blemish, given.log) for blemish in log.blemishes), log.blemishes


JOINED = re.compile(rb"\r|\0{8,}")
"""What may part lines that were joined: a carriage return alone, a hole of NULs."""


def countable(log: bytes, note: str) -> tuple[int, int]:
    """How many lines must be accounted for, and how many may: a comment is none, nor what is blank to some only.

    One that was joined of several may be as many.
    """
    lines = [line.removeprefix(b"\xef\xbb\xbf") for line in lines_of(log)]
    said = [line for line in lines if line.decode("utf-8", "replace").strip("\r\0").strip()]
    if "W3C" in note:
        said = [line for line in said if not line.startswith(b"#")]
    return len(said), sum(max(bool(line.strip(b" \r")), pieces(line)) for line in lines)


def pieces(line: bytes) -> int:
    return sum(1 for piece in JOINED.split(line) if piece.strip(b" "))


def in_place(blemish: Blemish, log: bytes) -> bool:
    if blemish.unit == "byte":
        return 0 <= blemish.place <= len(log)
    return 0 <= blemish.place <= sum(len(JOINED.split(line)) for line in lines_of(log))


def errors(case: Case, path: Path) -> None:
    """Read it as the log of an application."""
    log = app_log.read(case, [str(path)])
    rows = [tuple(row.values()) for row in case.rows("SELECT class, events FROM error_event")]
    assert sum(events for _, events in rows) == log.events
    assert all(name.isprintable() and len(name) <= 80 for name, _ in rows), rows
    assert len(log.sources) + len(log.absent) == 1


_read = 0


def compared(data: bytes) -> None:
    """With the compiler and without; the first input, and every 16th, by everything."""
    global _read  # noqa: PLW0603 -- atheris calls a function with the input alone
    given = parse(data)
    with patience():
        as_built = [layout.note for layout in layouts(given)], scanned(given), masked(given)
        with uncompiled():
            assert ([layout.note for layout in layouts(given)], scanned(given), masked(given)) == as_built
    if _read % HARNESS.every == 0:
        thorough(data)
    _read += 1


def uncompiled() -> AbstractContextManager[None]:
    """Inside, the reader of access logs is plain Python."""
    return plain_python.uncompiled(access_log)


HARNESS = Harness(
    swift=swift,
    thorough=thorough,
    compared=compared,
    seeds=seeds,
    corpus=TESTS / "assets" / "access_log",
    package="necropsy.evidence.access_log",
    uncompiled=uncompiled,
    suffix="log",
    every=16,
    edges=tuple(b'\0\t\n\r\x1b "#%$,-./:;<=[\\]{|}\x7f\x80\xbf\xc3\xef\xff09aZ'),
    words=WORDS,
    entries=("necropsy.evidence.access_log.recognise", "necropsy.evidence.access_log.scanner.scan"),
)

if __name__ == "__main__":
    main(HARNESS)
