from __future__ import annotations

import pytest

from examine.cases import scene


@pytest.mark.parametrize(("without_expiry", "found"), [(1, True), (0, False)])
def test_index_entries_without_a_session_are_orphans_unless_the_index_expires(without_expiry: int, found: bool) -> None:
    with scene() as s:
        s.source("rdb").sessions(1)
        s.case.append(
            "key_family",
            [
                {
                    "store": "a",
                    "pattern": "ns:index:*",
                    "role": "index",
                    "keys": 1,
                    "bytes": 1,
                    "without_expiry": without_expiry,
                }
            ],
        )
        s.case.append(
            "index_entry", [{"store": "a", "family": "ns:index:*", "index": b"i", "id": b"%d" % n} for n in range(200)]
        )
        orphans = [f for f in s.examine().findings if f.slug == "sessions/orphaned-index"]
    assert bool(orphans) is found
    assert not found or "200 of 200" in orphans[0].title
