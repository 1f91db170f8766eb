"""One door to a keyspace: dump, address and stream give the same keys, in the same columns."""

from __future__ import annotations

from pathlib import Path

import pytest

import servers
from necropsy.evidence import OpenKeyspace, open_dump_stream, open_keyspace
from necropsy.sessions.registry import projection

pytestmark = pytest.mark.integration


def keys(opened: OpenKeyspace) -> list[bytes]:
    return sorted(name for batch in opened for name in batch["key"].to_pylist())


def test_a_dump_a_server_and_a_stream_hand_out_the_same_keys(tmp_path: Path) -> None:
    shares: list[float | None] = []
    with servers.running("redis-7.0", tcp=True) as server:
        names = [b"session:%d" % number for number in range(50)]
        server.client().mset(dict.fromkeys(names, "v"))
        dump = tmp_path / "dump.rdb"
        server.save(dump)
        url = f"redis://127.0.0.1:{server.port}"
        live = open_keyspace(url, projection(), progress=shares.append)
        assert keys(live) == sorted(names)
        scanned = open_keyspace(url, projection(), replicate=False, each=False)
        assert keys(scanned) == sorted(names)
    saved = open_keyspace(str(dump), projection())
    assert keys(saved) == sorted(names)
    assert keys(open_dump_stream(dump.open("rb"), "a stream", projection())) == sorted(names)
    assert (live.is_live, saved.is_live) == (True, False)
    assert (live.locator, saved.locator) == (url, str(dump))
    assert live.note
    assert shares[-1] == 1.0
