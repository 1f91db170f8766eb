from __future__ import annotations

import subprocess
import sys

import pytest

from necropsy.report.registry import FORMATS, ReportFormat

from . import sample


def test_the_formats_are_those_of_the_command_line_each_with_its_suffix() -> None:
    assert [entry.name for entry in FORMATS] == ["text", "json", "html", "markdown", "sarif"]
    assert len({entry.suffix for entry in FORMATS}) == len(FORMATS)


@pytest.mark.parametrize("name", sample.EVERY)
@pytest.mark.parametrize("entry", FORMATS, ids=lambda entry: entry.name)
def test_every_report_renders_in_every_format_to_the_same_text_twice(entry: ReportFormat, name: str) -> None:
    text = entry.render(sample.EVERY[name]())
    assert text == entry.render(sample.EVERY[name]())
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    text.encode("utf-8")


@pytest.mark.process
def test_reading_the_registry_loads_no_template_engine_and_no_terminal_library() -> None:
    program = (
        "import sys, necropsy.report.registry\nprint(sorted({'jinja2', 'rich', 'duckdb', 'numpy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
