from __future__ import annotations

import difflib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from necropsy.report.hunks import Replacement, replacements

FILE = st.lists(st.sampled_from(["a", "b", "- c", "+ d", "@@", "--- e", ""]), max_size=25)


def applied(old: list[str], changes: list[Replacement]) -> list[str]:
    new, position = [], 0
    for change in changes:
        new += old[position : change.first - 1]
        new += change.inserted.split("\n")[:-1]
        position = change.first - 1 + change.removed
    return new + old[position:]


@given(FILE, FILE)
def test_the_replacements_of_a_diff_turn_the_old_file_into_the_new_one(old: list[str], new: list[str]) -> None:
    diff = "".join(f"{line}\n" for line in difflib.unified_diff(old, new, "a/x", "b/x", lineterm=""))
    found = replacements(diff)
    if old == new:
        assert found is None
    else:
        assert found is not None
        assert applied(old, found) == new


@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert replacements(text) is None or "@@" in text


@pytest.mark.parametrize(
    "diff",
    [
        "",
        "--- a/x\n+++ b/x\n",
        "@@ -1 +1 @@\n-a\n+b\n\\ No newline at end of file\n",
        "@@ -1,2 +1,2 @@\n-a\n+b\n",
        "@@ -1 +1 @@\n-a\n+b\n--- a/y\n+++ b/y\n@@ -1 +1 @@\n-c\n+d\n",
    ],
    ids=["nothing", "only a head", "a last line without its end", "a hunk cut short", "two files"],
)
def test_a_diff_that_whole_lines_cannot_express_is_refused(diff: str) -> None:
    assert replacements(diff) is None
