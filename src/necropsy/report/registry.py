"""Every format of the report, to be read from top to bottom."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from necropsy.model.report import Report
from necropsy.report import markdown, sarif
from necropsy.report.html import page
from necropsy.report.json import v1
from necropsy.report.terminal import document as terminal


class ReportFormat(NamedTuple):
    """One format."""

    name: str
    """As given to ``--format``."""
    suffix: str
    """Suffix of a file in this format."""
    render: Callable[[Report], str]
    """Values in, text out."""


FORMATS: Final[tuple[ReportFormat, ...]] = (
    ReportFormat("text", ".txt", terminal.render),
    ReportFormat("json", ".json", v1.render),
    ReportFormat("html", ".html", page.render),
    ReportFormat("markdown", ".md", markdown.render),
    ReportFormat("sarif", ".sarif", sarif.render),
)
"""The text format also takes a width and colours: the command line calls ``terminal.render`` for a terminal."""
