"""The page as HTML: values in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from necropsy import __version__
from necropsy.guard.page.curve import HEIGHT, WIDTH, drawn
from necropsy.guard.watch.notice import Notice, who
from necropsy.report.html.page import asset, environment

if TYPE_CHECKING:
    from jinja2 import Template

    from necropsy.model.history import Course

POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src data:; img-src data:; connect-src 'self';"
    " frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_STYLES: Final = ("fonts/fonts.css", "page.css")
"""Of the report: one look for both."""


@dataclass(frozen=True, slots=True)
class PageServer:
    """One server of the exporter."""

    name: str
    address: str
    """Without user and password."""


@dataclass(frozen=True, slots=True)
class Probed:
    """One target of the prober."""

    target: str
    module: str
    success: bool
    reason: str
    probes: int
    started: int
    """Sessions that its probes started."""


@dataclass(frozen=True, slots=True)
class PageState:
    """Everything that the page shows."""

    verdict: str
    """First sentence of the last verdict; empty before the first look."""
    taken_at: datetime | None
    took_s: float
    every_s: float
    error: str
    """Why the last look failed; empty when it did not."""
    has_report: bool
    open: Sequence[Notice]
    resolved: Sequence[Notice]
    servers: Sequence[PageServer]
    probed: Sequence[Probed]
    channels: Sequence[tuple[str, str | None]]
    """Name of each channel, and why its last message failed: empty when it did not, None when there was none."""
    reloaded: str
    """Why the last reload of the configuration failed; empty when it did not."""
    courses: Sequence[Course] = ()
    """Fill levels of each store, past and future, where its past is known."""


def render(state: PageState) -> str:
    """Render the page."""
    return _template().render(
        state=state,
        version=__version__,
        who=who,
        curves=[drawn(course) for course in state.courses],
        frame=(WIDTH, HEIGHT),
    )


@cache
def _template() -> Template:
    made = environment().overlay(auto_reload=False)
    return made.from_string(_text("templates/guard.html.j2"))


@cache
def style() -> str:
    """Return the style sheet."""
    return "\n".join([*map(asset, _STYLES), _text("assets/guard.css")])


@cache
def script() -> str:
    """Return the script."""
    return _text("assets/guard.js")


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
