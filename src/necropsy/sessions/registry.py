"""Every session layout that necropsy knows, in the order in which they may claim keys."""

from __future__ import annotations

from functools import reduce
from typing import TYPE_CHECKING, Final

from necropsy.sessions.cure import Cure
from necropsy.sessions.django import Django
from necropsy.sessions.express import Express
from necropsy.sessions.flask import Flask
from necropsy.sessions.interface import Layout
from necropsy.sessions.keyspace import Projection
from necropsy.sessions.spring.layout import Spring
from necropsy.sessions.writers.aspnet_provider import AspNetProvider
from necropsy.sessions.writers.described import classes
from necropsy.sessions.writers.hash_forms import KnownHashes
from necropsy.sessions.writers.strings import Strings

if TYPE_CHECKING:
    from necropsy.sessions.writers.form import SessionForm
    from necropsy.sessions.writers.hashes import HashForm

LAYOUTS: Final[tuple[type[Layout], ...]] = (Spring, Express, Django, Flask, AspNetProvider, Strings, KnownHashes)
"""Layouts with the narrowest signs first: a family further down never sees what one above it has claimed."""


def layouts(described: tuple[SessionForm | HashForm, ...] = ()) -> tuple[type[Layout], ...]:
    """Return every layout, those that the user described before all others."""
    return (*classes(described), *LAYOUTS) if described else LAYOUTS


def projection(described: tuple[SessionForm | HashForm, ...] = ()) -> Projection:
    """Return what all layouts together want to see of the values.

    >>> b"creationTime" in dict(projection().hash_fields)
    True
    """
    return reduce(Projection.union, (layout.projection for layout in layouts(described)))


def cures() -> dict[str, Cure]:
    """Return the cure of each layout, in the order of the registry."""
    return {name: cure for layout in LAYOUTS for name, cure in layout.cures.items()}


def cure(layout: str | None) -> Cure | None:
    """Return the cure for a layout as ``session.layout`` names it; None when no framework is known.

    >>> cure("express").lifetime
    'cookie: { maxAge: 86400000 }'
    """
    return cures().get(layout or "")
