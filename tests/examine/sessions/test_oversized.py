from __future__ import annotations

from examine.cases import cleared, scene
from necropsy.model.finding import Severity

SLUG = "sessions/oversized"


def test_large_sessions_that_hold_most_of_the_memory_are_told_with_their_own_whole() -> None:
    with scene() as s:
        said = s.source("rdb").sessions(900).sessions(100, bytes=500_000).examine()
    (finding,) = (f for f in said.findings if f.slug == SLUG)
    assert (finding.severity, finding.sessions, finding.bytes) == (Severity.CRITICAL, 100, 50_000_000)
    assert finding.share_of == "bytes of sessions"
    assert finding.title == "100 sessions of 32 kB and more hold 98 % of the memory of all sessions in store a"


def test_sessions_of_usual_size_and_a_large_one_among_many_are_fine() -> None:
    with scene() as s:
        said = s.source("rdb").sessions(5000).sessions(1, bytes=500_000).examine()
    assert cleared(said)[SLUG] == "store a: half of the sessions are 1 kB or less, the largest is 500 kB"
