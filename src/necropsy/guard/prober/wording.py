"""Messages about a target and its probes, without their secrets."""

from __future__ import annotations

from typing import Final

from necropsy._internal.masking import masked
from necropsy.guard.prober.probe import OBSERVE, REUSE
from necropsy.guard.prober.result import Result
from necropsy.report.escaping import inert

_DAY_S: Final = 86_400
_LONGEST: Final = 200
"""Characters of a target or a reason that are shown."""


def target_shown(target: str) -> str:
    """Return a target as it may be shown: without user and password, and without values that are secrets by their name.

    >>> target_shown("http://me:pw@10.0.0.1:8080/a;jsessionid=1F?token=x&page=1"), target_shown("me:pw@10.0.0.1:8080")
    ('http://10.0.0.1:8080/a;jsessionid=***?token=***&page=1', '10.0.0.1:8080')
    """
    bare = masked(target if "://" in target else f"//{target}")
    return inert(bare if "://" in target else bare.removeprefix("//"), limit=_LONGEST)


def reason_shown(reason: str, target: str) -> str:
    """Return why a probe failed, as it may be shown: libraries quote a target that they cannot read.

    >>> reason_shown("netloc 'me:pw@10.0.0.1' is wrong", "http://me:pw@10.0.0.1/")
    "netloc '10.0.0.1' is wrong"
    """
    user, at, _ = (target.partition("://")[2] or target).rpartition("@")
    return inert(masked(reason.replace(user + at, "") if at else reason), limit=_LONGEST)


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
