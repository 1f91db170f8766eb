"""A look at a terminal that finds nothing says what it looked at."""

from __future__ import annotations

from pathlib import Path

import pytest

from necropsy.case.store import Case
from necropsy.cli.watch import nothing_to_report

FAMILY = {"store": "a", "db": 0, "pattern": "queue:*", "type": "list", "role": "other", "keys": 7, "bytes": 900}


@pytest.mark.parametrize(
    ("sessions", "said"), [(0, "no session of a known layout among 7 keys"), (1, "1 session."), (3, "3 sessions.")]
)
def test_a_look_without_a_notice_says_what_there_is(tmp_path: Path, sessions: int, said: str) -> None:
    path = tmp_path / "a.case"
    with Case.create(path) as case:
        case.append("key_family", [FAMILY])
        case.append("session", [{"store": "a", "id": bytes([number])} for number in range(sessions)])
    shown = nothing_to_report(path)
    assert said in shown
    assert str(path) in shown
