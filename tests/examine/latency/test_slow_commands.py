from __future__ import annotations

from examine.cases import cleared
from examine.live_cases import examined, found


def test_slow_commands_are_named_with_their_time() -> None:
    slow = {"slowlog__7": "2019-05-24T12:02:59Z 250000 us KEYS", "slowlog__8": "2019-05-24T12:03:59Z 90 us GET"}
    finding = found(examined(**slow, **{"slowlog-length": 2}), "latency/slow-commands")
    assert finding is not None
    assert finding.title == "1 slow command in store a: KEYS blocked it for 250 ms at 2019-05-24T12:02:59Z"


def test_a_slow_log_that_is_off_shows_nothing() -> None:
    said = examined(**{"slowlog-length": 0}, config__slowlog_log_slower_than=-1)
    assert "latency/slow-commands" not in cleared(said)
    assert any(u.slug == "latency/slow-commands" for u in said.unexamined)
    assert "latency/slow-commands" in cleared(examined(**{"slowlog-length": 0}))
