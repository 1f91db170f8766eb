"""The table of a log's lines, numbers only, and the texts behind its keys.

Every text of a line is stored once, under a key (64-bit hash), and grouped and joined by the key. The hash has fixed
seeds, one for each field, so that two runs agree in what they show first. What the columns mean: ``visits.tables``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from necropsy.evidence.access_log.scanner import byte_loops, path_templates, scan

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from necropsy.case.scratch import Scratch

TEXTS: Final = ("client", "agent", "host", "page")
"""Fields of a line whose texts are kept, in the order of a row's keys."""
KEYED: Final = (*TEXTS, "address", "referer")
"""Fields of a line that have keys."""

_SEED: Final = 0x6E6563726F707379
_SEEDS: Final = {"client": _SEED, "agent": _SEED + 1, "host": _SEED + 2, "page": _SEED + 3}
"""Addresses and Referers have that of hosts."""
_ROWS: Final = 1 << 20
"""Rows that are inserted at a time: a statement costs as much as ten thousand rows, or more."""
_HELD: Final = 3 << 20
"""Rows that stay as they are, 200 MB of Arrow: of a log that has more, all go to DuckDB's own table, which it can spill."""
_STORED: Final = "line_stored"
_COLUMNS: Final = (
    "number BIGINT, time_us BIGINT, status SMALLINT, "
    + ", ".join(f"{field}_key BIGINT" for field in KEYED)
    + ", flags TINYINT"
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def create_tables(scratch: Scratch) -> None:
    """Create the empty tables of a log; ``line``, one row a request, and ``given`` (key, text; some twice) after ``finish``."""
    scratch.held.clear()
    scratch.begin(
        f"CREATE OR REPLACE TEMP TABLE {_STORED} ({_COLUMNS})",
        "CREATE OR REPLACE TEMP TABLE given (key BIGINT, text VARCHAR)",
    )


def finish(scratch: Scratch, without: str = "") -> int:
    """Make ``line`` of all rows but those that meet a condition; return how many were left out."""
    import pyarrow as pa

    parts = [f"FROM {_STORED}"]
    if scratch.held:
        scratch.connection.register("line_held", pa.concat_tables(scratch.held))
        parts.append("SELECT " + ", ".join(_names()) + " FROM line_held")
    everything = " UNION ALL ".join(parts)
    where = f" WHERE NOT ({without})" if without else ""
    scratch.run(f"CREATE OR REPLACE TEMP VIEW line AS SELECT * FROM ({everything}){where}")
    return int(scratch.value(f"SELECT count(*) FROM ({everything}) WHERE {without}")) if without else 0


def _names() -> list[str]:
    return [column.split()[0] for column in _COLUMNS.split(", ")]


def moment(time_us: int) -> datetime:
    """Return microseconds since 1970 as a time, UTC."""
    return _EPOCH + timedelta(microseconds=time_us)


def microseconds(at: datetime) -> int:
    """Return a time as microseconds since 1970."""
    return (at.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def scanner(plan: object) -> scan.LineScanner:
    """Return a scanner whose keys are those of these tables."""
    return scan.LineScanner(plan, _SEED)  # type: ignore[arg-type]


def keys(texts: pa.Array, field: str) -> NDArray[np.uint64]:
    """Return the keys of a field's texts; 0 of what is empty or null."""
    data, ends = _joined(texts)
    found = _no_keys(len(texts))
    byte_loops.fill_keys(data, ends, found, _SEEDS[field])
    return found


def referer_keys(texts: pa.Array) -> NDArray[np.uint64]:
    """Return the keys of the pages that Referers name, their queries being off; 0: none."""
    data, ends = _joined(texts)
    found = _no_keys(len(texts))
    path_templates.fill_address_keys(data, ends, found, _SEEDS["host"], True)
    return found


def address_keys(hosts: pa.Array, requests: pa.Array) -> NDArray[np.uint64]:
    """Return the keys of what Referers would call the pages that were asked for; 0 where no host is known."""
    import pyarrow as pa
    import pyarrow.compute as pc

    targets = pc.replace_substring_regex(requests, "^[^ ]* ?([^ ]*).*", r"\1")
    known = pc.greater(pc.binary_length(hosts), 0)
    nothing = pa.scalar("", pa.large_string())
    data, ends = _joined(pc.if_else(known, pc.binary_join_element_wise(hosts, targets, nothing), nothing))
    found = _no_keys(len(hosts))
    path_templates.fill_address_keys(data, ends, found, _SEEDS["host"], False)
    return found


def folded(requests: pa.Array) -> pa.Array:
    """Return the pages of requests."""
    import numpy as np
    import pyarrow as pa

    data, ends = path_templates.fold_requests(*_joined(requests))
    offsets = pa.py_buffer(np.concatenate([np.zeros(1, np.int64), ends]))
    return pa.LargeStringArray.from_buffers(len(requests), offsets, pa.py_buffer(data))


def _joined(texts: pa.Array) -> tuple[bytes, NDArray[np.int64]]:
    """Return the bytes of texts, one behind the other, and where each ends."""
    import numpy as np
    import pyarrow as pa

    texts = texts.fill_null("").cast(pa.large_string())
    if not len(texts):
        return b"", np.empty(0, np.int64)
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
    payload = data.to_pybytes()[int(ends[0]) : int(ends[-1])] if data is not None else b""
    return payload, (ends[1:] - ends[0]).astype(np.int64)


def _no_keys(count: int) -> NDArray[np.uint64]:
    import numpy as np

    return np.empty(count, np.uint64)


class WithdrawnError(Exception):
    """The rows that were written are withdrawn."""


class Writer:
    """Gathers rows and inserts many at a time."""

    def __init__(self, scratch: Scratch) -> None:
        self.requests = 0
        self._latest_us: int | None = None
        self._scratch = scratch
        self._rows: list[dict[str, NDArray[np.generic]]] = []
        self._waiting = 0
        self._texts: list[pa.Table] = []
        self._bytes: list[tuple[NDArray[np.uint64], NDArray[np.int32], bytes]] = []

    @property
    def last_at(self) -> datetime | None:
        """Time of the latest request, UTC."""
        return None if self._latest_us is None else moment(self._latest_us)

    @contextlib.contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Keep what is written in here, unless it ends with an exception."""
        self.flush()
        before = self.requests, self._latest_us, list(self._scratch.held)
        self._scratch.run("BEGIN TRANSACTION")
        try:
            yield
            self.flush()
        except BaseException:
            self.requests, self._latest_us, self._scratch.held[:] = before
            self._rows, self._waiting, self._texts, self._bytes = [], 0, [], []
            self._scratch.run("ROLLBACK")
            raise
        self._scratch.run("COMMIT")

    def add(
        self,
        number: NDArray[np.int64],
        time_us: NDArray[np.int64],
        status: NDArray[np.int16],
        keys_of: Sequence[NDArray[np.uint64]],
        flags: NDArray[np.int8] | None = None,
    ) -> None:
        """Add rows: the numbers of their lines, microseconds since 1970, status (-1: not known), keys of ``KEYED``.

        ``flags`` (see there): none where the layout tells nothing of the kind.
        """
        import numpy as np

        if not number.size:
            return
        self.requests += number.size
        latest = int(time_us.max())
        self._latest_us = latest if self._latest_us is None else max(latest, self._latest_us)
        rows: dict[str, NDArray[np.generic]] = {"number": number, "time_us": time_us, "status": status}
        rows.update((f"{field}_key", key.view(np.int64)) for field, key in zip(KEYED, keys_of, strict=True))
        rows["flags"] = np.zeros(number.size, np.int8) if flags is None else flags
        self._rows.append(rows)
        self._waiting += number.size
        if self._waiting >= _ROWS:
            self.flush()

    def give(self, key: NDArray[np.uint64], text: pa.Array) -> None:
        """Add texts with their keys."""
        import numpy as np
        import pyarrow as pa

        if key.size:
            self._texts.append(pa.table({"key": key.view(np.int64), "text": text.cast(pa.large_string())}))

    def give_bytes(self, key: NDArray[np.uint64], ends: NDArray[np.int32], data: bytes) -> None:
        """Add texts of ASCII that lie one behind the other, each ending where ``ends`` says, with their keys."""
        if key.size:
            self._bytes.append((key, ends, data))

    def flush(self) -> None:
        """Insert what waits."""
        import numpy as np
        import pyarrow as pa

        if self._rows:
            rows = {name: pa.chunked_array([rows[name] for rows in self._rows]) for name in self._rows[0]}
            self._keep(pa.table(rows))
            self._rows, self._waiting = [], 0
        if self._bytes:
            begins = np.cumsum([0, *(len(data) for _, _, data in self._bytes[:-1])])
            ends = [end.astype(np.int64) + begin for (_, end, _), begin in zip(self._bytes, begins, strict=True)]
            offsets = pa.py_buffer(np.concatenate([np.zeros(1, np.int64), *ends]))
            data = pa.py_buffer(b"".join(data for _, _, data in self._bytes))
            key = np.concatenate([key for key, _, _ in self._bytes])
            self.give(key, pa.LargeStringArray.from_buffers(key.size, offsets, data))
            self._bytes.clear()
        if self._texts:
            self._insert("given", pa.concat_tables(self._texts))
            self._texts.clear()

    def _keep(self, rows: pa.Table) -> None:
        held = self._scratch.held
        held.append(rows)
        if sum(table.num_rows for table in held) > _HELD or self._scratch.value(f"SELECT count(*) FROM {_STORED}"):
            for table in held:
                self._insert(_STORED, table)
            held.clear()

    def _insert(self, table: str, rows: pa.Table) -> None:
        self._scratch.connection.register("rows_to_insert", rows)
        self._scratch.run(f"INSERT INTO {table} BY NAME FROM rows_to_insert")
        self._scratch.connection.unregister("rows_to_insert")
