from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from blank_cases import blank_case
from necropsy.case.scratch import Scratch, open_scratch
from necropsy.case.store import Case
from necropsy.evidence.access_log.reader import ReadLog, read

ASSETS = Path(__file__).parents[2] / "assets" / "access_log"


@dataclass
class Reading:
    """A case after reading, for tests."""

    log: ReadLog
    case: Case

    def classes(self, columns: str = "method, path, status, followed_to, visits, requests") -> list[tuple[Any, ...]]:
        rows = self.case.rows(f"SELECT {columns} FROM visitor_class ORDER BY class_id")
        return [tuple(row.values()) for row in rows]

    def one(self, columns: str) -> tuple[Any, ...]:
        (row,) = self.classes(columns)
        return row


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[Callable[..., Reading]]:
    """Read texts or bytes as files of logs: ``reading(text)``, ``reading({"access.log": text, …})`` or paths."""
    with blank_case() as case:

        def run(logs: str | bytes | dict[str, str | bytes] | Sequence[Path], **options: Any) -> Reading:
            if isinstance(logs, str | bytes):
                logs = {"access.log": logs}
            if isinstance(logs, dict):
                paths = []
                for name, content in logs.items():
                    path = tmp_path / name
                    path.write_bytes(content.encode() if isinstance(content, str) else content)
                    paths.append(path)
            else:
                paths = list(logs)
            return Reading(read(case, [str(path) for path in paths], **options), case)

        yield run


@pytest.fixture
def scratch() -> Iterator[Scratch]:
    with open_scratch() as opened:
        yield opened
