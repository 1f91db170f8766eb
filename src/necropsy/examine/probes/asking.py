"""Comparisons of probes that the examiners of this area share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from necropsy.model.evidence import Origin
from necropsy.model.finding import Exhibit
from necropsy.probes.session_risk import UNKNOWN_ADDRESS, may_create

if TYPE_CHECKING:
    from collections.abc import Sequence

    from necropsy.model.probe import Probe

_OWN: Final = (UNKNOWN_ADDRESS, "localhost", "127.0.0.1", "::1")
"""Hosts that mean another machine in each file that names them."""


def server(probe: Probe) -> str:
    """Return the file whose server asks: two Prometheus replicas have a job of the same name each."""
    begins = job(probe)
    return begins.file if begins else probe.origin[-1].file if probe.origin else ""


def job(probe: Probe) -> Origin | None:
    """Return the line where the job begins that asks; None for a prober without jobs."""
    name = probe.prober.partition("/")[2]
    return next((origin for origin in probe.origin if origin.what == f"job {name}"), None)


def request(probe: Probe) -> tuple[str, str, str] | None:
    """Return what is asked (method, Host, URL); None where the same text may mean another machine."""
    if not probe.url.startswith("http") or probe.host in _OWN or UNKNOWN_ADDRESS in probe.url:
        return None
    return probe.method, probe.host, probe.url


def a_session_each(probes: Sequence[Probe]) -> bool:
    """Whether one of them may start a session with each request."""
    return any(may_create(probe) for probe in probes)


def exhibit(probe: Probe, text: str = "", origin: Origin | None = None) -> Exhibit:
    """Show one probe with the line to blame."""
    return Exhibit(
        title=f"{probe.method} {probe.url} every {probe.period_s:g} s".strip(),
        text=text or (probe.origin[0].what if probe.origin else ""),
        origin=origin or (probe.origin[0] if probe.origin else None),
        query="SELECT prober, method, url, period_s FROM probe",
    )
