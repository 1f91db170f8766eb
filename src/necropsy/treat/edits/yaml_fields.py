"""Edits of YAML: a scalar's text between its quotes, a field of a mapping, one more rule in a list of rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from necropsy.treat.edits.text import Insertion, line_end, lines_of, newline_of

if TYPE_CHECKING:
    from necropsy.probes.syntax.node import Node


def replaced(text: str, node: Node, value: str) -> list[Insertion]:
    """Replace the value of a plain or quoted scalar of one line; its quotes stay. Empty where that cannot be done.

    ``value`` must need no escape: letters, digits, ``.:/_-`` and the like.
    """
    written = text[node.start : node.end]
    if node.kind != "scalar" or node.style not in ("plain", "'", '"') or "\n" in written:
        return []
    quote = "" if node.style == "plain" else node.style
    if written != f"{quote}{node.text()}{quote}":  # an escape, or an anchor in front of it
        return []
    return [Insertion(node.start, f"{quote}{value}{quote}", node.end)]


def jobs(root: Node | None) -> Iterator[Node]:
    """Yield the scrape configurations of a file; none of one that could not be parsed."""
    if root is not None:
        yield from root if root.kind == "sequence" else root.get("scrape_configs") or ()


def job_named(root: Node | None, prober: str) -> Node | None:
    """Return the scrape configuration behind ``prometheus/<job>``."""
    name = prober.partition("/")[2]
    for job in jobs(root):
        node = job.get("job_name")
        if node is not None and node.text() == name:
            return job
    return None


def rule_added(text: str, job: Node, fields: tuple[str, ...], *, first: bool) -> list[Insertion]:
    """Add a relabel rule before all others, or behind them. Empty for a job without rules in block style.

    ``fields`` are the rule's lines without indentation: ``("action: drop", "regex: 'x'")``.
    """
    rules = job.get("relabel_configs")
    if rules is None or rules.style != "block" or not rules.elements:
        return []
    return rule_beside(text, rules.elements[0 if first else -1], fields, before=first)


def rule_beside(text: str, rule: Node, fields: tuple[str, ...], *, before: bool) -> list[Insertion]:
    """Add a relabel rule right before, or right behind, one in block style. Empty beside any other."""
    opening = lines_of(text)[rule.line - 1]
    dash = opening.find("-")
    if dash < 0 or rule.kind != "mapping" or opening[:dash].strip():
        return []
    indent, inner = opening[:dash], " " * (rule.column - dash - 1)
    lines = [f"{indent}-{inner}{fields[0]}", *(f"{indent} {inner}{field}" for field in fields[1:])]
    offset = line_end(text, rule.line - 1) if before else line_end(text, rule.end_line)
    newline = newline_of(text)
    missing = "" if not offset or text[offset - 1] == "\n" else newline
    return [Insertion(offset, missing + newline.join(lines) + newline)]


def field_set(text: str, mapping: Node, name: str, value: str) -> list[Insertion]:
    """Set a field of a mapping: replace its value, or add it behind the last one. Empty where that cannot be done.

    ``value`` is a scalar as YAML writes it.
    """
    present = mapping.get(name)
    if present is not None:
        return replaced(text, present, value) if present.style != "plain" or present.kind == "scalar" else []
    if not mapping.pairs:
        return []
    if mapping.style == "flow":
        return [Insertion(mapping.end - 1, f", {name}: {value}")] if text[mapping.end - 1 : mapping.end] == "}" else []
    offset = line_end(text, mapping.end_line)
    newline = newline_of(text)
    before = "" if not offset or text[offset - 1] == "\n" else newline
    return [Insertion(offset, f"{before}{' ' * mapping.column}{name}: {value}{newline}")]


def quoted(value: str) -> str:
    """Write a text as a YAML scalar in single quotes.

    >>> quoted("it's")
    "'it''s'"
    """
    doubled = value.replace("'", "''")
    return f"'{doubled}'"


def literal(value: str) -> str:
    r"""Escape what RE2 takes for more than itself, and nothing else: a pattern is read by people.

    >>> print(literal("10.0.0.1;a-b"))
    10\.0\.0\.1;a-b
    """
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", value)
