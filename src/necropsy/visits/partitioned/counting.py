"""Distribution of lines to partitions, by counts that are made as they are read."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from necropsy.model.traffic import REDIRECTS
from necropsy.visits.engines.duckdb_engine import DuckdbEngine
from necropsy.visits.partitioned.packing import packed
from necropsy.visits.tables import GIVEN, LINE, arrow_schema

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.case.scratch import Scratch


def counts(scratch: Scratch) -> dict[str, pa.Table]:
    """Count the lines in ``line``; what is said of all files adds up.

    Returns
    -------
    ``counted`` and ``shown``: the steps of these names. ``page_text``, ``host_text``: ``key`` and ``text``. ``told``: how many
    lines are redirects, tell of cookies, have no body.
    """
    engine = DuckdbEngine(scratch)
    found = {}
    for step in ("counted", "shown"):
        engine.create(step)
        found[step] = engine.fetch(step)
    of = "SELECT key, text FROM given SEMI JOIN (SELECT DISTINCT {0} AS key FROM line) USING (key)"
    for name in ("page", "host"):
        texts = scratch.connection.sql(of.format(f"{name}_key")).to_arrow_table()
        found[f"{name}_text"] = texts.cast(arrow_schema(GIVEN))
    (redirects,) = scratch.rows(f"SELECT count(*) FROM line WHERE status IN {REDIRECTS}")[0]
    told = {"redirects": redirects, "cookies": engine.value("telling"), "unanswered": engine.value("unanswered")}
    found["told"] = _one_row(told)
    return found


def split(scratch: Scratch, partitions: int, first_number: int = 0) -> Iterator[tuple[int, bytes]]:
    """Yield lines by the partition of their flow, and texts by that of their key, as ``packing`` writes them.

    Parameters
    ----------
    first_number
        Added to the numbers of the lines.
    """
    chosen = ", ".join(f"number + {first_number} AS number" if name == "number" else name for name in LINE)
    yield from _split("line", scratch.connection.sql(f"SELECT {chosen} FROM line").to_arrow_table(), partitions)
    texts = "SELECT key, min(text) AS text FROM given GROUP BY key"
    yield from _split("given", scratch.connection.sql(texts).to_arrow_table().cast(arrow_schema(GIVEN)), partitions)


def _split(name: str, rows: pa.Table, partitions: int) -> Iterator[tuple[int, bytes]]:
    """Yield rows of a table by partition."""
    import numpy as np

    columns = ("client_key", "agent_key") if name == "line" else ("key",)
    key = np.bitwise_xor.reduce([rows[column].to_numpy() for column in columns])
    place = (key.view(np.uint64) % np.uint64(partitions)).astype(np.uint32)
    order = np.argsort(place, kind="stable")
    ends = np.cumsum(np.bincount(place, minlength=partitions))
    sorted_rows = rows.take(order).combine_chunks()
    begin = 0
    for partition, end in enumerate(ends.tolist()):
        if end > begin:
            yield partition, packed(name, sorted_rows.slice(begin, end - begin))
        begin = end


def _one_row(values: dict[str, int]) -> pa.Table:
    import pyarrow as pa

    return pa.table({name: [value] for name, value in values.items()})
