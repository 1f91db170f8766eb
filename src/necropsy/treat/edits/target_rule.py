"""Relabel rules that make the probed URL: one more that joins the health endpoint which discovery knows, or a path in one.

Before::

    - source_labels: [__address__]
      target_label: __param_target

After, one rule more; targets that know no endpoint stay as they are::

    - source_labels: [__param_target, __meta_consul_service_metadata_health_check_endpoint]
      regex: '(.+?)/*;/*(.+)'
      target_label: __param_target
      replacement: '$1/$2'

Where all targets of a rule have one endpoint, the rule itself names it: ``replacement: http://$1/health``.
"""

from __future__ import annotations

from typing import Final

from necropsy.probes.syntax.node import Node
from necropsy.treat.edits.text import Insertion, line_end, lines_of, newline_of
from necropsy.treat.edits.yaml_fields import field_set, jobs

META_KEY: Final = "health_check_endpoint"
"""Key in a Consul service's meta; the name that the incident's operators chose."""

_LABEL: Final = f"__meta_consul_service_metadata_{META_KEY}"


def join_health_endpoint(text: str, root: Node, jobs: frozenset[str]) -> list[Insertion]:
    """Insert the joining rule behind the rule that sets ``__param_target``, in each of these jobs of ``prometheus.yml``.

    Empty when a job sets its target in no block-style rule, or joins the endpoint already.
    """
    insertions: list[Insertion] = []
    for job in root.get("scrape_configs") or ():
        name = job.get("job_name")
        rules = job.get("relabel_configs")
        if name is None or name.text() not in jobs or rules is None or rules.style != "block":
            continue
        if any(_LABEL in _sources(rule) for rule in rules):
            continue
        setting = [rule for rule in rules if _target(rule) == "__param_target"]
        if setting and (joined := _insertion(text, setting[-1])) is not None:
            insertions.append(joined)
    return insertions


def name_path(text: str, root: Node | None, line: int, path: str, health: str) -> Insertion | None:
    """Let the rule of a line make URLs of another path; None where it has another form.

    Parameters
    ----------
    line
        Of the rule, from 1.
    path, health
        The path that its URLs have, and the one that they are to have.
    """
    for job in jobs(root):
        for rule in job.get("relabel_configs") or ():
            if rule.line != line or _target(rule) != "__param_target":
                continue
            written = rule.get("replacement")
            old = written.text() if written is not None else "$1"
            if old.endswith(path):
                made = old.removesuffix(path) + health
            elif path == "/":  # an address has no path
                made = old + health
            else:
                return None
            found = field_set(text, rule, "replacement", made)
            return found[0] if found else None
    return None


def _sources(rule: Node) -> list[str]:
    sources = rule.get("source_labels")
    return sources.texts() if sources else []


def _target(rule: Node) -> str:
    target = rule.get("target_label")
    return target.text() if target else ""


def _insertion(text: str, rule: Node) -> Insertion | None:
    """Return the edit behind a rule of a list in block style; its dash may stand on a line of its own before it."""
    above = lines_of(text)[: rule.line]
    dash = next((line.index("-") for line in reversed(above) if line.lstrip().startswith("-")), rule.column)
    if dash >= rule.column:
        return None
    indent, inner = above[-1][:dash], " " * (rule.column - dash - 1)
    offset = line_end(text, rule.end_line)
    lines = (
        f"{indent}-{inner}source_labels: [__param_target, {_LABEL}]",
        f"{indent} {inner}regex: '(.+?)/*;/*(.+)'",
        f"{indent} {inner}target_label: __param_target",
        f"{indent} {inner}replacement: '$1/$2'",
    )
    newline = newline_of(text)
    before = "" if not offset or text[offset - 1] == "\n" else newline
    return Insertion(offset, before + newline.join(lines) + newline)
