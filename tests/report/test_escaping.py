from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from necropsy.report.escaping import inert, inert_block, prose

HARMFUL = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


@given(st.text(st.characters(exclude_categories=())))
def test_no_character_that_moves_a_cursor_or_turns_a_line_round_survives(text: str) -> None:
    assert not {unicodedata.category(character) for character in inert(text)} & HARMFUL
    assert not {unicodedata.category(character) for character in prose(text)} & HARMFUL


@given(st.text(st.characters(exclude_categories=())))
def test_a_block_keeps_its_lines_and_tabs_and_nothing_else_that_is_harmful(text: str) -> None:
    kept = inert_block(text).replace("\n", "").replace("\t", "")
    assert not {unicodedata.category(character) for character in kept} & HARMFUL
    assert inert_block(text).count("\n") == text.replace("\r\n", "\n").count("\n")


@given(st.text(st.characters(categories=("L", "N", "P", "S", "Zs")), max_size=2000))
def test_ordinary_text_of_any_language_stays_as_it_is(text: str) -> None:
    assert inert(text) == text


def test_a_text_without_end_is_cut_and_says_so() -> None:
    assert inert("a" * 2500).endswith("… (500 more characters)")
