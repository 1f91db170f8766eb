"""Lines that were given twice: a log beside a copy of it, or a file that holds itself again. Their visits would count twice.

A file that begins as another does is a copy of it, perhaps an older one. In a log of one server hardly any line is equal to
another in time, client, page, status and agent; if nearly all come in pairs (threes, fours), the log was copied.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from necropsy._internal.paths import is_file
from necropsy.model.errors import UnreadableSource
from necropsy.model.evidence import Blemish
from necropsy.wire.files import open_binary

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from necropsy.case.scratch import Scratch
    from necropsy.model.evidence import Source

_HEAD: Final = 64 << 10
"""Bytes of each file that are compared, unpacked."""
_LEAST: Final = 512
"""Bytes that a file needs to be told from another."""
_FEWEST: Final = 40
"""Different lines from which it is judged."""
_NEARLY_ALL: Final = 0.98
_MOST: Final = 4
"""Copies that are looked for."""
_SAMPLED_FROM: Final = 200_000
"""Lines from which on a part of them is judged; equal lines are in it or out of it together."""
_LINE: Final = "time_us, client_key, agent_key, host_key, page_key, referer_key, status"


def copied_files(locators: Sequence[str]) -> dict[str, str]:
    """Return which files begin with the same bytes as a longer (or earlier named) one: copy to original.

    Standard input, remote files and files that cannot be read are no copies.
    """
    heads = {locator: _head(locator) for locator in dict.fromkeys(locators)} if len(locators) > 1 else {}
    known = [locator for locator, head in heads.items() if len(head) >= _LEAST]
    originals: list[str] = []
    copies_of: dict[str, str] = {}
    for locator in sorted(known, key=lambda one: -_length(one, heads, known)):
        original = next((one for one in originals if heads[one].startswith(heads[locator])), None)
        if original is None:
            originals.append(locator)
        else:
            copies_of[locator] = original
    return copies_of


def _head(locator: str) -> bytes:
    if not is_file(locator):
        return b""
    try:
        with open_binary(locator) as stream:
            return stream.read(_HEAD)
    except (OSError, UnreadableSource, ValueError, EOFError):
        return b""


def _length(locator: str, heads: dict[str, bytes], known: Sequence[str]) -> int:
    """Return the unpacked length of a file, where another begins as it does; else that of its head."""
    head = heads[locator]
    if len(head) < _HEAD or sum(heads[one] == head for one in known) < 2:
        return len(head)
    try:
        with open_binary(locator) as stream:
            return sum(len(chunk) for chunk in iter(lambda: stream.read(1 << 20), b""))
    except (OSError, UnreadableSource, ValueError, EOFError):
        return len(head)  # it is damaged: the other is better


def copies(scratch: Scratch, lines: int) -> int:
    """Return how many times nearly every line of the table ``line`` is there; 1: no log was read twice.

    Parameters
    ----------
    lines
        How many rows the table has.
    """
    return _copies(count_lines(scratch, one_in(lines))["n"].to_numpy())


def one_in(lines: int) -> int:
    """Return of how many different lines one is counted."""
    return max(1, lines // _SAMPLED_FROM)


def count_lines(scratch: Scratch, one_in: int) -> pa.Table:
    """Count equal lines of the table ``line``: ``line``, a hash, and ``n``; of so many different lines one."""
    some = f" WHERE hash(time_us, client_key) % {one_in} = 0" if one_in > 1 else ""
    lines = scratch.connection.sql(f"SELECT hash({_LINE}) AS line, count(*) AS n FROM line{some} GROUP BY ALL")
    return lines.to_arrow_table()


def copies_in_pieces(counted: pa.Table) -> int:
    """Return what ``copies`` does, from the counts of several pieces."""
    return _copies(counted.group_by("line").aggregate([("n", "sum")])["n_sum"].to_numpy())


def _copies(equal: NDArray[np.int64]) -> int:
    """Return how many times nearly every line is there, from how often each different one is."""
    if equal.size < _FEWEST:
        return 1
    whole = (times for times in range(_MOST, 1, -1) if (equal % times == 0).mean() >= _NEARLY_ALL)
    return next(whole, 1)


def blemish(times: int, sources: Sequence[Source], requests: int) -> Blemish:
    """Return what a reader is told of a log that is there so many times."""
    return Blemish(
        ", ".join(source.locator for source in sources),
        "line",
        1,
        f"nearly every line of this log occurs {times} times: if a file and a copy of it were given, its visits count {times}"
        " times; leave the copy out",
        count=requests - requests // times,
    )
