"""The guard's page in a real Chromium: narrow and wide, light and dark, live."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

import servers
from guard.guards import Running, populate, running
from necropsy.guard.notify.message import sample
from necropsy.guard.page import view
from necropsy.guard.watch.notice import Member
from report.browser import Browser
from waiting import wait_until

EMPTY = view.PageState(
    "", None, 0.0, 600.0, "", has_report=False, open=(), resolved=(), servers=(), probed=(), channels=(), reloaded=""
)
LIVE = "document.documentElement.dataset.live"


def test_before_the_first_look_nothing_is_said_to_be_fine() -> None:
    page = view.render(EMPTY)
    assert "nothing is known yet" in page
    assert "no notice is open" not in page
    assert "0 open" not in page
    assert "Nothing has changed" not in page


def test_a_channel_that_has_sent_nothing_is_not_called_fine() -> None:
    channels = (("slack", None), ("webhook", ""), ("apprise", "Connection refused"))
    page = view.render(replace(EMPTY, channels=channels))
    said = [line.strip() for line in page.splitlines() if line.strip().startswith("<li>")]
    assert said == [
        "<li>slack: nothing sent yet</li>",
        '<li>webhook: <span class="good">accepted the last message</span></li>',
        '<li>apprise: <span class="bad">the last message failed</span> Connection refused</li>',
    ]


def test_what_comes_from_outside_is_text_and_never_markup() -> None:
    hostile = "<script>alert(1)</script>\x1b[2J\u202e"
    notice = replace(sample(datetime.now(UTC)), title=hostile, members=(Member(hostile, hostile),), figures=(hostile,),
                     line=hostile, command=hostile)  # fmt: skip
    state = replace(EMPTY, verdict=hostile, taken_at=datetime.now(UTC), error=hostile, open=(notice,),
                    resolved=(replace(notice, resolved_at=datetime.now(UTC)),), servers=(view.PageServer(hostile, hostile),),
                    probed=(view.Probed(hostile, hostile, False, hostile, 1, 1),), channels=((hostile, hostile),), reloaded=hostile)  # fmt: skip
    page = view.render(state)
    assert "<script>alert" not in page
    assert "\x1b" not in page
    assert "\u202e" not in page


@pytest.fixture(scope="module")
def guard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder: Path = tmp_path_factory.mktemp("guard")
    dead = servers.free_port()
    with servers.running("redis-7.0", tcp=True) as server:
        populate(server)
        text = (
            f'[[store]]\nname = "A"\nredis = "redis://127.0.0.1:{server.port}"\n\n'
            f'[[store]]\nname = "a-store-with-a-long-name"\nredis = "redis://127.0.0.1:{dead}"\n\n[guard]\nevery = "1h"\n'
        )
        with running(folder, text) as found:
            found.wait_for_looks()
            found.get(f"/probe?target={found.url}/-/healthy")
            yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser("127.0.0.1") as found:
        yield found


@pytest.mark.integration
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [390, 768, 1400])
def test_the_page_fits_is_live_and_asks_nobody_but_the_guard(
    guard: Running, browser: Browser, width: int, dark: bool
) -> None:
    browser.open(f"{guard.url}/", width=width, dark=dark)
    wait_until(lambda: browser.value(f"{LIVE} || ''") == "true", "figures arrive")
    assert browser.complaints() == []
    assert browser.value("document.documentElement.scrollWidth") <= width
    assert [url for url in browser.requested() if not url.startswith(guard.url)] == []
    tiles = browser.value(
        "[...document.querySelectorAll('.tile')].map(t => [t.dataset.server, t.querySelector('.state').textContent])"
    )
    assert tiles == [["A", "up"], ["a-store-with-a-long-name", "unreadable"]]
    assert browser.value("document.querySelector('[data-server=A] [data-figure=keys]').textContent") == "1,080"
    said = [browser.value(f"shown.used({{used: 1e6, limit: {limit}}})") for limit in ("2e6", "0", "null")]
    assert said == ["1.0 MB of 2.0 MB", "1.0 MB, no limit", "1.0 MB, limit unknown"]
    background = browser.value("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(19, 18, 17)" if dark else "rgb(245, 243, 239)")


@pytest.mark.integration
def test_what_is_open_stands_on_the_first_screen_and_the_report_is_framed_whole(
    guard: Running, browser: Browser
) -> None:
    browser.open(f"{guard.url}/", width=390, height=844)
    assert browser.value("document.querySelector('.notice h2').getBoundingClientRect().bottom") < 422
    browser.value("document.getElementById('report').scrollIntoView()")
    inner = "document.getElementById('report').contentDocument"
    # The frame has no document until the guard has answered.
    wait_until(lambda: browser.value(f"{inner}?.documentElement?.dataset.ready || ''"), "the report is drawn")
    assert browser.complaints() == []
    whole = f"{inner}.documentElement.scrollHeight <= document.getElementById('report').clientHeight"
    wait_until(lambda: browser.value(whole), "the frame is as long as the report")
    assert browser.value(f"{inner}.documentElement.scrollWidth") <= 390


@pytest.mark.integration
def test_a_store_is_drawn_over_time_once_two_looks_were_taken(browser: Browser, tmp_path: Path) -> None:
    with servers.running("redis-7.0", tcp=True) as server:
        populate(server)
        text = (
            f'[[store]]\nname = "A"\nredis = "redis://127.0.0.1:{server.port}"\n\n'
            '[guard]\nevery = "10s"\nevent-file = "deploys.log"\n'
        )
        with running(tmp_path, text) as guard:
            guard.wait_for_looks()
            (tmp_path / "deploys.log").write_text(f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime())}Z=deploy v42\n")
            wait_until(lambda: "deploy v42</li>" in guard.get("/")[1], "the picture is there, with the deploy")
            browser.open(f"{guard.url}/", width=390)
            figure = "document.querySelector('[data-course=A]')"
            lines = (
                f"[...{figure}.querySelector('svg').querySelectorAll('polyline')].map(one => one.getAttribute('class'))"
            )
            assert browser.value(lines) == ["measured", "predicted", "ahead"]
            assert browser.value(f"{figure}.querySelector('svg').querySelectorAll('line.event').length") == 1
            assert browser.value("document.documentElement.scrollWidth") <= 390
            assert browser.complaints() == []


@pytest.mark.integration
def test_when_the_guard_is_gone_the_page_says_so(browser: Browser, tmp_path: Path) -> None:
    with servers.running("redis-7.0", tcp=True) as server:
        text = f'[[store]]\nname = "A"\nredis = "redis://127.0.0.1:{server.port}"\n\n[guard]\nevery = "1h"\n'
        with running(tmp_path, text) as ending:
            browser.open(f"{ending.url}/")
            wait_until(lambda: browser.value(f"{LIVE} || ''") == "true", "figures arrive")
    state = "document.querySelector('.state').textContent"
    assert (
        wait_until(lambda: browser.value(f"{LIVE} === 'false' && {state}"), "it is noticed")
        == "the guard does not answer"
    )
