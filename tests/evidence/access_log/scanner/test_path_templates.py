"""Pages: nothing of a person or a thing stays in them."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from necropsy.evidence.access_log.lines import folded
from necropsy.visits.analyse import CHILDREN


def patterns(targets):
    asked = pa.array([f"GET {target}" for target in targets], pa.string())
    return [page.removeprefix("GET ") for page in folded(asked).to_pylist()]


@pytest.mark.parametrize(
    ("target", "pattern"),
    [
        ("/", "/"),
        ("", "/"),
        ("*", "*"),
        ("/login", "/login"),
        ("/login;jsessionid=9F3C2A1B", "/login"),
        ("/a;x=1/b;y=2", "/a/b"),
        ("/users/8231/orders", "/users/*/orders"),
        ("/assets/app.3f2a1b9c.js", "/assets/app.*.js"),
        ("/assets/app-3f2a1b9c.min.css", "/assets/app-*.min.css"),
        ("/invite/jo@example.org", "/invite/*"),
        ("/invite/jo%40example.org", "/invite/*"),
        ("/api/v2/oauth2/token", "/api/v2/oauth2/token"),
        ("/api/v10/x", "/api/v10/x"),
        ("/o/550e8400-e29b-41d4-a716-446655440000/items", "/o/*/items"),
        ("/o/550E8400E29B41D4A716446655440000", "/o/*"),
        ("/reset/eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "/reset/*"),
        ("/session/YjQ2M2I1ZjktYTA3ZC00ZWZl", "/session/*"),
        ("http://shop.example/x/1", "/x/*"),
        ("/fonts/inter.woff2", "/fonts/inter.woff2"),
        ("//double//slash", "//double//slash"),
        ("/caf%C3%A9", "/*"),
        ("/<script>alert(1)</script>", "/*/*"),
        ("/deadbeefcafe", "/*"),
        ("/2024/05/01/", "/*/*/*/"),
        ("shop.example:443", "-"),
        ("/a/b/c/d/e/f/g/h/i/j/k/l", "/a/b/c/d/e/f/g/h/i/j/…"),
    ],
)  # fmt: skip
def test_a_target_becomes_its_pattern(target, pattern) -> None:
    assert patterns([target]) == [pattern]


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=40), max_size=20))
def test_a_pattern_holds_plain_characters_only_and_no_number(parts) -> None:
    for pattern in patterns(["/" + "/".join(parts), *parts]):
        assert re.fullmatch(r"-|\*|/(/|[A-Za-z0-9._~*-]|…)*", pattern), pattern
        assert not re.search(r"\d{3}", pattern)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.from_regex(r"/[a-zA-Z0-9_-]{16,40}", fullmatch=True), min_size=1, max_size=20))
def test_no_long_run_with_digits_survives(targets) -> None:
    for target, pattern in zip(targets, patterns(targets), strict=True):
        words = re.split(r"[._~-]", target.strip("/"))
        for word in words:
            if re.search(r"\d.*\d", word) and not re.fullmatch(r"v\d\d", word):
                assert word not in re.split(r"[._~-]", pattern.strip("/")), (target, pattern)


def test_of_many_children_the_frequent_keep_their_names(reading) -> None:
    line = '10.0.0.1 - - [24/May/2019:18:41:34 +0000] "GET {} HTTP/1.1" 200 17 "-" "curl/8.5.0"\n'
    letters = "abcdefghijklmnopqrstuvwxyz"
    names = [a + b for a in letters for b in letters]
    lines = [line.format(f"/users/{name}/profile") for name in names]
    lines += [line.format("/users/me/profile")] * 20 + [line.format("/login")] * 3
    read = reading("".join(lines))
    paths = dict(read.classes("path, visits"))
    assert paths["/login"] == 3
    assert paths["/users/me/profile"] == 21
    assert len(paths) == CHILDREN + 2
    assert paths["/users/*/profile"] == len(names) - CHILDREN
