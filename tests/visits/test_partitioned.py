"""Lines in partitions by flow, each analysed by itself, come to what all lines together come to."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pytest

from evidence.access_log.backends.shop import COOKIE_FORMAT, cookie_lines, shop_lines
from necropsy.case.scratch import Scratch, open_scratch
from necropsy.evidence.access_log.backends.interface import WantedLines
from necropsy.evidence.access_log.backends.local import LocalBackend
from necropsy.visits import analyse
from necropsy.visits.analyse import Analysis
from necropsy.visits.partitioned import counting
from necropsy.visits.partitioned.conductor import Conductor
from necropsy.visits.partitioned.packing import merged
from necropsy.visits.partitioned.partition import Partition, Stage, run_stage


class Format(NamedTuple):
    name: str
    text: str
    escape: str = "default"
    origin: None = None


SLACK_US = 5_000_000


class InThisProcess:
    """Partitions one after the other; nothing is kept but bytes."""

    def __init__(self, lines: Mapping[int, list[bytes]]) -> None:
        self.kept = {"lines": dict(lines)}

    def run(
        self, stage: Stage, given: Mapping[str, pa.Table], *, of: str, into: str | None = None
    ) -> dict[str, pa.Table]:
        said = []
        made: dict[int, list[bytes]] = {}
        for number in self.kept["lines"]:
            with open_scratch() as scratch:
                partition = Partition(scratch)
                for name in of.split("+"):
                    for data in self.kept[name][number]:
                        partition.take(data)
                run_stage(partition, stage, given)
                said.append(dict(partition.said))
                made[number] = list(partition.leaving())
        if into is not None:
            self.kept[into] = made
        return merged(said)


def by_partitions(scratch: Scratch, count: int, between: tuple[int, int]) -> Analysis:
    """Analyse the lines that a scratch database has in so many partitions."""
    lines: dict[int, list[bytes]] = {number: [] for number in range(count)}
    for number, data in counting.split(scratch, count):
        lines[number].append(data)
    with open_scratch() as here:
        conductor = Conductor(here, InThisProcess(lines), counting.counts(scratch), SLACK_US)
        return conductor.analyse(bins=True, visits_between=between)


def rows(table: pa.Table | None) -> list[str] | None:
    if table is None:
        return None
    names = sorted(table.column_names)
    return sorted(repr([row[name] for name in names]) for row in table.to_pylist())


def compare(found: Analysis, expected: Analysis) -> None:
    for name in ("classes", "texts", "bins", "visits", "clients", "client_texts"):
        assert rows(getattr(found, name)) == rows(getattr(expected, name)), name
    assert (found.blocks is None) == (expected.blocks is None)
    if found.blocks is not None and expected.blocks is not None:
        assert found.blocks.spans == expected.blocks.spans


def analysed(path: Path, counts: tuple[int, ...], *formats: str) -> Analysis:
    """Analyse a log whole and in partitions, and compare."""
    with ExitStack() as stack:
        scratch = stack.enter_context(open_scratch())
        backend = LocalBackend(scratch)
        part = backend.read(WantedLines([str(path)], [Format("given", text) for text in formats]))
        assert part.first_us is not None
        assert part.last_us is not None
        between = (part.first_us, part.last_us)
        found = [by_partitions(scratch, count, between) for count in counts]
        whole = analyse.analyse(backend.engine, slack_us=SLACK_US, visits_between=between)
    for one in found:
        compare(one, whole)
    return whole


@pytest.mark.process
def test_a_shop_with_probers_and_redirects(tmp_path: Path) -> None:
    path = tmp_path / "shop.log"
    path.write_bytes(b"\n".join(shop_lines()))
    whole = analysed(path, (1, 2, 5))
    assert sum(row is not None for row in whole.classes["period_s"].to_pylist()) >= 4
    assert "/login" in whole.classes["followed_to"].to_pylist()


def test_a_log_that_tells_of_cookies_and_has_no_redirect(tmp_path: Path) -> None:
    path = tmp_path / "cookies.log"
    path.write_text("\n".join(cookie_lines()) + "\n")
    whole = analysed(path, (3,), COOKIE_FORMAT)
    assert whole.clients is not None


@pytest.mark.process
def test_more_classes_visits_and_clients_than_may_be_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, most in (("CLASSES", 3), ("CLIENTS", 2), ("VISITS", 900), ("CHILDREN", 20)):
        monkeypatch.setattr(analyse, name, most)
    path = tmp_path / "shop.log"
    path.write_bytes(b"\n".join(shop_lines()))
    whole = analysed(path, (4,))
    assert set(whole.classes["level"].to_pylist()) == {0, 1, 2}
    path.write_text("\n".join(cookie_lines()) + "\n")
    clients = analysed(path, (3,), COOKIE_FORMAT).clients
    assert clients is not None
    assert max(clients["clients"].to_pylist()) > 1
