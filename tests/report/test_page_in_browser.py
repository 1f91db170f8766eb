"""The page in a real Chromium that cannot reach any network."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from necropsy.report.html import page

from . import sample
from .browser import Browser

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with Browser() as running:
        yield running


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    written = {}
    for name, build in sample.EVERY.items():
        written[name] = folder / f"{name}.html"
        written[name].write_text(page.render(build()), encoding="utf-8")
    return written


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", sample.EVERY)
def test_every_page_is_drawn_without_a_complaint_and_without_a_request(
    browser: Browser, pages: dict[str, Path], name: str, width: int
) -> None:
    browser.open(pages[name], width=width)
    assert browser.complaints() == []
    assert browser.requested() == []
    state = browser.value("({...document.documentElement.dataset})")
    charts = page.render(sample.EVERY[name]()).count('class="chart"')
    assert state == {"ready": "true", "charts": str(charts)}
    assert browser.value("document.querySelectorAll('.chart svg').length") == charts
    assert browser.value("document.documentElement.scrollWidth") <= width


def test_the_dumped_document_holds_the_charts_with_their_marks(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["incident"])
    marks = "document.querySelectorAll('#{} svg path').length"
    assert browser.value(marks.format("births-0")) > 48 * 6
    assert browser.value(marks.format("comb-0")) > 3000
    assert browser.value("document.querySelector('#comb-0 svg').textContent.includes('172.12.1.190:8081')")
    assert browser.value("document.querySelector('#population-0-0 svg').textContent.includes('17,150')")


def test_axes_say_what_they_count_and_in_which_zone(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["incident"])
    births, comb = (
        browser.value(f"document.querySelector('#{name}-0 svg').textContent") for name in ("births", "comb")
    )
    assert "births in " in births
    assert "time of birth within 10 s" in comb
    assert "UTC" in births
    assert "UTC" in comb


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_who_did_it_stands_on_the_first_screen(
    browser: Browser, pages: dict[str, Path], width: int, height: int
) -> None:
    browser.open(pages["incident"], width=width, height=height)
    bottom = "(element) => element.getBoundingClientRect().bottom"
    assert browser.value(f"({bottom})(document.querySelector('h1'))") < height / 2
    targets = browser.value(f"[...document.querySelectorAll('.who .target')].map({bottom})")
    assert len(targets) == 4
    assert sum(place < height for place in targets) >= (4 if width > 1000 else 2)


@pytest.mark.parametrize(("width", "height"), [(1280, 900), (390, 844)])
def test_what_to_do_stands_on_the_first_screen_and_leads_to_the_fix(
    browser: Browser, pages: dict[str, Path], width: int, height: int
) -> None:
    browser.open(pages["incident"], width=width, height=height)
    assert browser.value("document.querySelector('.todo').getBoundingClientRect().bottom") < 0.7 * height
    assert browser.value("document.querySelector('.todo a').hash") == "#fix"
    assert browser.value("document.querySelector('#fix') !== null")


def test_the_share_is_seen_against_the_whole(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["incident"])
    colours = [browser.value(f"getComputedStyle(document.querySelector('{element}')).backgroundColor") for element in
               (".share .bar", ".card")]  # fmt: skip
    assert colours[0] != colours[1]


@pytest.mark.parametrize("width", [1280, 390])
def test_charts_over_time_show_a_moment_at_the_same_place(browser: Browser, pages: dict[str, Path], width: int) -> None:
    browser.open(pages["incident"], width=width, height=900)
    look = """(() => {
      const chart = echarts.getInstanceByDom(document.getElementById('NAME-0'));
      const [from, to] = chart.getModel().getComponent('xAxis').axis.scale.getExtent();
      return [from, to, ...[from, to].map((moment) => chart.convertToPixel({ xAxisIndex: 0 }, moment))];
    })()"""
    plots = [browser.value(look.replace("NAME", name)) for name in ("births", "comb")]
    assert plots[0] == pytest.approx(plots[1], abs=1)


def test_charts_follow_the_theme_of_the_system_and_the_button(browser: Browser, pages: dict[str, Path]) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    bar = "document.querySelector('#population-0-0 svg path[fill^=rgb]').getAttribute('fill')"
    browser.open(pages["incident"])
    light = (browser.value(paper), browser.value(bar))
    browser.open(pages["incident"], dark=True)
    dark = (browser.value(paper), browser.value(bar))
    assert light[0] != dark[0]
    assert light[1] != dark[1]
    assert browser.value("document.getElementById('theme').textContent") == "Light"
    browser.value("document.getElementById('theme').click()")
    assert (browser.value(paper), browser.value(bar)) == light
    browser.value("document.getElementById('theme').click()")
    assert (browser.value(paper), browser.value(bar)) == dark


def test_everything_that_can_be_pressed_is_reached_with_the_keyboard_and_has_a_name(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.open(pages["incident"])
    reached = set()
    for _ in range(60):
        for kind in ("keyDown", "keyUp"):
            browser.ask("Input.dispatchKeyEvent", type=kind, key="Tab", code="Tab", windowsVirtualKeyCode=9)
        reached.add(browser.value("document.activeElement.tagName + ' ' + document.activeElement.textContent.trim()"))
    for name in ("A Skip to the verdict", "BUTTON Dark", "BUTTON Copy", "SUMMARY Figures as a table"):
        assert name in reached, name
    browser.ask("Accessibility.enable")
    nodes = browser.ask("Accessibility.getFullAXTree")["nodes"]
    named = [node for node in nodes if node.get("role", {}).get("value") in {"button", "image", "img", "link"}]
    assert len(named) >= 8
    assert all(node["name"]["value"] for node in named if not node["ignored"])


def test_the_button_copies_the_diff_that_is_to_be_applied(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["incident"])
    browser.value(
        "navigator.clipboard.writeText = async (text) => { window.copied = text; };"
        "document.querySelector('[data-copy]').click()"
    )
    assert browser.value("window.copied") == sample.PROMETHEUS_DIFF
    assert browser.value("document.querySelector('[data-copy]').textContent") == "Copied"


def test_text_of_a_visitor_stays_inert_also_in_charts_and_under_the_pointer(
    browser: Browser, pages: dict[str, Path]
) -> None:
    browser.open(pages["hostile"])
    box = browser.value(
        "(() => { const place = document.getElementById('births-0'); place.scrollIntoView({behavior: 'instant'});"
        " const box = place.getBoundingClientRect(); return [box.x, box.y, box.width, box.height]; })()"
    )
    for across in range(2, 10):
        x, y = box[0] + box[2] * across / 11, box[1] + 100
        browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
    assert browser.value("document.querySelector('#births-0').textContent.includes('window.pwned=1')")
    assert browser.value("window.pwned") is None
    assert browser.value("document.querySelectorAll('img, .chart script, .chart img').length") == 0
    assert browser.complaints() == []


def test_smuggled_markup_would_not_run_even_if_it_were_not_escaped(
    browser: Browser, pages: dict[str, Path], tmp_path: Path
) -> None:
    smuggled = tmp_path / "smuggled.html"
    text = pages["well"].read_text(encoding="utf-8")
    evil = "<script>window.pwned=1</script><img src=x onerror='window.pwned=2'>"
    smuggled.write_text(text.replace("</main>", f"{evil}</main>"), encoding="utf-8")
    browser.open(smuggled)
    assert browser.value("window.pwned") is None
    assert browser.value("document.documentElement.dataset.violation") is not None


def test_on_paper_the_charts_are_light_whatever_the_screen_is(browser: Browser, pages: dict[str, Path]) -> None:
    bar = "document.querySelector('#population-0-0 svg path[fill^=rgb]').getAttribute('fill')"
    browser.open(pages["incident"])
    light = browser.value(bar)
    browser.open(pages["incident"], dark=True)
    dark = browser.value(bar)
    browser.value(f"window.addEventListener('beforeprint', () => {{ window.printed = {bar}; }})")
    browser.ask("Page.printToPDF", printBackground=True)
    assert browser.value("window.printed") == light
    assert browser.value(bar) == dark


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_a_picture_of_the_page_is_not_empty(
    browser: Browser, pages: dict[str, Path], tmp_path: Path, width: int, dark: bool
) -> None:
    browser.open(pages["incident"], width=width, dark=dark)
    shot = tmp_path / "page.png"
    browser.screenshot(shot)
    assert shot.read_bytes().startswith(b"\x89PNG")
    assert shot.stat().st_size > 100_000
