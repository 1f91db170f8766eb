"""A node read by its replication stream: the dump is parsed as it arrives, by the reader of dumps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, cast

from necropsy.model.errors import UnreadableSource

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.evidence.redis.node_report import NodeReport
    from necropsy.wire.redis.replication import ReplicationStream


def stream_keys(report: NodeReport, stream: ReplicationStream) -> Iterator[pa.RecordBatch]:
    """Yield the keys of a node whose stream was opened; facts and blemishes of the dump become the node's."""
    import pyarrow.compute as pc

    wanted = report.wanted
    if wanted.open_dump is None:
        return
    db = wanted.address.db
    with stream:
        try:
            dump = wanted.open_dump(
                cast("BinaryIO", stream), wanted.address.masked, wanted.projection, allocator=report.server.allocator
            )
        except UnreadableSource as error:
            report.cut_short(stream.why_not or error.message)
            return
        for batch in dump:
            kept = batch if db is None else batch.filter(pc.equal(batch["db"], db))
            report.tally.keys += kept.num_rows
            report.wanted.seen(kept.num_rows)
            if kept.num_rows:
                yield kept
    report.taken_at = dump.taken_at or report.taken_at
    facts = dict(dump.facts)
    facts["stream-waited-s"] = f"{stream.waited_s:.1f}"
    report.server.facts = facts | report.server.facts
    report.blemishes += dump.blemishes
    if stream.why_not:
        report.cut_short(f"its stream ended early: {stream.why_not}")
