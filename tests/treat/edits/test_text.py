from __future__ import annotations

import subprocess
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from necropsy.treat.edits.text import Insertion, apply, count_changes, line_end, unified_diff

PROMETHEUS = """\
# keep me
scrape_configs:
  - job_name: 'blackbox'   # and me
    relabel_configs:
    - source_labels: [__address__]
      target_label: __param_target
      # why this
    - target_label: '__address__'
      replacement: 'blackbox:9115'
  - job_name: other
    relabel_configs:
      - source_labels: [__address__]
        target_label: __param_target
"""


def test_a_diff_applies(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text(PROMETHEUS)
    after = PROMETHEUS.replace("# why this\n", "# why this\n      # and more\n")
    diff = unified_diff("prometheus.yml", PROMETHEUS, after)
    assert count_changes(diff) == (1, 0)
    subprocess.run(["git", "apply", "-p1"], input=diff, text=True, cwd=tmp_path, check=True, capture_output=True)
    assert (tmp_path / "prometheus.yml").read_text() == after


def test_no_unchanged_line_with_a_secret_stands_in_a_diff() -> None:
    before = "a: 1\npassword: hunter2\nb: 2\nc: 3\n"
    diff = unified_diff("f.yml", before, before.replace("c: 3\n", "c: 3\nd: 4\n"))
    assert "hunter2" not in diff
    assert "+d: 4" in diff


@given(st.text("ab\n", max_size=30), st.lists(st.tuples(st.integers(0, 30), st.text("xy\n", max_size=4)), max_size=4))
def test_insertions_add_their_text_and_nothing_else(text: str, places: list[tuple[int, str]]) -> None:
    insertions = [Insertion(min(offset, len(text)), new) for offset, new in places]
    after = apply(text, insertions)
    assert len(after) == len(text) + sum(len(i.text) for i in insertions)
    assert [c for c in after if c in "ab"] == [c for c in text if c in "ab"]


@given(st.text("a\n", max_size=20), st.integers(1, 25))
def test_the_end_of_a_line_is_within_the_text(text: str, line: int) -> None:
    assert 0 <= line_end(text, line) <= len(text)
