"""What the server refuses is known before the first session is deleted, and said as what it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from necropsy.treat.purge.permissions import acl_line
from necropsy.treat.purge.stores import TreatmentError
from necropsy.wire.redis.address import parse_address
from servers import running
from treat.purge.population import apply, make_plan, spring

pytestmark = pytest.mark.integration


@pytest.mark.parametrize(
    "missing", ["dump", "pexpiretime", "restore", "unlink", "set", "sadd", "pexpireat", "pttl", "zrem"]
)
def test_a_user_who_lacks_what_the_purge_or_its_undo_needs_deletes_nothing(missing: str, tmp_path: Path) -> None:
    with running("redis-7.0", tcp=True) as server:
        client = server.client()
        spring(client)
        before = client.dbsize()
        rules = acl_line("7.0.0", cluster=False).split()[5:]
        client.execute_command("ACL", "SETUSER", "few", "on", ">pw", *(rule for rule in rules if rule != f"+{missing}"))
        url = f"redis://few:pw@127.0.0.1:{server.port}/0"
        _, path = make_plan(url, tmp_path)
        with pytest.raises(TreatmentError, match=missing) as refused:
            apply(path, tmp_path / "journal", redis=parse_address(url))
        assert "ACL SETUSER" in str(refused.value.hint)
        assert client.dbsize() == before


@pytest.mark.parametrize("command", ["dump", "pexpiretime", "unlink", "restore"])
def test_a_command_that_the_server_s_configuration_took_away_is_named(command: str, tmp_path: Path) -> None:
    with running("redis-7.0", "--rename-command", command, "") as server:
        client = server.client()
        spring(client)
        before = client.dbsize()
        _, path = make_plan(server.url, tmp_path)
        with pytest.raises(TreatmentError, match=command.upper()):
            apply(path, tmp_path / "journal")
        assert client.dbsize() == before


@pytest.mark.parametrize("keys", ["~*sessions*", "~*expires*", "%R~*"])
def test_a_user_who_may_not_write_to_all_keys_of_a_session_deletes_none(keys: str, tmp_path: Path) -> None:
    """Half of a session would be left: its marker, or its name in the set of its minute."""
    with running("redis-7.0", tcp=True) as server:
        client = server.client()
        spring(client)
        before = client.dbsize()
        rules = [rule for rule in acl_line("7.0.0", cluster=False).split()[5:] if rule != "~*"]
        client.execute_command("ACL", "SETUSER", "few", "on", ">pw", "~necropsy*", "%R~*", keys, *rules)
        url = f"redis://few:pw@127.0.0.1:{server.port}/0"
        _, path = make_plan(url, tmp_path)
        with pytest.raises(TreatmentError, match="access"):
            apply(path, tmp_path / "journal", redis=parse_address(url))
        assert client.dbsize() == before
