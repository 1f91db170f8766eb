"""Managed servers take commands away: every key is read all the same, and what is missing is named with what to do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from evidence.redis.live import fill, options, read, rows, without
from necropsy.model.errors import UnreadableSource
from servers import Server, running
from wire.redis.nodes import ask

pytestmark = pytest.mark.integration

_EVERYWHERE = "BGREWRITEAOF BGSAVE CONFIG DEBUG MIGRATE PSYNC REPLICAOF SAVE SHUTDOWN SLAVEOF SYNC"
RESTRICTED = {
    "elasticache": f"{_EVERYWHERE} ACL",
    "memorydb": f"{_EVERYWHERE} ACL MODULE ROLE",
    "memorystore": f"{_EVERYWHERE} ACL LASTSAVE MODULE",
    "azure": f"{_EVERYWHERE} ACL CLUSTER MODULE",
}
"""Commands that each service refuses. Source: AWS "Supported and restricted commands", Google "Product constraints",
Microsoft "Redis commands not supported in Azure Cache for Redis"."""


@pytest.fixture(scope="module", params=("redis-7.0", "valkey-8"))
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(request.param, *options(request.param), tcp=True) as started:
        fill(started, keys=60)
        yield started


@pytest.mark.parametrize("service", RESTRICTED)
def test_the_default_user_of_a_managed_service_reads_every_key(server: Server, service: str) -> None:
    ask(server, "ACL", "DELUSER", "managed")
    rules = [f"-{command.lower()}" for command in RESTRICTED[service].split()]
    assert ask(server, "ACL", "SETUSER", "managed", "on", ">pw", "~*", "&*", "+@all", *rules) == b"OK"
    url = f"redis://managed:pw@127.0.0.1:{server.port}/0"
    live = read(url, "auto")
    everything = rows(read(server.url, "script"))
    unsteady = ("idle_s", "bytes", "expires_at")
    assert without(rows(live), *unsteady) == without(everything, *unsteady)
    missing = {absent.reason.split(" is ")[0] for absent in live.absent}
    assert "CONFIG GET" in missing
    assert missing <= {"CONFIG GET", "ROLE", "LASTSAVE", "CLUSTER INFO", "MODULE LIST"}
    with pytest.raises(UnreadableSource):
        read(url, "stream")


@pytest.mark.parametrize("service", RESTRICTED)
def test_a_service_that_does_not_know_the_commands_is_read_as_well(service: str) -> None:
    renamed = [
        word
        for command in RESTRICTED[service].split()
        if command != "SHUTDOWN"
        for word in ("--rename-command", command, "")
    ]
    with running("redis-7.0", *renamed, tcp=True) as server:
        for number in range(50):
            ask(server, "SET", f"session:{number}", "value", "EX", "600")
        live = read(server.url, "auto")
        assert len(rows(live)) == 50
        assert all(absent.hint for absent in live.absent)
