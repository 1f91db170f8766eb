"""What is said of a target whose probes start sessions, or may."""

from __future__ import annotations

from typing import Final

from necropsy.guard.prober.probe import OBSERVE, REUSE
from necropsy.guard.prober.result import Result

_DAY_S: Final = 86_400


def warning(what: str, module: str, policy: str, result: Result, each_s: float | None) -> str:
    """Return what is said of a target that starts sessions, or may.

    Parameters
    ----------
    each_s
        Seconds between two probes, where several started sessions.
    """
    rate = "" if each_s is None else f" each time: {_DAY_S / max(each_s, 0.001):,.0f} a day"
    match result.sign:
        case "":
            return (
                f"{what}: redirects to a login, {result.login}. Most applications start a session for that; no cookie shows"
                " whether this one does. Probe a health endpoint instead."
            )
        case "cookie":
            said, kept = f"the answer at {result.started_at} starts a session", True
        case "login":
            said, kept = f"redirects to a login, {result.login}, with a cookie that looks like a session's", True
        case "store":
            said, kept, rate = f"{result.store} with each probe, though no answer shows it", False, ""
        case _:
            where = "the address" if result.sign == "address" else "a header"
            said, kept = f"the answer at {result.started_at} hands out a session id in {where}", False
    if policy == REUSE and kept:
        return f"{what}: {said}; its cookie is kept, so that it stays one session. Probe a health endpoint instead."
    if policy == REUSE:
        return f"{what}: {said}{rate}. There is no cookie to keep. Probe a health endpoint instead."
    if policy == OBSERVE and each_s is not None:
        instead = f"Use --session {module}=reuse." if kept else "Probe a health endpoint instead."
        return f"{what}: {said}{rate}. {instead}"
    return f"{what}: {said}."


def started(result: Result) -> str:
    """Return whether a probe started a session, and what shows it, for the text of ``debug=true``."""
    if result.session_started:
        return result.store or f"at {result.started_at}, by its {result.sign}"
    return f"no; redirected to a login, {result.login}" if result.login else "no"
