r"""Metrics as values, and their text in Prometheus' exposition format 0.0.4.

The official Python client cannot write seven of redis_exporter's counters under their own names (it appends ``_total``),
and its summaries take no quantiles; so the text is written here, and tests hold it against the client's parser and a real
Prometheus. Numbers are written as Go writes them, since Prometheus 2 compares ``le`` and ``quantile`` as texts.

>>> up = Family("redis_up", "gauge", "Whether the server answers.", [Sample((), 1.0)])
>>> print(text_of([up]), end="")
# HELP redis_up Whether the server answers.
# TYPE redis_up gauge
redis_up 1
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final, TypeAlias

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
Labels: TypeAlias = "tuple[tuple[str, str], ...]"
"""Names and values, in order of name."""
_LEAST_POWER: Final = -4
_MOST_POWER: Final = 5
"""Powers of ten of the first digit for which Go writes a number without an exponent (``strconv``, format ``g``, -1)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One line of the text."""

    labels: Labels
    value: float
    suffix: str = ""
    """``_bucket``, ``_sum`` or ``_count`` of a histogram or summary."""


@dataclass(slots=True)
class Family:
    """One metric: its name, type, help, and samples."""

    name: str
    type: str
    """``gauge``, ``counter``, ``summary``, ``histogram`` or ``untyped``."""
    help: str
    samples: list[Sample] = field(default_factory=list)

    def add(self, value: float, **labels: str) -> None:
        """Add a sample with these labels."""
        self.samples.append(Sample(labelled(labels), value))


def labelled(labels: dict[str, str]) -> Labels:
    """Return labels in order of name, as exporters write them."""
    return tuple(sorted(labels.items()))


def text_of(families: Iterable[Family]) -> str:
    """Return families in order of name, those without samples left out."""
    lines: list[str] = []
    for family in sorted(families, key=lambda family: family.name):
        if not family.samples:
            continue
        lines.append(f"# HELP {family.name} {_escaped(family.help)}")
        lines.append(f"# TYPE {family.name} {family.type}")
        lines += [_line(family.name, sample) for sample in family.samples]
    return "".join(f"{line}\n" for line in lines)


def _line(name: str, sample: Sample) -> str:
    labels = ",".join(f'{label}="{_escaped(value, quoted=True)}"' for label, value in sample.labels)
    return f"{name}{sample.suffix}{f'{{{labels}}}' if labels else ''} {number(sample.value)}"


def _escaped(text: str, *, quoted: bool = False) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    return escaped.replace('"', '\\"') if quoted else escaped


def number(value: float) -> str:
    """Return a number as Go's ``strconv`` writes it in its shortest form.

    >>> [number(value) for value in (1.0, 0.001, 1874272, 165536, 2.1e7, 1e-6, 0.0, float("inf"), float("nan"))]
    ['1', '0.001', '1.874272e+06', '165536', '2.1e+07', '1e-06', '0', '+Inf', 'NaN']
    """
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(float(value))).normalize().as_tuple()
    assert isinstance(exponent, int)  # noqa: S101 -- for the type checker: infinities were answered above
    text = "".join(map(str, digits))
    power = len(digits) + exponent - 1
    if _LEAST_POWER <= power <= _MOST_POWER:
        text = text.ljust(power + 1, "0") if power >= 0 else "0" * -power + text
        whole = max(power, 0) + 1
        shown = text[:whole] + (f".{text[whole:]}" if text[whole:] else "")
    else:
        shown = f"{text[0]}{f'.{text[1:]}' if text[1:] else ''}e{'-' if power < 0 else '+'}{abs(power):02d}"
    return f"-{shown}" if sign else shown
