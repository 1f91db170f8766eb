"""Facts of a live server that the tests of several examiners share."""

from __future__ import annotations

from examine.cases import scene
from necropsy.examine.interface import Examination
from necropsy.model.finding import Finding

MB = 1_000_000


def examined(**facts: object) -> Examination:
    with scene() as s:
        return s.source("redis").sessions(50).facts(**facts).examine()


def found(said: Examination, slug: str) -> Finding | None:
    return next((f for f in said.findings if f.slug == slug), None)
