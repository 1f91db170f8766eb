"""Who reads a session from a cache of its own is not seen by the server: its idle times free nobody then."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from necropsy.treat.purge.judge import UNTIMED
from servers import running
from treat.purge.population import apply, carts, make_plan

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("name", ["redis-8.2", "valkey-9"])
@pytest.mark.parametrize("mode", [(), ("BCAST",)])
def test_while_clients_cache_what_they_read_idle_times_free_nobody(
    name: str, mode: tuple[str, ...], tmp_path: Path
) -> None:
    with running(name, tcp=True) as server:
        carts(server.client(), 4)
        with redis.Redis(port=server.port, protocol=3, single_connection_client=True) as shop:
            shop.execute_command("CLIENT", "TRACKING", "ON", *mode)
            done = apply(make_plan(server.url, tmp_path)[1], tmp_path / "journal")
            assert (done.deleted, done.kept) == (0, {UNTIMED: 4})
            assert any("caches of their own" in remark for remark in done.remarks)
            shop.execute_command("CLIENT", "TRACKING", "OFF")
        done = apply(make_plan(server.url, tmp_path)[1], tmp_path / "second")
        assert (done.deleted, done.remarks) == (4, [])
