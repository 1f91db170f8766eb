"""The page of ``necropsy traffic`` in a real Chromium that cannot reach any network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from necropsy.report.html import traffic as page

from .browser import Browser
from .test_traffic import HOSTILE, PERSON, PROBER, found

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as running:
        yield running


@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)])
def test_the_page_is_drawn_without_a_complaint_and_without_a_request(
    browser: Browser, tmp_path: Path, width: int, dark: bool
) -> None:
    stranger = PROBER._replace(user_agent=HOSTILE, agent=HOSTILE, path="/" + "very-long" * 40, sessions="possible")
    file = tmp_path / "traffic.html"
    file.write_text(page.render(found(PROBER, PERSON, stranger)), encoding="utf-8")
    browser.open(file, width=width, dark=dark, scripts=False)
    assert browser.complaints() == []
    assert browser.requested() == []
    assert browser.value("document.querySelectorAll('.visitors tbody tr').length") == 3
    assert browser.value("document.querySelectorAll('script').length") == 0
    assert browser.value(
        "document.querySelector('h1').textContent"
    ) == "8,640 visits probably start a session each, " + ("360 an hour; 8,640 more may start one each, 360 an hour")
    assert browser.value("document.documentElement.scrollWidth") <= width


def test_on_a_phone_each_client_shows_all_that_is_known_of_it_without_scrolling(
    browser: Browser, tmp_path: Path
) -> None:
    file = tmp_path / "traffic.html"
    file.write_text(page.render(found(PROBER, PERSON)), encoding="utf-8")
    browser.open(file, width=390, scripts=False)
    rights = "[...document.querySelectorAll('.visitors tbody td > *')].map((one) => one.getBoundingClientRect().right)"
    assert max(browser.value(rights)) <= 390
    assert browser.value("document.querySelector('.wide').scrollWidth <= document.querySelector('.wide').clientWidth")
    heads = "[...document.querySelectorAll('.visitors tr:first-child td')].map((cell) => cell.dataset.head)"
    assert browser.value(heads) == ["Visits", "Fixed interval", "Starts sessions", "When"]
