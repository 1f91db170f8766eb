"""The admin application for real: Spring Boot, Spring Security, Spring Session on Lettuce, beside its Python twin."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from lab.live.applications import Browser, application, shapes
from necropsy.lab.live import spring
from servers import running

pytestmark = pytest.mark.integration
TWIN = (sys.executable, "-m", "necropsy.lab.live.twin")
Shapes = list[tuple[str, bool, tuple[str, ...]]]


@pytest.fixture(scope="module", params=["spring", "spring-4"])
def java(request: pytest.FixtureRequest) -> tuple[str, ...]:
    maven, found = shutil.which("mvn"), shutil.which("java")
    if maven is None or found is None:
        pytest.skip("needs Java 17 and Maven: apt-get install openjdk-17-jre-headless maven")
    spring.build(Path(maven), request.param)
    return (found, *spring.java_options(request.param))


@pytest.mark.parametrize("redirects", ["absolute", "relative"])
def test_the_twin_leaves_the_same_keys_and_fields(java: tuple[str, ...], tmp_path: Path, redirects: str) -> None:
    real, twin = (_visits(command, tmp_path / name, redirects) for name, command in (("spring", java), ("twin", TWIN)))
    # When a session ends, Spring enters it in the set of this minute, and takes it out when it hears that its marker is gone. Cold
    # or busy, it may hear too early, and the set, which has no expiry yet, stays.
    real["logout"] = [one for one in real["logout"] if one[1] or ":expirations:" not in one[0]]
    for step, found in real.items():
        assert twin[step] == found, step
    assert {"anonymous", "form", "user", "work", "logout"} <= set(real)


def _visits(command: Sequence[str], folder: Path, redirects: str) -> dict[str, Any]:
    """What is in Redis, and what was answered, after each step of a visit."""
    folder.mkdir()
    seen: dict[str, Any] = {}
    with (
        running("redis-7.0", tcp=True) as server,
        application(command, folder, server.port, redirects=redirects) as place,
    ):
        client = server.client()
        second = time.time() % 60
        if second > 40:  # the set of a minute has no expiry before its second member comes: do not cross into the next
            time.sleep(60 - second)

        def after(step: str) -> None:
            seen[step] = shapes(client)

        visitor = Browser(place)
        answer = visitor.ask("GET", "/orders/7")
        seen["sent away"] = (answer.status, answer.location.replace(place, "HOST"))
        after("anonymous")
        visitor.form("/login")
        after("form")
        client.flushall()
        answer = Browser(place).ask("GET", "/health")
        seen["health"] = (answer.status, answer.body, client.dbsize())
        user = Browser(place)
        answer = user.log_in("anna")
        seen["logged in"] = (answer.status, answer.location.replace(place, "HOST"))
        after("user")
        seen["worked"] = (user.ask("GET", "/?continue").status, user.ask("GET", "/orders/3").status)
        after("work")
        answer = user.ask("POST", "/logout", {"_csrf": user.form("/logout")})
        seen["logged out"] = (answer.status, answer.location.replace(place, "HOST"), user.cookie)
        after("logout")
        seen["noted"] = (folder / "notes.jsonl").read_text().count("\n")
    return seen
