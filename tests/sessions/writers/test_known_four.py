"""What was once said wrongly of Spring, Express and Django, on the bytes that the frameworks themselves wrote."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest

from necropsy.case.store import Case
from sessions.keyspaces import of_dump, sessions
from sessions.writers.test_recorded import WRITERS, Store, at

PROBERS = {
    "look 0": "kube-probe/1.30",
    "look 1": "Blackbox Exporter/0.28.0",
    "head": "curl/8.5.0",
    "health": "kube-probe/1.30",
}


@contextmanager
def store(name: str) -> Iterator[tuple[Case, dict[str, tuple[dict[str, Any], dict[str, Any]]]]]:
    """A recorded store, and each session of it by the visit that made it: what happened, and what is said."""
    with of_dump("store", folder=WRITERS / name) as case:
        found = Store(case, json.loads((WRITERS / name / "facts.json").read_text()))
        yield case, {fact["visit"]: (fact, row) for fact, row in found.pairs()}


@pytest.mark.parametrize("name", ["django_cache", "koa_shop_browser", "flask_session", "litestar_cured", "rails_shop"])
def test_a_store_written_until_its_dump_has_the_lifetime_of_its_configuration(name: str) -> None:
    with store(name) as (case, made):
        facts = json.loads((WRITERS / name / "facts.json").read_text())
        last, row = made["buyer again"]
        assert facts["taken"] - last["touched"][0] < 5000
        assert row["lifetime_s"] == facts["lifetime_s"]
        assert {one["born_precision_s"] for one in sessions(case)} <= {1.0, 0.001}


def test_a_ttl_that_is_a_function_gives_anonymous_sessions_a_lifetime_of_their_own() -> None:
    with store("express_two_lifetimes") as (case, _):
        lifetimes = {(row["authentication"], row["lifetime_s"]) for row in sessions(case)}
    assert lifetimes == {("no", 60), ("yes", 86_400)}


def test_the_error_page_of_a_refusal_is_not_who_asked() -> None:
    with store("spring_default") as (_, made):
        for visit, agent in PROBERS.items():
            _, row = made[visit]
            assert row["creator_user_agent"] == agent
            assert row["creator_path"] is None, visit
            assert row["creator_method"] is None, visit
            assert row["creator_host"].startswith("127.0.0.1:")


def test_a_session_that_may_never_end_lives_as_long_as_its_key() -> None:
    with store("spring_indexed_forever") as (case, made):
        fact, row = made["login anna"]
        assert fact["expires"] - fact["touched"][1] < 300_000  # the framework gives it five minutes, and no more
        assert (row["lifetime_s"], row["authentication"], row["state"]) == (-1, "yes", "live")
        assert {one["state"] for one in sessions(case) if one["lifetime_s"] < 0} == {"live"}


@pytest.mark.parametrize("name", ["spring_indexed_ends", "spring_indexed_forever"])
def test_who_has_logged_out_is_not_logged_in_while_the_hash_is_kept(name: str) -> None:
    with store(name) as (_, made):
        ended = [row for fact, row in made.values() if fact.get("logged_out")]
    assert ended
    assert {(row["authentication"], row["state"]) for row in ended} == {("no", "grace")}


def test_a_cookie_with_more_in_it_hides_no_birth_and_who_came_back_has_a_bound() -> None:
    with store("express_partitioned") as (_, made):
        for fact, row in made.values():
            assert row["born_at"] is not None
            assert row["born_at"] >= at(fact["born"][0]) - timedelta(milliseconds=1)
        fact, guest = made["guest"]
        assert fact["visits"] == ["guest", "guest returns"]
        assert guest["born_provenance"] == "derived"  # a use does not write it again: its cookie's end is of its birth
        assert at(fact["born"][0]) <= guest["born_at"] <= at(fact["born"][1])


def test_where_each_use_writes_a_session_again_its_last_write_is_a_bound_of_the_birth() -> None:
    with store("express_shop") as (_, made):
        fact, guest = made["guest"]
        assert fact["visits"] == ["guest", "guest returns"]
        assert guest["born_provenance"] == "not later than"
        assert guest["born_at"] >= at(fact["born"][0]) - timedelta(seconds=1)


@pytest.mark.parametrize("name", ["spring_shop", "spring_shop_indexed"])
def test_an_attribute_of_the_applications_own_that_was_removed_is_an_empty_field_and_is_not_counted(name: str) -> None:
    with store(name) as (_, made):
        views = int(name == "spring_shop_indexed")
        assert (
            made["buyer again"][1]["attributes"] == 1 + views
        )  # the cart, and not the one of which only its name is left


@pytest.mark.parametrize("name", ["spring_reactive", "spring_reactive_indexed"])
def test_a_session_that_was_renamed_at_its_logout_is_the_one_of_before_with_nobody_in_it(name: str) -> None:
    with store(name) as (case, made):
        fact, row = made["logout"]
        assert at(fact["born"][0]) <= row["born_at"] <= at(fact["born"][1])  # of the visit in which she logged in
        assert (row["authentication"], row["attributes"], row["state"]) == ("no", 0, "live")
        assert case.rows("SELECT namespace, sessions FROM kept_session") == [
            {"namespace": "spring:session", "sessions": 2}
        ]
