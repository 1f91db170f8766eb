"""The registry of writers of strings: every form in the order in which they may claim, and the cure of each layout."""

from __future__ import annotations

from typing import Final

from necropsy.sessions.cure import Cure
from necropsy.sessions.writers import (
    elixir,
    golang,
    java,
    koa,
    laravel,
    node,
    opaque,
    php,
    python,
    rails,
    rust,
    symfony,
    tomcat,
)
from necropsy.sessions.writers.form import SessionForm

_WRITERS: Final = (symfony, laravel, rails, java, tomcat, koa, node, opaque, python, golang, rust, elixir, php)
"""The narrowest signs first: PHP's own sessions may be empty."""

FORMS: Final[tuple[SessionForm, ...]] = tuple(form for writer in _WRITERS for form in writer.FORMS)
"""All forms."""
CURES: Final[dict[str, Cure]] = {name: cure for writer in _WRITERS for name, cure in writer.CURES.items()}
"""The cure of each layout."""
