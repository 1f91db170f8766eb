"""Sessions of Express and Fastify: real dumps beside what JavaScript says of them, and the odd ones by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.case.identity import hash_identifier
from necropsy.case.store import Case
from necropsy.sessions.express import judge
from sessions.keyspaces import ASSETS, NOW, batch, families, key, of_dump, sessions, settled

DUMPS = ASSETS / "express"
AUTHENTICATION = {"logged in": "yes"}


@dataclass(frozen=True)
class Dump:
    case: Case
    facts: dict[str, Any]

    def pairs(self) -> list[tuple[dict[str, Any], dict[str, Any]]]:
        assert self.case._key is not None
        rows = {row["id_hash"]: row for row in sessions(self.case)}
        return [(fact, rows[hash_identifier(self.case._key, fact["id"].encode())]) for fact in self.facts["sessions"]]


@pytest.fixture(scope="module", params=sorted(path.stem for path in DUMPS.glob("*.rdb")))
def dump(request: pytest.FixtureRequest) -> Iterator[Dump]:
    with of_dump(request.param, folder=DUMPS) as case:
        yield Dump(case, json.loads((DUMPS / f"{request.param}.json").read_text()))


def test_every_session_is_found_and_nothing_else(dump: Dump) -> None:
    layout = "fastify" if dump.facts["kind"] == "fastify" else "express"
    assert len(sessions(dump.case)) == len(dump.facts["sessions"])
    for fact, row in dump.pairs():
        assert (row["layout"], row["namespace"], row["keys"]) == (layout, fact["namespace"], 1)
    roles = families(dump.case)
    assert roles["cache:products:*"] == ("other", 2)
    assert sum(keys for _, keys in roles.values()) == dump.facts["keys"]


def test_a_client_that_never_returns_was_born_at_its_only_write(dump: Dump) -> None:
    for fact, row in dump.pairs():
        if fact["original_max_age_ms"] is None or (fact["trait"] == "came back" and row["layout"] == "fastify"):
            continue
        written = datetime.fromisoformat(fact["expires"]) - timedelta(milliseconds=fact["original_max_age_ms"])
        assert row["born_at"] == written.replace(tzinfo=None)
        told = {"derived", "not later than"} if row["attributes"] == 0 else {"not later than"}
        assert row["born_provenance"] in told
        assert row["born_precision_s"] == 0.001
        seen_s = (row["last_seen_at"] - row["born_at"]).total_seconds()
        assert (1.4 < seen_s < 3) if fact["trait"] == "came back" else (0 <= seen_s < 0.5)


def test_a_cookie_without_an_age_lives_as_long_as_the_store_says(dump: Dump) -> None:
    ((_, row),) = [pair for pair in dump.pairs() if pair[0]["trait"] == "browser session"]
    assert (row["lifetime_s"], row["born_provenance"], row["born_precision_s"]) == (86_400, "not later than", 1)
    started = datetime.fromtimestamp(dump.facts["started_ms"] / 1000, UTC).replace(tzinfo=None)
    assert timedelta() < row["born_at"] - started < timedelta(seconds=10)
    assert row["born_at"] == row["last_seen_at"] == row["expires_at"] - timedelta(days=1)


def test_attributes_authentication_and_state_are_those_of_the_application(dump: Dump) -> None:
    for fact, row in dump.pairs():
        assert row["attributes"] == len(fact["attributes"])
        assert row["authentication"] == AUTHENTICATION.get(fact["trait"], "no")
        assert row["state"] == ("expired" if fact["trait"] == "expired" else "live")
        assert (row["expires_at"] is None) == (fact["trait"] == "without expiry")


def test_neither_id_nor_principal_reaches_the_case(dump: Dump, tmp_path: Path) -> None:
    everything = "".join(str(dump.case.rows(f"SELECT * FROM {table}")) for table in ("session", "key_family"))
    for secret in (*(fact["id"] for fact in dump.facts["sessions"]), "principal-alice", "c" * 24):
        assert secret not in everything


def cookie(text: str, name: str = "sess:abc", **options: Any) -> dict[str, Any]:
    return key(name, head=text.encode("utf-8", "surrogatepass"), elements=len(text), ttl_s=3000, **options)


PLAIN = '{"cookie":{"originalMaxAge":null,"expires":null,"httpOnly":true,"path":"/"}'


@pytest.mark.parametrize(
    ("rest", "count", "authentication"),
    [
        ("}", 0, "no"),
        (',"passport":{"user":0}}', 1, "yes"),
        (',"passport":{"user":"someb', 1, "yes"),
        (',"passport":{}}', 1, "no"),
        (',"user":null,"userId":""}', 2, "no"),
        (',"uid":17,"flash":{"a":[{"b":"}"}]}}', 2, "yes"),
        (',"cart":{"passport":{"user":1},"userId":3}}', 1, "no"),
        (',"member":{"passport":{"user":1},"userId":3}}', 1, "unknown"),
        (',"note":"\\",\\"user\\":1","flash":{}}', 2, "unknown"),
        (',"csrfSecret":"x","flash":{}}', 2, "no"),
    ],
)
def test_only_what_stands_at_the_top_says_who_is_logged_in(rest: str, count: int, authentication: str) -> None:
    assert judge(rest) == (count, authentication)
    with settled([batch([cookie(PLAIN + rest)])]) as case:
        (row,) = sessions(case)
        assert (row["attributes"], row["authentication"]) == (count, authentication)


@pytest.mark.parametrize(
    "text",
    [
        '{"cookie":"oatmeal"}',
        '{"cookie":{"path":"/"}}',
        '{"cookie":{"originalMaxAge":"x","expires":null}}',
        '{"cookies":{"originalMaxAge":null}}',
        '{"cookie":{"originalMaxAge":null,"expires":null',
        "",
    ],
)
def test_what_only_looks_like_a_session_is_left_alone(text: str) -> None:
    with settled([batch([cookie(text)])]) as case:
        assert not case.has("session")


@pytest.mark.parametrize("name", ["sess:", "abc", ":abc", "a:b:abc", "tenant:12345678:abc"])
def test_any_prefix_will_do_but_an_id_must_be_there(name: str) -> None:
    with settled([batch([cookie(PLAIN + "}", name)])]) as case:
        assert case.has("session") == (name != "sess:")
        assert "abc" not in str(case.rows("SELECT * FROM key_family"))


def test_an_impossible_date_is_no_date() -> None:
    text = '{"cookie":{"originalMaxAge":1000,"expires":"2026-13-40T99:00:00.000Z","path":"/"}}'
    with settled([batch([cookie(text)])]) as case:
        (row,) = sessions(case)
        assert (row["born_at"], row["born_provenance"]) == (None, "unknown")


def test_the_inferred_lifetime_is_the_longest_that_is_left_made_round() -> None:
    rows = [cookie(PLAIN + "}", f"sess:{number}") | {"expires_at": moment(1795 - 60 * number)} for number in range(5)]
    with settled([batch(rows)]) as case:
        assert {row["lifetime_s"] for row in sessions(case)} == {1800}


def moment(seconds: float) -> datetime:
    return NOW.replace(tzinfo=None) + timedelta(seconds=seconds)


@given(st.text(max_size=200), st.booleans())
def test_judging_ends_on_any_text(text: str, framed: bool) -> None:
    count, authentication = judge(f',"a":{text}}}' if framed else text)
    assert count >= 0
    assert authentication in {"yes", "no", "unknown"}


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    ).map(lambda value: {"a": value, "b": value})
)
def test_attributes_are_counted_as_a_json_parser_counts_them(value: dict[str, Any]) -> None:
    text = json.dumps(value, separators=(",", ":"))
    assert judge("," + text[1:])[0] == len(value)


@pytest.mark.parametrize("more", ['"partitioned":true,', '"priority":"high",', '"partitioned":true,"priority":"low",'])
def test_a_partitioned_cookie_or_one_with_a_priority_hides_no_birth(more: str) -> None:
    value = (
        f'{{"cookie":{{"originalMaxAge":60000,{more}"expires":"2026-03-01T12:00:30.500Z","httpOnly":true,"path":"/"}}}}'
    )
    with settled([batch([key("sess:a", ttl_s=30.5, head=value.encode(), elements=len(value))])]) as case:
        (row,) = sessions(case)
    assert row["born_at"] == datetime(2026, 3, 1, 11, 59, 30, 500_000)  # noqa: DTZ001 -- the case holds UTC without a zone
    assert row["born_provenance"] == "not later than"  # every use may write it again (resave: true)


def test_where_a_use_does_not_write_a_session_again_an_empty_one_tells_its_birth() -> None:
    def of(moment: str) -> bytes:
        return (
            f'{{"cookie":{{"originalMaxAge":60000,"expires":"2026-03-01T12:00:{moment}Z","httpOnly":true}}}}'.encode()
        )

    kept = [
        key(f"sess:{n}", ttl_s=ttl, head=of(at), elements=len(of(at)))
        for n, ttl, at in ((1, 30, "30.000"), (2, 40, "20.000"))
    ]
    with settled([batch(kept)]) as case:
        assert {row["born_provenance"] for row in sessions(case)} == {"derived"}
    with settled([batch(kept[:1])]) as case:
        assert {row["born_provenance"] for row in sessions(case)} == {"not later than"}
