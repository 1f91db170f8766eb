from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from importlib import resources

import pytest

from necropsy.model.verdict import Contradiction, EvidenceRequest, Kind
from necropsy.report.html import page
from necropsy.report.html.charts import MOST_ROWS, galleries

from . import sample


class Outline(HTMLParser):
    """Tags, attributes and visible text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.visible = ""
        self._inside: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside.append(tag)
        if tag == "script":
            self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "script" in self._inside:
            self.scripts[-1] += data
        elif "style" not in self._inside:
            self.visible += data


@pytest.mark.parametrize("name", sample.EVERY)
def test_a_page_names_no_address_to_load_anything_from(name: str) -> None:
    outline = Outline(page.render(sample.EVERY[name]()))
    for tag, attributes in outline.tags:
        assert not {"src", "srcset", "action", "formaction", "background", "poster", "data"} & set(attributes), tag
        assert (attributes.get("href") or "#").startswith("#")
        assert tag not in {"link", "img", "iframe", "object", "embed", "form", "base"}


def test_a_path_is_broken_behind_a_slash_and_never_before_its_line_number() -> None:
    text = page.render(sample.incident())
    assert "prometheus/<wbr>blackbox_<wbr>exporter_<wbr>http" in text
    assert not re.search(r"<wbr>:?\d+</span>", text)


@pytest.mark.parametrize("name", sample.EVERY)
def test_only_scripts_with_their_hash_in_the_policy_may_run(name: str) -> None:
    outline = Outline(page.render(sample.EVERY[name]()))
    policy = next(a["content"] for t, a in outline.tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None
    assert "default-src 'none'" in policy
    kinds = [attributes.get("type") for tag, attributes in outline.tags if tag == "script"]
    runnable = [text for text, kind in zip(outline.scripts, kinds, strict=True) if kind is None]
    hashes = {f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}" for text in runnable}
    assert set(re.findall(r"sha256-[\w+/=]+", policy)) == hashes
    assert "unsafe-inline" not in policy.partition("style-src")[0]


def test_what_a_visitor_wrote_is_text() -> None:
    text = page.render(sample.hostile())
    outline = Outline(text)
    assert not [tag for tag, attributes in outline.tags if any(name.startswith("on") for name in attributes)]
    assert sum(tag == "script" for tag, _ in outline.tags) == 3
    assert "<script>window.pwned=1" not in text
    assert "<script>window.pwned=1</script>" in outline.visible
    assert not set("\x1b\x07\u202e") & set(text)


def test_the_data_of_the_charts_cannot_end_its_element() -> None:
    outline = Outline(page.render(sample.hostile()))
    data = next(script for script in outline.scripts if script.startswith("{"))
    assert not set("<>&") & set(data)
    assert "<script>" in json.loads(data)["births-0"]["series"][0]["name"]


def test_the_page_says_who_did_it_before_anything_else() -> None:
    said = " ".join(Outline(page.render(sample.incident())).visible.split())
    order = [
        said.index(part)
        for part in (
            "Your own monitoring creates 93 % of the sessions in store A.",
            "Prometheus job blackbox_exporter_http requests GET /",
            "Creators",
            "172.12.1.189:80/",
            "bypasses the proxy: not logged",
            "From a line of configuration to memory",
            "The fix",
            "Births by source",
            "Births by their time within the period",
            "By age",
            "Also wrong",
            "SHA-256",
        )
    ]
    assert order == sorted(order)


def test_the_page_says_where_a_culprit_comes_from_and_which_lines_of_the_log_are_its_own() -> None:
    loose = replace(
        sample.actor("172.12.1.189:80"), origin=(), address="10.9.0.2", clients=1, visits=8640, first_at=sample.START,
        last_at=sample.NOW, find="grep -F 'GET / ' access.log",
    )  # fmt: skip
    report = sample.incident()
    cause = replace(sample.PROBES_CAUSE, actors=(loose,))
    text = Outline(page.render(replace(report, verdict=replace(report.verdict, causes=(cause,))))).visible
    assert "from 10.9.0.2, 8,640 visits in the log, births 2019-05-23 19:00 UTC to 2019-05-24 19:00 UTC" in text
    assert "grep -F 'GET / ' access.log" in text


def test_the_page_says_what_to_bring_and_which_sources_do_not_agree() -> None:
    verdict = replace(
        sample.well().verdict, kind=Kind.UNKNOWN, reason="people explain 30 %",
        requests=(EvidenceRequest("older access logs", "they name who came before", "necropsy examine … --access-log 'access.log*'"),),
        contradictions=(Contradiction("access.log", "its clock is 3,600 s ahead: its times were moved", set_aside=False),),
    )  # fmt: skip
    text = Outline(page.render(replace(sample.well(), verdict=verdict, findings=()))).visible
    assert re.search(r"Evidence to add\s+older access logs: they name who came before", text)
    assert "necropsy examine … --access-log 'access.log*'" in text
    assert re.search(r"Sources that contradict each other\s+access.log\s*its clock is 3,600 s ahead", text)


def test_every_chart_has_a_sentence_and_a_table_for_those_who_cannot_see_it() -> None:
    outline = Outline(page.render(sample.incident()))
    charts = [attributes for _, attributes in outline.tags if attributes.get("class") == "chart"]
    assert len(charts) == 8
    for chart in charts:
        assert chart["role"] == "img"
        assert chart["aria-label"]
    assert sum(attributes.get("class") == "plain" for tag, attributes in outline.tags if tag == "table") == 8


def test_the_table_beside_a_long_chart_is_added_up_to_a_readable_length() -> None:
    report = sample.incident()
    fine = replace(report.births[0], step_s=60.0, series=(replace(report.births[0].series[0], values=(2.0,) * 1440),))
    (gallery,) = galleries(replace(report, births=(fine,), combs=(), populations=()))
    (picture,) = gallery.wide
    assert len(picture.rows) == MOST_ROWS
    assert sum(int(row[1]) for row in picture.rows) == 2880
    assert picture.head[0] == "births in 30 minutes from"


def test_the_comb_counts_all_births_and_says_that_it_draws_a_sample() -> None:
    picture = galleries(sample.incident())[0].wide[1]
    assert "4 lines hold 32,072 of 34,486 births." in picture.caption
    assert "Drawn: a sample of 3,010." in picture.caption
    assert [tooth["colour"] for tooth in picture.data["teeth"]] == [0, 1, 2, 3]


def test_lines_that_were_matched_by_number_are_said_to_be() -> None:
    report = sample.incident()
    hidden = ("10.0.0.1:8080", "10.0.0.2:8080")
    told = replace(report, combs=tuple(replace(chart, by_number=hidden) for chart in report.combs))
    says = "No evidence tells which of these lines is which: 10.0.0.1:8080, 10.0.0.2:8080."
    assert says in galleries(told)[0].wide[1].caption
    assert says not in galleries(report)[0].wide[1].caption


def test_without_charts_the_library_is_left_out() -> None:
    assert len(page.render(sample.well())) < 200_000 < len(page.render(sample.incident()))


def test_the_library_is_the_version_that_its_note_names() -> None:
    folder = resources.files("necropsy.report.html").joinpath("assets/echarts")
    note = folder.joinpath("README.md").read_text(encoding="utf-8")
    version = re.search(r"^\* Version (\S+),", note, re.MULTILINE)
    assert version is not None
    assert f't.version="{version[1]}"' in folder.joinpath("echarts.common.min.js").read_text(encoding="utf-8")
    assert "Apache License" in folder.joinpath("LICENSE").read_text(encoding="utf-8")
