"""The text format: what the exporter writes is what Prometheus' own client reads."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from necropsy.guard.exposition import Family, Sample, labelled, number, text_of

GO = (
    (1, "1"), (100_000, "100000"), (1_000_000, "1e+06"), (123_456, "123456"), (1_234_567, "1.234567e+06"),
    (12_345_678.5, "1.23456785e+07"), (0.0001, "0.0001"), (0.00001, "1e-05"), (1.5e-7, "1.5e-07"), (999.643, "999.643"),
    (1_795_983_391.25, "1.79598339125e+09"), (1e20, "1e+20"), (1e22, "1e+22"), (-1, "-1"), (-2.5e8, "-2.5e+08"),
    (999_999, "999999"), (1_000_001, "1.000001e+06"), (33_554_432, "3.3554432e+07"),
)  # fmt: skip
"""Numbers, and what Go's ``strconv.FormatFloat(value, 'g', -1, 64)`` printed of them."""


@pytest.mark.parametrize(("value", "text"), GO)
def test_a_number_is_written_as_go_writes_it(value: float, text: str) -> None:
    assert number(value) == text


@given(st.floats(allow_nan=True, allow_infinity=True))
def test_every_number_comes_back_the_same(value: float) -> None:
    written = number(value)
    back = float(written.replace("Inf", "inf"))
    assert (math.isnan(value) and math.isnan(back)) or back == value
    assert not re.search(r"e[+-]\d$", written), "Go writes two digits of an exponent"


_names = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,8}", fullmatch=True)


@given(st.dictionaries(_names, st.text(max_size=12), max_size=3), st.text(max_size=20), st.floats(allow_nan=False))
def test_any_label_and_any_help_is_read_back(labels: dict[str, str], words: str, value: float) -> None:
    family = Family("necropsy_x", "gauge", words, [Sample(labelled(labels), value)])
    text = text_of([family])
    assert text.count("\n") == 3
    if not any(
        ord(character) < 32 or character in "\x85\u2028\u2029" for character in words + "".join(labels.values())
    ):
        (read,) = text_string_to_metric_families(text)
        (sample,) = read.samples
        assert sample.labels == labels
        assert sample.value == value


def test_families_come_in_order_of_name_and_empty_ones_not_at_all() -> None:
    text = text_of(
        [
            Family("b", "gauge", "B.", [Sample((), 1)]),
            Family("a", "gauge", "A."),
            Family("c", "counter", "C.", [Sample((), 2)]),
        ]
    )
    assert [line for line in text.splitlines() if not line.startswith("#")] == ["b 1", "c 2"]


def test_a_counter_without_total_keeps_its_name() -> None:
    """The official client would append ``_total``, which is another series."""
    assert "redis_total_error_replies 7\n" in text_of(
        [Family("redis_total_error_replies", "counter", "x", [Sample((), 7)])]
    )
