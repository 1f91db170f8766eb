"""Every step, in the order in which they may be taken, and how they are compiled to SQL."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import ibis
import ibis.expr.types as ir

from necropsy.visits.steps import classes, clients, path_pruning, redirects
from necropsy.visits.tables import SOURCES

Build: TypeAlias = Callable[..., ir.Table]


@dataclass(frozen=True, slots=True)
class Step:
    """One table, made of others."""

    build: Build
    """Takes the tables by their names, and parameters, whole numbers, by theirs."""
    name: str
    """Of the table that it makes."""

    @property
    def parameters(self) -> tuple[str, ...]:
        """Names of its parameters."""
        return tuple(inspect.signature(self.build).parameters)[1:]


def _named(*builds: Build) -> tuple[Step, ...]:
    return tuple(Step(build, build.__name__) for build in builds)


STEPS: Final[tuple[Step, ...]] = (
    *_named(path_pruning.counted, path_pruning.asked, path_pruning.paths, path_pruning.crowded_paths),
    Step(path_pruning.pruned_paths, "asked"),
    *_named(path_pruning.page),
    *_named(redirects.redirect_candidates, redirects.redirects, redirects.host, redirects.hop),
    Step(redirects.by_referer, "keyed"),
    *_named(
        redirects.pair_count,
        redirects.typical_pair,
        redirects.coincidences,
        redirects.bystander,
        redirects.ambiguous,
        redirects.confirmed_pair,
    ),
    Step(redirects.retried, "keyed"),
    Step(redirects.merged_pairs, "guess"),
    Step(redirects.typical, "first_pair"),
    Step(redirects.unpaired, "hop"),
    Step(redirects.by_host, "keyed"),
    Step(redirects.typical, "second_pair"),
    *_named(redirects.pair, redirects.chain),
    *_named(clients.telling, clients.cookie_client, clients.cookie_kept, clients.cookie_rest, clients.cookie_texts),
    *_named(classes.visit, classes.classes, classes.redirect_target, classes.frequent_classes, classes.judged),
    *_named(classes.kept, classes.overflow_class, classes.folded, classes.unanswered),
    *_named(classes.shown, classes.bare),
    *_named(classes.summed, classes.class_texts, classes.bins, classes.busy, classes.started),
)


def by_name() -> dict[str, Step]:
    """Every step by what it is called: the name of its function, or of the table where one function makes several."""
    return {title(step): step for step in STEPS}


def title(step: Step) -> str:
    """Return what a step is called."""
    return step.name if step.build is redirects.typical else step.build.__name__


def source_tables() -> dict[str, ir.Table]:
    """Tables that steps find, as schemas."""
    return {name: ibis.table(dict(columns), name=name) for name, columns in SOURCES.items()}


_FIRST_STAND_IN: Final = 912_345_001
"""Numbers that stand for parameters until the SQL is compiled; none of ours is that large."""


def compiled(dialect: str = "duckdb") -> Iterator[tuple[str, str, str]]:
    """Yield title, table and SQL in a dialect of each step; parameters stand in it as ``{name}``."""
    tables = source_tables()
    stand_ins: dict[str, int] = {}
    for step in STEPS:
        for name in step.parameters:
            stand_ins.setdefault(name, _FIRST_STAND_IN + 100 * len(stand_ins))
        expression = step.build(tables, **{name: stand_ins[name] for name in step.parameters})
        text = str(ibis.to_sql(expression, dialect=dialect))
        for name, number in stand_ins.items():
            text = text.replace(str(number), f"{{{name}}}")
        if str(_FIRST_STAND_IN)[:5] in text:
            raise ValueError(f"step {title(step)}: a parameter was computed with while the step was built")
        yield title(step), step.name, text
        tables[step.name] = ibis.table(expression.schema(), name=step.name)


def as_file(header: str) -> str:
    """Return the SQL of all steps as one file; ``embedded`` reads it."""
    return header + "".join(f"\n-- {called} -> {table}\n{text}\n" for called, table, text in compiled())
