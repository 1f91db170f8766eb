"""A node read by SCAN: the databases one after the other, at a pace that others can bear."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from necropsy.evidence.redis.batches import Batches, expiry_bytes
from necropsy.evidence.redis.host import SEEN
from necropsy.evidence.redis.pipeline import PipelineWay
from necropsy.evidence.redis.rate_control import RateControl
from necropsy.evidence.redis.scan import Scan, ScanEnded
from necropsy.model.figures import several
from necropsy.wire.priority import ProcessorWait, standing_back
from necropsy.wire.redis.info import number, parse_info
from necropsy.wire.redis.replies import ANSWERS_ODDLY, ODD, ConnectionLost, ServerError

if TYPE_CHECKING:
    import pyarrow as pa

    from necropsy.evidence.redis.cost_sampling import CostSampling
    from necropsy.evidence.redis.node_report import NodeReport
    from necropsy.evidence.redis.page import KeyWords
    from necropsy.evidence.redis.permissions import Permissions
    from necropsy.evidence.redis.read_methods import SliceMethod
    from necropsy.wire.redis.connection import Connection


@dataclass(frozen=True, slots=True)
class ScanSetup:
    """Parameters of the scan of one node, beside its report."""

    connect: Callable[[], Connection]
    """Opens another connection to the node."""
    connection: Connection
    method: SliceMethod
    names: KeyWords
    permissions: Permissions
    lfu: bool
    """Whether the server counts uses rather than idle times."""
    cost_sampling: CostSampling | None


def scan_keys(report: NodeReport, setup: ScanSetup) -> Iterator[pa.RecordBatch]:
    """Yield the keys of a node; a scan that ends early is a blemish, and what it read stays.

    On the server's own machine the scan stands back: a server that waits for a processor is one that others wait for.
    """
    with standing_back() if SEEN in report.server.facts else contextlib.nullcontext():
        yield from _scanned(report, setup)


def _scanned(report: NodeReport, setup: ScanSetup) -> Iterator[pa.RecordBatch]:
    wanted = report.wanted
    batches = Batches(wanted.projection, setup.names, wanted.batch_rows, expiry_bytes(report.server.info))
    pieces = PipelineWay(setup.connection, setup.permissions, wanted.projection, setup.names, lfu=setup.lfu)
    line = _Line(setup.connection)
    rate_control = RateControl(line.ping, line.memory, line.heard, wanted.max_impact_s)
    given = 0
    try:
        scan = Scan(
            setup.connect,
            setup.connection,
            setup.method,
            pieces,
            rate_control,
            batches,
            report.tally,
            seen=wanted.seen,
        )
        line.scan = scan
        for db in report.totals:
            for batch in scan.database(db):
                given += batch.num_rows
                yield batch
    except (ScanEnded, ConnectionLost) as ended:
        rest = batches.take()
        if rest is not None:
            yield rest
        report.cut_short(str(ended))
    except ODD:  # the batch that was being filled is not to be trusted
        report.tally.keys = given
        report.cut_short(f"it {ANSWERS_ODDLY}")
    finally:
        line.close()
    _tell(report, setup, rate_control)


class _Line:
    """The connection of the moment, for questions beside the scan."""

    def __init__(self, connection: Connection) -> None:
        self._first = connection
        self._waited = ProcessorWait()
        self.scan: Scan | None = None

    def ping(self) -> float:
        """Return the seconds of one round trip; 0 when there is none: whoever asks for keys next finds out.

        Without what this thread waited for a processor after the answer had come: that says nothing of the server.
        """
        waited, began = self._waited.so_far_s(), time.perf_counter()
        try:
            self._connection.command("PING")
        except (ConnectionLost, ServerError):
            return 0.0
        taken = time.perf_counter() - began
        return max(0.0, taken - (self._waited.so_far_s() - waited))

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
        self._waited.close()
        self._connection.close()

    @property
    def _connection(self) -> Connection:
        return self._first if self.scan is None else self.scan.connection


def heard_from_others(connection: Connection) -> int | None:
    """Return how many bytes a server has read since it began, without those of this connection.

    Raises
    ------
    ConnectionLost, ServerError
    """
    heard = number(parse_info(connection.command("INFO", "STATS")), "total_net_input_bytes")
    return heard - connection.sent_bytes if heard else None


def _tell(report: NodeReport, setup: ScanSetup, rate_control: RateControl) -> None:
    """Write down how the scan went."""
    tally, facts = report.tally, report.server.facts
    facts["scan-slices"] = str(tally.slices)
    facts["scan-server-s"] = f"{tally.server_s:.3f}"
    facts["scan-longest-slice-ms"] = f"{1000 * tally.longest_s:.2f}"
    facts["scan-rested-s"] = f"{rate_control.rested_s:.1f}"
    facts["scan-keys-gone"] = str(tally.gone)
    facts["scan-keys-again"] = str(tally.again)
    facts["scan-resumed"] = str(tally.resumed)
    if setup.cost_sampling is not None and setup.cost_sampling.guessed:
        facts["scan-keys-guessed"] = str(setup.cost_sampling.guessed)
        report.remarks.append(setup.cost_sampling.remark())
    if tally.resumed:
        report.remarks.append(f"its connection broke {several(tally.resumed, 'time')}, and the scan continued")
    if rate_control.waited_for_memory_s:
        report.remarks.append(f"waited {rate_control.waited_for_memory_s:.0f} s because its memory was full")
    if not setup.connection.keeps_idle_times:
        report.remarks.append("it has no CLIENT NO-TOUCH: keys whose values were read now look recently used")
    if tally.unread:
        why = "values longer than 1 MiB were not fetched: their length is known, their content is not"
        report.blemish(0, why, tally.unread)
