"""``probes/doubled``: remove a job of the same file that asks for nothing but what another one asks already."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.model.figures import several
from necropsy.treat.edits.text import Insertion, line_end, lines_of
from necropsy.treat.edits.yaml_fields import jobs
from necropsy.treat.fixes.interface import Edits, Fix, FixContext

if TYPE_CHECKING:
    from necropsy.probes.simulate import Simulation

Request = tuple[str, str]
"""(method, URL)."""


def _requests(simulation: Simulation, prober: str) -> set[Request]:
    return {(probe.method, probe.url) for probe in simulation.probes if probe.prober == prober}


def _edit(context: FixContext) -> Edits:
    for file in context.of_kind("prometheus"):
        kept: list[set[Request]] = []
        for job in jobs(context.tree(file)):
            name = job.get("job_name")
            prober = f"prometheus/{name.text() if name is not None else ''}"
            mine = _requests(context.simulation, prober)
            opening = lines_of(file.text)[job.line - 1]
            copied = bool(mine) and any(mine <= other for other in kept)
            if copied and prober in context.finding.probers and opening.lstrip().startswith("-"):
                start, end = line_end(file.text, job.line - 1), line_end(file.text, job.end_line)
                return {file.name: [Insertion(start, "", end)]}
            kept.append(mine)
    return {}


def _effect(before: FixContext, after: FixContext) -> str:
    then = {(probe.method, probe.url) for probe in before.simulation.probes}
    now = {(probe.method, probe.url) for probe in after.simulation.probes}
    fewer = len(before.simulation.probes) - len(after.simulation.probes)
    if then != now or fewer <= 0:
        return ""
    return f"{several(fewer, 'probe')} fewer, every URL is still requested"


FIX: Final = Fix(("probes/doubled",), _edit, _effect)
