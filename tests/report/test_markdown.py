from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.report import markdown
from necropsy.report.markdown_text import block, code, plain, table

from . import sample
from .golden import agrees


@pytest.mark.parametrize("name", sample.EVERY)
def test_the_postmortem_says_what_it_is_expected_to(name: str) -> None:
    assert agrees(f"{name}.md", markdown.render(sample.EVERY[name]()))


def test_a_postmortem_has_its_sections_in_the_order_of_the_story() -> None:
    heads = re.findall(r"^## (.*)$", markdown.render(sample.incident()), re.MULTILINE)
    assert heads == [
        "Summary",
        "Timeline",
        "Cause 1: `probes/creates-sessions` in store `A`",
        "Cause 2: `sessions/immortal` in store `B`",
        "Fix",
        "Also wrong",
        "Ruled out",
        "Not examined",
        "How to verify",
        "Sources",
    ]


def test_every_query_of_an_exhibit_can_be_copied() -> None:
    text = markdown.render(sample.incident())
    for finding in sample.incident().findings:
        assert finding.primary is not None
        assert f"```sql\n{finding.primary.query}\n```" in text


def test_a_visitor_writes_no_heading_no_html_and_no_fence() -> None:
    text = markdown.render(sample.hostile())
    outside = re.sub(r"(?s)^(`{3,})\w*\n.*?^\1$", "", text, flags=re.MULTILINE)
    outside = re.sub(r"(`+) .*? \1|`[^`\n]*`", "", outside)
    assert not re.findall(r"(?<!\\)<(?!!-- -->)", outside)
    assert "\x1b" not in text


@given(st.text())
def test_inline_code_is_one_line_that_starts_and_ends_with_the_same_fence(text: str) -> None:
    shown = code(text)
    fence = re.match(r"`*", shown)
    assert fence is not None
    assert "\n" not in shown
    assert "|" not in shown
    assert shown.endswith(fence[0])
    inside = shown[len(fence[0]) : len(shown) - len(fence[0])]
    assert fence[0] not in re.findall(r"`+", inside)


@given(st.text())
def test_a_block_is_closed_by_its_own_fence_only(text: str) -> None:
    first, *inside, last = block(text, "sql").split("\n")
    assert first == f"{last}sql"
    assert not any(line.strip().startswith(last) for line in inside)


@given(st.text())
def test_plain_text_stays_one_line_without_unescaped_marks(text: str) -> None:
    shown = plain(text)
    assert "\n" not in shown
    without = re.sub(r"\\.", "", shown.replace("<!-- -->", ""))
    assert not set(without) & set("`*[]<|~$\\")


def test_a_column_that_is_empty_everywhere_is_left_out() -> None:
    assert table(("a", "b", "c"), [("1", "", "2"), ("3", "", "")]) == ("| a | c |\n| --- | --- |\n| 1 | 2 |\n| 3 |  |")
