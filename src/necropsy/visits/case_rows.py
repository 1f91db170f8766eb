"""Rows of the case, made of the tables of an analysis: texts instead of keys, times instead of numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.visits.analyse import Analysis
    from necropsy.visits.visit_blocks import Blocks

Hash: TypeAlias = "Callable[[pa.Array], pa.Array]"
"""Texts in, keyed hashes (uint64) out."""

FOLDED: Final = "*"
"""Stands for several clients, user agents, hosts or paths."""
_TEXT: Final = 256
"""Characters kept of a user agent or host."""
_OBEYED: Final = r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]"
"""Characters that a terminal obeys."""


def visitor_class(analysis: Analysis, log: str, first_id: int, hash_with: Hash | None) -> pa.Table:
    """Return the rows of ``visitor_class``, numbered from ``first_id``."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = analysis.classes.sort_by("class_id")
    named = _Texts(analysis.texts)
    level = rows["level"]
    status = rows["status"].cast(pa.int32())
    return pa.table(
        {
            "class_id": pc.add(rows["class_id"].cast(pa.int32()), pa.scalar(first_id, pa.int32())),
            "log": pa.repeat(pa.scalar(log), rows.num_rows),
            "client": _hashed(_folded(named.of(rows["client_key"]), pc.greater(level, 0)), hash_with),
            "user_agent": _folded(named.of(rows["agent_key"]), pc.greater(level, 1)),
            "host": _folded(named.of(rows["host_key"]), pc.greater(level, 1)),
            "method": rows["method"],
            "path": _folded(rows["path"], pc.greater(level, 1)),
            "status": pc.if_else(pc.less(status, 0), None, status),
            "followed_to": rows["followed_to"],
            "visits": rows["visits"].cast(pa.int64()),
            "requests": rows["requests"].cast(pa.int64()),
            "first_at": _moments(rows["first_us"]),
            "last_at": _moments(rows["last_us"]),
            **{name: rows[name] for name in ("period_s", "phase_s", "phase_spread_s", "coverage", "probers", "bare")},
        }
    )


def visit_bin(bins: pa.Table, first_id: int) -> pa.Table:
    """Return the rows of ``visit_bin``."""
    import numpy as np
    import pyarrow as pa

    cell = bins["cell"].to_numpy()
    minute = (cell & 0xFFFFFFFF) * 60_000_000
    return pa.table(
        {
            "class_id": ((cell >> 32) + first_id).astype(np.int32),
            "bin": pa.array(minute).view(pa.timestamp("us")),
            "visits": bins["visits"].cast(pa.int32()),
        }
    )


def visit(visits: pa.Table, first_id: int, hash_with: Hash) -> pa.Table:
    """Return the rows of ``visit``; the number of a visitor is hashed with the case's key: addresses can be tried out."""
    import numpy as np
    import pyarrow as pa

    encoded = visits["visitor_key"].combine_chunks().dictionary_encode()
    keys = np.ascontiguousarray(encoded.dictionary.to_numpy(zero_copy_only=False).astype("<i8"))
    raw = pa.FixedSizeBinaryArray.from_buffers(pa.binary(8), keys.size, [None, pa.py_buffer(keys)])
    numbers = hash_with(raw.cast(pa.binary())).to_numpy(zero_copy_only=False).view(np.int64)
    return pa.table(
        {
            "class_id": (visits["class_id"].to_numpy() + first_id).astype(np.int32),
            "client": numbers[encoded.indices.to_numpy()],
            "started_at": _moments(visits["time_us"]),
        }
    )


def log_span(blocks: Blocks, log: str, *, times_are_starts: bool) -> pa.Table:
    """Return the rows of ``log_span``."""
    import pyarrow as pa

    moment = pa.timestamp("us")
    return pa.table(
        {
            "log": pa.array([log] * len(blocks.spans), pa.string()),
            "first_at": pa.array([first for first, _ in blocks.spans], pa.int64()).cast(moment),
            "last_at": pa.array([last for _, last in blocks.spans], pa.int64()).cast(moment),
            "resolution_s": pa.array([0.001 if blocks.is_fine else 1.0] * len(blocks.spans), pa.float64()),
            "times_are_starts": pa.array([times_are_starts] * len(blocks.spans), pa.bool_()),
        }
    )


def cookie_use(analysis: Analysis, log: str, hash_with: Hash | None) -> pa.Table | None:
    """Return the rows of ``cookie_use``; None where the log does not tell of cookies."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if analysis.clients is None or analysis.client_texts is None:
        return None
    rows, named = analysis.clients, _Texts(analysis.client_texts)
    folded = pc.is_null(rows["client_key"])
    counts = {name: rows[name].cast(pa.int64()) for name in ("clients", "visits", "brought", "given", "renewed")}
    table = pa.table(
        {
            "log": pa.repeat(pa.scalar(log), rows.num_rows),
            "client": _hashed(_folded(named.of(rows["client_key"]), folded), hash_with),
            "user_agent": _folded(named.of(rows["agent_key"]), folded),
            **counts,
            "first_at": _moments(rows["first_us"]),
            "last_at": _moments(rows["last_us"]),
        }
    )
    order = [("visits", "descending"), ("first_at", "ascending"), ("client", "ascending"), ("user_agent", "ascending")]
    return table.sort_by(order)


class _Texts:
    """The texts behind keys, as they may be shown."""

    def __init__(self, texts: pa.Table) -> None:
        import numpy as np
        import pyarrow as pa

        keys = texts["key"].to_numpy()
        order = np.argsort(keys)
        self._keys = keys[order]
        self._texts = pa.concat_arrays([plain(texts["text"].combine_chunks()).take(pa.array(order)), pa.array([""])])

    def of(self, keys: pa.ChunkedArray) -> pa.Array:
        """Return the text of each key; empty where there is none."""
        import numpy as np
        import pyarrow as pa

        asked = keys.fill_null(0).to_numpy()
        at = np.searchsorted(self._keys, asked)
        inside = np.minimum(at, max(0, self._keys.size - 1))
        known = (self._keys[inside] == asked) if self._keys.size else np.zeros(asked.size, dtype=bool)
        return self._texts.take(pa.array(np.where(known, inside, self._keys.size)))


def plain(texts: pa.Array) -> pa.Array:
    """Return texts that a stranger sent: cut, and without anything that a terminal obeys; ``-`` is none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = texts.fill_null("").cast(pa.string())
    texts = pc.if_else(pc.equal(texts, "-"), "", texts)
    return pc.replace_substring_regex(pc.utf8_slice_codeunits(texts, 0, _TEXT), _OBEYED, "\ufffd")


def _folded(texts: Any, where: Any) -> Any:
    import pyarrow.compute as pc

    return pc.if_else(where, FOLDED, texts)


def _moments(microseconds: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa

    return microseconds.cast(pa.int64()).cast(pa.timestamp("us"))


def _hashed(clients: pa.ChunkedArray, hash_with: Hash | None) -> Any:
    """Replace addresses by ``#`` and their hash; what is none (no address, or several) stays."""
    import pyarrow as pa

    if hash_with is None:
        return clients
    encoded = clients.combine_chunks().dictionary_encode()
    addresses = encoded.dictionary.to_pylist()
    hashes = hash_with(encoded.dictionary).to_pylist()
    shown = [
        text if text in {None, "", FOLDED} else f"#{number:016x}"
        for text, number in zip(addresses, hashes, strict=True)
    ]
    return pa.array(shown, pa.string()).take(encoded.indices)
