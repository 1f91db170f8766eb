"""What a user may not do, or a server does not know, is absent with the rule to add; the rule works."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from evidence.redis.live import fill, options, read, rows, without
from necropsy.model.errors import UnreadableSource
from servers import NAMES, Server, running
from wire.redis.nodes import ask

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module", params=NAMES)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    with running(request.param, *options(request.param), tcp=True) as started:
        fill(started, keys=60)
        yield started


def user(server: Server, *rules: str) -> str:
    """Make a user with these rights and no others; the address with which it reads."""
    ask(server, "ACL", "DELUSER", "reader")
    assert ask(server, "ACL", "SETUSER", "reader", "on", ">pw", *rules) == b"OK"
    return f"redis://reader:pw@127.0.0.1:{server.port}/0"


def test_a_user_that_may_only_read_keys_is_served_without_scripts(server: Server) -> None:
    url = user(server, "~*", "+@read", "+@connection")
    live = read(url, "auto")
    found = rows(live)
    assert without(found, "idle_s", "bytes", "expires_at") == without(
        rows(read(server.url, "script")), "idle_s", "bytes", "expires_at"
    )
    assert "by pipeline" in live.note
    missing = {absent.reason.split(" is ")[0]: absent.hint for absent in live.absent}
    assert {"INFO", "CONFIG GET", "SLOWLOG GET"} <= missing.keys()
    assert missing["CONFIG GET"] == "ACL SETUSER <user> +config|get"


def test_the_rules_that_the_hints_name_bring_what_was_missing(server: Server) -> None:
    granted = ["~*", "+scan", "+type", "+auth", "+select"]
    for _ in range(3):
        live = read(user(server, *granted), "auto")
        rows(live)
        hints = [absent.hint for absent in live.absent]
        if not hints:
            break
        for hint in hints:
            granted += re.findall(r"\+\S+", hint)
    assert hints == []
    assert not {"+@all", "allcommands", "+@write", "+@admin"} & set(granted)


def test_memory_is_reckoned_too_low_rather_than_left_out_when_it_is_forbidden(server: Server) -> None:
    live = read(user(server, "~*", "+@read", "-memory", "+@connection", "+info"), "pipeline")
    found = rows(live)
    assert all(row["bytes"] >= len(row["key"]) + 64 for row in found)
    assert any("too low" in absent.reason and absent.hint.endswith("+memory|usage") for absent in live.absent)


def test_without_scan_there_is_nothing_to_read(server: Server) -> None:
    with pytest.raises(UnreadableSource) as raised:
        read(user(server, "~*", "+@read", "-scan", "+@connection"), "auto")
    assert "ACL SETUSER" in raised.value.hint


def test_keys_of_others_are_counted_not_read(server: Server) -> None:
    everything = rows(read(server.url, "script"))
    mine = [row["key"] for row in everything if row["key"].startswith(b"spring")]
    assert 0 < len(mine) < len(everything)
    for way, scripts in (("pipeline", ()), ("script", ("+eval", "+evalsha", "+eval_ro", "+evalsha_ro"))):
        rules = [rule for rule in scripts if not rule.endswith("_ro") or server.build.name != "redis-6.2"]
        live = read(user(server, "~spring*", "+@read", "+@connection", "+info", "+time", *rules), way)
        assert [row["key"] for row in rows(live)] == mine
        (denied,) = [absent for absent in live.absent if "may not be read by this user" in absent.reason]
        assert f"{len(everything) - len(mine):,} keys" in denied.reason


def test_scripts_or_the_stream_by_name_are_refused_with_the_rule(server: Server) -> None:
    url = user(server, "~*", "+@read", "+@connection", "+info")
    for way, rule in (("script", "+eval"), ("stream", "+sync")):
        with pytest.raises(UnreadableSource) as raised:
            read(url, way)
        assert rule in raised.value.hint


@pytest.mark.parametrize("name", NAMES)
def test_commands_that_were_renamed_away_cost_only_what_they_bring(name: str) -> None:
    gone = ["MEMORY", "EVAL", "CONFIG", "SYNC", "SLOWLOG"] + (["EVAL_RO"] if name != "redis-6.2" else [])
    renamed = [word for command in gone for word in ("--rename-command", command, "")]
    with running(name, *renamed, tcp=True) as server:
        for number in range(50):
            ask(server, "HSET", f"s:{number}", "f1", "abcdefgh")
        live = read(server.url, "auto")
        found = rows(live)
        assert len(found) == 50
        assert {row["field:f1"] for row in found} == {b"abcde"}
        reasons = [absent.reason for absent in live.absent]
        assert any(reason.startswith("MEMORY USAGE is unknown") for reason in reasons)
        assert any(reason.startswith("CONFIG GET is unknown") for reason in reasons)
        assert all("rename-command" in absent.hint for absent in live.absent)
        with pytest.raises(UnreadableSource, match="unknown command"):
            read(server.url, "stream", max_impact_s=0.1)


def test_nothing_that_is_said_holds_the_password_or_a_key(server: Server) -> None:
    for rules in (("~spring*", "+@read", "+@connection"), ("~*", "+@all")):
        live = read(user(server, *rules), "pipeline")
        keys = [row["key"] for row in rows(live)]
        said = repr((live.facts, live.blemishes, live.absent, live.note, live.locator, live.topology))
        assert "pw@" not in said
        assert ":pw" not in said
        assert "reader" not in said
        assert not [key for key in keys if len(key) > 12 and key.decode(errors="replace") in said]
