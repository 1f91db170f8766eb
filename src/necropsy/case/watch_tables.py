"""Tables of a watch: the findings of each of its looks, and its notices. Measured quantities are in ``history``."""

from __future__ import annotations

from typing import Final

from necropsy.case.table import Column, Table

WATCH_TABLES: Final[tuple[Table, ...]] = (
    Table(
        "look",
        "Looks of a watch, and what each saw of whatever can change.",
        (
            Column("at", "TIMESTAMP", "When the stores were read."),
            Column(
                "value",
                "JSON",
                "Creators of sessions with their rates, shares by store and slug, and sessions as predicted.",
            ),
        ),
    ),
    Table(
        "notice",
        "What a watch noticed: opened by the look that first saw it, resolved by the one that no longer did.",
        (
            Column("key", "VARCHAR", "What it is about: the same as long as it is the same matter."),
            Column("slug", "VARCHAR", "Slug of the finding."),
            Column("store", "VARCHAR", "Name of the session store; NULL: no single one."),
            Column("opened_at", "TIMESTAMP", "The look that first saw it."),
            Column("resolved_at", "TIMESTAMP", "The look that no longer did; NULL: it goes on."),
            Column("value", "JSON", "The whole notice: who, since when, figures, line, command."),
        ),
    ),
)
