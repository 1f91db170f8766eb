"""A node read by its replication stream: the dump is parsed as it arrives, by the reader of dumps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from necropsy.model.errors import UnreadableSource

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.evidence.redis.node import NodeReading
    from necropsy.wire.redis.replication import ReplicationStream


def stream_keys(node: NodeReading, stream: ReplicationStream) -> Iterator[pa.RecordBatch]:
    """Yield the keys of a node whose stream was opened; facts and blemishes of the dump become the node's."""
    import pyarrow.compute as pc

    wanted = node.wanted
    if wanted.open_dump is None:
        return
    db = wanted.address.db
    with stream:
        try:
            dump = wanted.open_dump(
                cast("BinaryIO", stream), wanted.address.masked, wanted.projection, allocator=node.server.allocator
            )
        except UnreadableSource as error:
            node.cut_short(stream.why_not or error.message)
            return
        for batch in dump:
            kept = batch if db is None else batch.filter(pc.equal(batch["db"], db))
            node.tally.keys += kept.num_rows
            node.wanted.seen(kept.num_rows)
            if kept.num_rows:
                yield kept
    node.taken_at = dump.taken_at or node.taken_at
    facts = dict(dump.facts)
    facts["stream-waited-s"] = f"{stream.waited_s:.1f}"
    node.server.facts = facts | node.server.facts
    node.blemishes += dump.blemishes
    if stream.why_not:
        node.cut_short(f"its stream ended early: {stream.why_not}")
