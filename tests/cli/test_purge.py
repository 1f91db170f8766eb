"""What was asked of a purge and would not happen is refused, before any store is asked."""

from __future__ import annotations

import pytest

from cli.running import run
from servers import running


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("purge", "--apply", "a.plan", "--journal", "j", "--where", "immortal"), "--apply takes no --where"),
        (("purge", "--undo", "j", "--idle", "2h", "--rate", "5"), "--undo takes no --idle, no --rate"),
        (("purge", "--shred", "j", "--batch", "1"), "--shred takes no --batch"),
        (("purge", "--verify", "j", "--redis", "redis://a"), "--verify takes no --redis"),
        (("purge", "--redis", "redis://a", "--journal", "j"), "a plan takes no --journal"),
        (("purge", "--redis", "redis://a", "--batch", "3"), "a plan takes no --batch"),
        (("cap-ttl", "--undo", "j", "--max", "7d"), "--undo takes no --max"),
        (("consul", "--zombies", "--journal", "k"), "--journal does nothing without --apply"),
        (("consul", "--undo", "j", "--apply"), "--undo takes no --zombies, --apply or --journal"),
        (("cap-ttl", "--redis", "redis://a", "--journal", "k"), "--journal does nothing without --apply"),
        (("cap-ttl", "--undo", "j", "--apply", "--journal", "k"), "--undo takes no --apply, no --journal"),
    ],
)
def test_an_option_that_would_do_nothing_is_refused(words: tuple[str, ...], said: str) -> None:
    done = run(*words)
    assert (done.code, str(done.error)) == (2, said)


@pytest.mark.integration
def test_a_cap_of_a_store_without_a_known_session_says_that_nothing_was_checked() -> None:
    with running("redis-8.2") as server:
        server.client().set("cache:1", "a")
        done = run("cap-ttl", "--redis", server.url)
    assert "no session of a known layout was found" in done.out
    assert f"necropsy keys --redis {server.url}" in done.out
