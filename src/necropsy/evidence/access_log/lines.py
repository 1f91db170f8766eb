"""The table of a log's lines, numbers only, and the texts behind its keys.

Every text of a line is stored once, under a key (64-bit hash), and grouped and joined by the key. The hash has a fixed
seed, so that two runs agree in what they show first.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from necropsy.evidence.access_log import octets, scan

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa
    from numpy.typing import NDArray

    from necropsy.evidence.access_log.scratch import Scratch

TEXTS: Final = ("client", "agent", "host", "request")
"""Fields of a line whose texts are kept, in the order of ``scan``'s."""
KEYED: Final = (*TEXTS, "referer")
"""Fields of a line that have keys."""

_SEED: Final = 0x6E6563726F707379
_ROWS: Final = 1 << 19
"""Rows that are inserted at a time."""
_COLUMNS: Final = (
    "number BIGINT, stamp TIMESTAMP, status SMALLINT, "
    + ", ".join(f"{f}_key UBIGINT" for f in KEYED)
    + ", cookies TINYINT"  # bits, see there; NULL where a layout tells nothing of them
)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def create_tables(scratch: Scratch) -> None:
    """Create the empty tables ``line``, one row a request, and ``<field>_given`` (<field>_key, text; some twice)."""
    scratch.run(f"CREATE OR REPLACE TEMP TABLE line ({_COLUMNS})")
    for field in TEXTS:
        scratch.run(f"CREATE OR REPLACE TEMP TABLE {field}_given ({field}_key UBIGINT, text VARCHAR)")


def create_texts(scratch: Scratch, field: str, needed: str) -> None:
    """Create ``<field>_text`` (<field>_key, text) for the keys that a query names; empty texts are left out."""
    scratch.run(
        f"CREATE OR REPLACE TEMP TABLE {field}_text AS SELECT {field}_key, any_value(text) AS text FROM {field}_given"
        f" SEMI JOIN ({needed}) USING ({field}_key) GROUP BY {field}_key"
    )


def scanner(plan: object) -> scan.Scanner:
    """Return a scanner whose keys are those of these tables."""
    return scan.Scanner(plan, _SEED)  # type: ignore[arg-type]


def keys(texts: pa.Array) -> NDArray[np.uint64]:
    """Return the keys of texts; 0 of what is empty or null."""
    import numpy as np
    import pyarrow as pa

    texts = texts.fill_null("").cast(pa.large_string())
    _, offsets, data = texts.buffers()
    ends = (
        np.frombuffer(offsets, np.int64)[texts.offset : texts.offset + len(texts) + 1]
        if len(texts)
        else np.zeros(1, int)
    )
    payload = data.to_pybytes()[int(ends[0]) : int(ends[-1])] if data is not None else b""
    found = np.empty(len(texts), np.uint64)
    octets.fill_keys(payload, (ends[1:] - ends[0]).astype(np.int64), found, _SEED)
    return found


class Writer:
    """Gathers rows and inserts many at a time.

    Parameters
    ----------
    table
        Where rows go: ``line``, or a table like it.
    """

    def __init__(self, scratch: Scratch, table: str = "line") -> None:
        self.requests = 0
        self._latest_us: int | None = None
        self._scratch = scratch
        self._table = table
        self._rows: list[dict[str, NDArray[np.generic]]] = []
        self._waiting = 0
        self._texts: dict[str, list[pa.Table]] = {field: [] for field in TEXTS}
        self._bytes: dict[str, list[tuple[NDArray[np.uint64], NDArray[np.int32], bytes]]] = {f: [] for f in TEXTS}

    @property
    def last_at(self) -> datetime | None:
        """Time of the latest request, UTC."""
        return None if self._latest_us is None else _EPOCH + timedelta(microseconds=self._latest_us)

    def add(
        self,
        number: NDArray[np.int64],
        time_us: NDArray[np.int64],
        status: NDArray[np.int16],
        keys_of: Sequence[NDArray[np.uint64]],
        cookies: NDArray[np.int8] | None = None,
    ) -> None:
        """Add rows: the numbers of their lines, microseconds since 1970, status (-1: not known), keys of ``KEYED``.

        A writer is given the ``cookies`` of all its rows, or of none.
        """
        if not number.size:
            return
        self.requests += number.size
        latest = int(time_us.max())
        self._latest_us = latest if self._latest_us is None else max(latest, self._latest_us)
        rows: dict[str, NDArray[np.generic]] = {"number": number, "stamp": time_us, "status": status}
        rows.update((f"{field}_key", key) for field, key in zip(KEYED, keys_of, strict=True))
        if cookies is not None:
            rows["cookies"] = cookies
        self._rows.append(rows)
        self._waiting += number.size
        if self._waiting >= _ROWS:
            self.flush()

    def give(self, field: str, key: NDArray[np.uint64], text: pa.Array) -> None:
        """Add texts with their keys."""
        import pyarrow as pa

        if key.size:
            self._texts[field].append(pa.table({f"{field}_key": key, "text": text.cast(pa.large_string())}))

    def give_bytes(self, field: str, key: NDArray[np.uint64], ends: NDArray[np.int32], data: bytes) -> None:
        """Add texts of ASCII that lie one behind the other, each ending where ``ends`` says, with their keys."""
        if key.size:
            self._bytes[field].append((key, ends, data))

    def flush(self) -> None:
        """Insert what waits."""
        import numpy as np
        import pyarrow as pa

        if self._rows:
            together = {name: np.concatenate([rows[name] for rows in self._rows]) for name in self._rows[0]}
            status = together["status"]
            rows = pa.table(
                together
                | {
                    "stamp": pa.array(together["stamp"]).view(pa.timestamp("us")),
                    "status": pa.array(status, mask=status < 0),
                }
            )
            self._insert(self._table, rows)
            self._rows, self._waiting = [], 0
        for field, given in self._bytes.items():
            if given:
                begins = np.cumsum([0, *(len(data) for _, _, data in given[:-1])])
                ends = [end.astype(np.int64) + begin for (_, end, _), begin in zip(given, begins, strict=True)]
                offsets = pa.py_buffer(np.concatenate([np.zeros(1, np.int64), *ends]))
                data = pa.py_buffer(b"".join(data for _, _, data in given))
                key = np.concatenate([key for key, _, _ in given])
                self.give(field, key, pa.LargeStringArray.from_buffers(key.size, offsets, data))
                given.clear()
        for field, tables in self._texts.items():
            if tables:
                self._insert(f"{field}_given", pa.concat_tables(tables))
                tables.clear()

    def _insert(self, table: str, rows: pa.Table) -> None:
        self._scratch.connection.register("rows_to_insert", rows)
        self._scratch.run(f"INSERT INTO {table} BY NAME FROM rows_to_insert")
        self._scratch.connection.unregister("rows_to_insert")
