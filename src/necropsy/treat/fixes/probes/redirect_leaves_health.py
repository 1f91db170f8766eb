"""``probes/redirect-leaves-health``: the exporter's module follows no redirects any more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.model.figures import several
from necropsy.treat.edits.text import Insertion, line_end, lines_of, newline_of
from necropsy.treat.edits.yaml_fields import replaced
from necropsy.treat.fixes.interface import Edits, Fix, FixContext

if TYPE_CHECKING:
    from necropsy.model.probe import Probe
    from necropsy.probes.syntax.node import Node

_FOLLOWS_NOT: Final = "follow_redirects: false"


def _accused(context: FixContext) -> list[Probe]:
    accused = context.finding.requests
    return [probe for probe in context.simulation.probes if f"{probe.method} {probe.url}" in accused]


def _edit(context: FixContext) -> Edits:
    wanted = {
        (origin.file, origin.what.removeprefix("module "))
        for probe in _accused(context)
        for origin in probe.origin
        if origin.what.startswith("module ")
    }
    edits: Edits = {}
    for file in context.of_kind("blackbox"):
        names = sorted(name for owner, name in wanted if owner == file.name)
        found = [edit for name in names for edit in _of(file.text, context.tree(file), name)]
        if found:
            edits[file.name] = found
    return edits


def _of(text: str, root: Node | None, name: str) -> list[Insertion]:
    module = root.at("modules", name) if root is not None else None
    if module is None or module.style != "block":
        return []
    http = module.get("http")
    if http is None:
        prober = module.key("prober")
        return _added(text, prober, prober.line, f"http:\n  {_FOLLOWS_NOT}") if prober is not None else []
    follows = http.get("follow_redirects")
    if follows is not None:
        return replaced(text, follows, "false")
    if http.style != "block" or not http.pairs:
        return []
    first = http.pairs[0][0]
    return _added(text, first, first.line - 1, _FOLLOWS_NOT)


def _added(text: str, beside: Node, line: int, lines: str) -> list[Insertion]:
    """Write lines below a line, indented as a key is."""
    indent = " " * beside.column
    if lines_of(text)[beside.line - 1][: beside.column].strip():
        return []
    newline = newline_of(text)
    written = "".join(f"{indent}{added}{newline}" for added in lines.split("\n"))
    offset = line_end(text, line)
    missing = newline if offset and text[offset - 1] != "\n" else ""
    return [Insertion(offset, missing + written)]


def _effect(before: FixContext, after: FixContext) -> str:
    accused = {(probe.prober, probe.url) for probe in _accused(before)}
    still = [
        probe for probe in after.simulation.probes if probe.follows_redirects and (probe.prober, probe.url) in accused
    ]
    if still or len(after.simulation.probes) != len(before.simulation.probes):
        return ""
    others = sum(
        one.follows_redirects and not other.follows_redirects and (one.prober, one.url) not in accused
        for one, other in zip(before.simulation.probes, after.simulation.probes, strict=True)
    )
    more = f"; so do {others} other probes of the module" if others else ""
    verbs = ("sends", "follows") if len(accused) == 1 else ("send", "follow")
    return f"{several(len(accused), 'probe')} {verbs[0]} one request and {verbs[1]} no redirect{more}"


FIX: Final = Fix(("probes/redirect-leaves-health",), _edit, _effect)
