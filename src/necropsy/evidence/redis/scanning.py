"""A node read by SCAN: the databases one after the other, at a pace that others can bear."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from necropsy.evidence.redis.batches import Batches, expiry_bytes
from necropsy.evidence.redis.host import SEEN
from necropsy.evidence.redis.pipeline import PipelineWay
from necropsy.evidence.redis.rate_control import RateControl
from necropsy.evidence.redis.scan import Scan, ScanEnded
from necropsy.wire.priority import standing_back
from necropsy.wire.redis.info import number, parse_info
from necropsy.wire.redis.replies import ANSWERS_ODDLY, ODD, ConnectionLost, ServerError

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.evidence.redis.node import NodeReading
    from necropsy.evidence.redis.read_methods import Way
    from necropsy.wire.redis.connection import Connection


def scan_keys(node: NodeReading) -> Iterator[pa.RecordBatch]:
    """Yield the keys of a node; a scan that ends early is a blemish, and what it read stays.

    On the server's own machine the scan stands back: a server that waits for a processor is one that others wait for.
    """
    if node.scanning is None:
        return
    with standing_back() if SEEN in node.server.facts else contextlib.nullcontext():
        yield from _scanned(node, node.scanning)


def _scanned(node: NodeReading, way: Way) -> Iterator[pa.RecordBatch]:
    wanted = node.wanted
    batches = Batches(wanted.projection, node.names, wanted.batch_rows, expiry_bytes(node.server.info))
    pieces = PipelineWay(node.connection, node.permissions, wanted.projection, node.names, lfu=node.lfu)
    line = _Line(node)
    rate_control = RateControl(line.ping, line.memory, line.heard, wanted.max_impact_s)
    given = 0
    try:
        scan = Scan(node.connect, node.connection, way, pieces, rate_control, batches, node.tally)
        line.scan = scan
        for db in node.totals:
            for batch in scan.database(db):
                given += batch.num_rows
                wanted.seen(batch.num_rows)
                yield batch
    except (ScanEnded, ConnectionLost) as ended:
        rest = batches.take()
        if rest is not None:
            wanted.seen(rest.num_rows)
            yield rest
        node.cut_short(str(ended))
    except ODD:  # the batch that was being filled is not to be trusted
        node.tally.keys = given
        node.cut_short(f"it {ANSWERS_ODDLY}")
    finally:
        line.close()
    _tell(node, rate_control)


class _Line:
    """The connection of the moment, for questions beside the scan."""

    def __init__(self, node: NodeReading) -> None:
        self._node = node
        self.scan: Scan | None = None

    def ping(self) -> float:
        """Return the seconds of one round trip; 0 when there is none: whoever asks for keys next finds out."""
        began = time.perf_counter()
        try:
            self._connection.command("PING")
        except (ConnectionLost, ServerError):
            return 0.0
        return time.perf_counter() - began

    def memory(self) -> Mapping[str, str]:
        """Return INFO memory, or nothing."""
        try:
            return parse_info(self._connection.command("INFO", "MEMORY"))
        except (ConnectionLost, ServerError):
            return {}

    def heard(self) -> int | None:
        """Return how many bytes others have sent to the server; None when it does not say."""
        try:
            return heard_from_others(self._connection)
        except (ConnectionLost, ServerError):
            return None

    def close(self) -> None:
        """Hang up."""
        self._connection.close()

    @property
    def _connection(self) -> Connection:
        return self._node.connection if self.scan is None else self.scan.connection


def heard_from_others(connection: Connection) -> int | None:
    """Return how many bytes a server has read since it began, without those of this connection.

    Raises
    ------
    ConnectionLost, ServerError
    """
    heard = number(parse_info(connection.command("INFO", "STATS")), "total_net_input_bytes")
    return heard - connection.sent_bytes if heard else None


def _tell(node: NodeReading, rate_control: RateControl) -> None:
    """Write down how the scan went."""
    tally, facts = node.tally, node.server.facts
    facts["scan-slices"] = str(tally.slices)
    facts["scan-server-s"] = f"{tally.server_s:.3f}"
    facts["scan-longest-slice-ms"] = f"{1000 * tally.longest_s:.2f}"
    facts["scan-rested-s"] = f"{rate_control.rested_s:.1f}"
    facts["scan-keys-gone"] = str(tally.gone)
    facts["scan-keys-again"] = str(tally.again)
    facts["scan-resumed"] = str(tally.resumed)
    if node.cost_sampling is not None and node.cost_sampling.guessed:
        facts["scan-keys-guessed"] = str(node.cost_sampling.guessed)
        node.remarks.append(node.cost_sampling.remark())
    if tally.resumed:
        node.remarks.append(f"its connection broke {tally.resumed} times, and the scan went on")
    if rate_control.waited_for_memory_s:
        node.remarks.append(f"waited {rate_control.waited_for_memory_s:.0f} s as its memory was full")
    if not node.connection.keeps_idle_times:
        node.remarks.append("it has no CLIENT NO-TOUCH: keys whose values were read look used")
    if tally.unread:
        why = "values longer than 1 MiB were not fetched: their length is known, what is in them is not"
        node.blemish(0, why, tally.unread)
