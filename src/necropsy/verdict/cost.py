"""The cost of probes by arithmetic alone: a request is a session, a session is keys and bytes until it expires."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace

from necropsy.model.cost import Amount, Assumptions, Cost, CostLine
from necropsy.model.figures import factor
from necropsy.model.probe import Probe
from necropsy.probes.prometheus.blackbox.redirected_sessions import sessions_started
from necropsy.probes.session_risk import may_create, split_host
from necropsy.verdict.forecast import DAY_S, is_immortal


def cost(probes: Sequence[Probe], idle: Collection[int], assumptions: Assumptions) -> Cost:
    """Return what the probes cost.

    Parameters
    ----------
    probes
        All of them; what creates no session is only counted.
    idle
        Indices of those that nobody answers.
    assumptions
        Of the store, and what if.
    """
    creating = [probe for number, probe in enumerate(probes) if may_create(probe) and number not in idle]
    lines = tuple(_line(probe, assumptions) for probe in creating)
    unchanged = replace(assumptions, interval_s=None, replicas=1, fixed=())
    total = _total(lines, assumptions)
    before = None
    if unchanged != assumptions:
        before = _total([_line(probe, unchanged) for probe in creating], unchanged)
    return Cost(
        lines=lines,
        total=total,
        before=before,
        harmless=sum(not may_create(probe) for probe in probes),
        idle=sum(may_create(probe) for number, probe in enumerate(probes) if number in idle),
        assumptions=assumptions,
        formula=_formula(lines, total, assumptions),
    )


def _line(probe: Probe, assumptions: Assumptions) -> CostLine:
    period_s = assumptions.interval_s or probe.period_s
    fixed = any(_is(probe, host) for host in assumptions.fixed)
    each = _sessions_per_request(probe, assumptions)
    born = 0.0 if fixed or period_s <= 0 else DAY_S / period_s * assumptions.replicas * each
    return CostLine(probe.prober, probe.method, probe.url, period_s, fixed, each, _amount(born, assumptions))


def _sessions_per_request(probe: Probe, assumptions: Assumptions) -> float:
    if assumptions.redirect and probe.kind == "blackbox-http":
        return sessions_started(probe, assumptions.redirect, jar_by_host=assumptions.cookies_by_host)
    return assumptions.sessions_per_request


def _is(probe: Probe, host: str) -> bool:
    name, port = split_host(host)
    written = host.rpartition(":")[2].isdigit() and not host.endswith("]")
    return probe.host.lower() == name.lower() and (not written or probe.port == port)


def _amount(born: float, assumptions: Assumptions, index_keys: float = 0.0) -> Amount:
    lifetime_s = assumptions.lifetime_s
    size = assumptions.bytes_per_session
    sessions = None if lifetime_s is None or is_immortal(lifetime_s) else born * lifetime_s / DAY_S
    return Amount(
        sessions_per_day=born,
        keys_per_day=born * assumptions.keys_per_session,
        bytes_per_day=born * size if size is not None else None,
        sessions=sessions,
        keys=sessions * assumptions.keys_per_session + index_keys if sessions is not None else None,
        bytes=sessions * size if sessions is not None and size is not None else None,
    )


def _total(lines: Sequence[CostLine], assumptions: Assumptions) -> Amount:
    born = sum(line.amount.sessions_per_day for line in lines)
    return _amount(born, assumptions, _index_keys(assumptions) if born else 0.0)


def _index_keys(assumptions: Assumptions) -> float:
    return (assumptions.lifetime_s or 0.0) / 60 if assumptions.minute_sets else 0.0


def _formula(lines: Sequence[CostLine], total: Amount, assumptions: Assumptions) -> str:
    if total.keys is None or assumptions.lifetime_s is None:
        return ""
    groups = Counter(
        (line.period_s, line.sessions_per_request) for line in lines if not line.fixed and line.period_s > 0
    )
    shared = {each for _, each in groups}
    counted = [
        f"{probes} x {DAY_S / period:,.0f}/d" + (f" x {factor(each, 'session')}" if len(shared) > 1 else "")
        for (period, each), probes in sorted(groups.items())
    ]
    if not counted:
        return ""
    born = " + ".join(counted)
    days = assumptions.lifetime_s / DAY_S
    factors = [f"({born})" if len(counted) > 1 else born]
    factors += [f"{assumptions.replicas} servers"] if assumptions.replicas != 1 else []
    each = shared.pop() if len(shared) == 1 else 1.0
    factors += [factor(each, "session")] if each != 1 else []
    factors += [f"{days:.3g} d"] if days != 1 else []
    factors += [factor(assumptions.keys_per_session, "key")]
    index_keys = _index_keys(assumptions)
    return (
        " x ".join(factors)
        + (f" + {index_keys:,.0f} expirations sets" if index_keys else "")
        + f" = {total.keys:,.0f} keys"
    )
