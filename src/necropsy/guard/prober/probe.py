"""One probe: resolve, ask, follow redirects, judge, and say whether it started a session.

What blackbox does is done as blackbox does it. The difference is the cookies: by default they are kept for each target, so
that a target has one session in all, and not one for each visit.
"""

from __future__ import annotations

import gzip
import http.client
import time
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urljoin, urlsplit

from necropsy.guard.prober.answer import PHASES, Answer, Deadline
from necropsy.guard.prober.cookies import Jar, set_cookies
from necropsy.guard.prober.exchange import exchange, resolve
from necropsy.guard.prober.module import HeaderRule, HttpModule
from necropsy.probes.prometheus.blackbox.modules import Module, first_request

REUSE: Final = "reuse"
"""Keep the cookies of a target: one session in all, renewed when it dies."""
FORBID: Final = "forbid"
"""Fail a probe whose answer starts a session."""
OBSERVE: Final = "observe"
"""Forget the cookies after each probe, as blackbox does, and say what that starts."""
POLICIES: Final = (REUSE, FORBID, OBSERVE)
_MOST_REDIRECTS: Final = 10
_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_USER_AGENT: Final = "Blackbox-Exporter/0.28.0"


@dataclass(slots=True)
class Result:
    """The outcome of a probe."""

    success: bool = False
    reason: str = ""
    """Why it failed; empty when it did not."""
    took_s: float = 0.0
    lookup_s: float = 0.0
    address: str = ""
    """IP address that was asked first; empty when the name has none."""
    protocol: int = 0
    """4 or 6; 0 when nothing was resolved."""
    seconds: dict[str, float] = field(default_factory=lambda: dict.fromkeys(PHASES, 0.0))
    redirects: int = 0
    answer: Answer = field(default_factory=Answer)
    ssl: bool = False
    failed_by_regexp: bool = False
    uncompressed_length: int = 0
    set_cookies: int = 0
    """Cookies that the answers set."""
    session_started: bool = False
    """Whether an answer set a session cookie that was not brought."""
    started_at: str = ""
    """Path of the answer that started it."""
    last_modified: float | None = None


@dataclass(slots=True)
class _Visit:
    """Position of a probe: its URL, method and headers."""

    url: str
    method: str
    body: bytes
    referer: str = ""


def probe(target: str, module: HttpModule, jar: Jar, policy: str, within_s: float, hostname: str = "") -> Result:
    """Ask a target.

    Parameters
    ----------
    target
        As Prometheus sends it: a URL, or host and port.
    jar
        The target's cookies; under ``observe`` a fresh one.
    within_s
        Seconds that it may take.
    hostname
        Name for the Host header and TLS of the first request.
    """
    result, began = Result(), time.monotonic()
    deadline = Deadline(within_s)
    first = first_request(target, Module(module.name, "http"))
    try:
        if isinstance(first, str):
            result.reason = first
        else:
            _walk(_Visit(first.text, module.method, module.body), module, jar, policy, deadline, result, hostname)
    except TimeoutError:
        result.reason = f"no answer within {within_s:g} s"
    except (OSError, http.client.HTTPException, ValueError) as error:
        result.reason = str(error) or type(error).__name__
    result.success = not result.reason
    result.took_s = time.monotonic() - began
    return result


def _walk(
    visit: _Visit, module: HttpModule, jar: Jar, policy: str, deadline: Deadline, result: Result, hostname: str
) -> None:
    """Ask, and follow redirects."""
    while True:
        host = urlsplit(visit.url).hostname or ""
        began = time.monotonic()
        address, protocol = resolve(host, module)
        looked_up = time.monotonic() - began
        result.seconds["resolve"] += looked_up
        if not result.address:
            result.address, result.protocol, result.lookup_s = address, protocol, looked_up
        name = hostname if not result.redirects else ""
        cookies = jar.header(visit.url)
        answer = exchange(visit.url, address, _headers(visit, module, cookies, name), module, visit.method, visit.body,
                          deadline, host=name)  # fmt: skip
        for phase, seconds in answer.seconds.items():
            result.seconds[phase] += seconds
        result.answer, result.ssl = answer, visit.url.startswith("https:")
        _note_cookies(answer, visit.url, cookies, result)
        jar.keep(visit.url, answer.all("set-cookie"))
        if policy == FORBID and result.session_started:
            result.reason = f"the answer at {result.started_at} starts a session: probe a health endpoint instead"
            break
        to = _redirect(answer, visit.url)
        if to is None:
            break
        result.redirects += 1  # one that is not followed counts, too, in blackbox
        if not module.follow_redirects:
            break
        if result.redirects > _MOST_REDIRECTS:
            result.reason = f"more than {_MOST_REDIRECTS} redirects"
            break
        keeps_method = answer.status in (307, 308) or visit.method in ("GET", "HEAD")
        visit = _Visit(to, visit.method if keeps_method else "GET", visit.body if keeps_method else b"", visit.url)
    _judge(module, result)


def _headers(visit: _Visit, module: HttpModule, cookies: str, hostname: str) -> dict[str, str]:
    headers = {"Host": hostname or urlsplit(visit.url).netloc.rpartition("@")[2], "User-Agent": _USER_AGENT}
    given = {name.lower() for name in module.headers}
    headers = {name: value for name, value in headers.items() if name.lower() not in given} | dict(module.headers)
    if cookies and "cookie" not in given:
        headers["Cookie"] = cookies
    if visit.referer and not (visit.referer.startswith("https:") and visit.url.startswith("http:")):
        headers["Referer"] = visit.referer
    if module.compression and "accept-encoding" not in given:
        headers["Accept-Encoding"] = module.compression
    return headers


def _redirect(answer: Answer, url: str) -> str | None:
    location = next(iter(answer.all("location")), "")
    if answer.status not in _REDIRECTS or not location:
        return None
    return urljoin(url, location)


def _note_cookies(answer: Answer, url: str, brought: str, result: Result) -> None:
    found = set_cookies(answer.all("set-cookie"), brought)
    result.set_cookies += len(found)
    if not result.session_started and any(cookie.is_session and cookie.is_new for cookie in found):
        result.session_started, result.started_at = True, urlsplit(url).path or "/"


def _judge(module: HttpModule, result: Result) -> None:
    """Judge the last answer, in blackbox' order; the first reason stays."""
    answer = result.answer
    valid = answer.status in module.valid_status_codes if module.valid_status_codes else 200 <= answer.status < 300
    reasons = [] if valid else [f"status {answer.status}"]
    reasons += [answer.problem] if answer.problem else []
    by_headers = _judge_headers(module, answer)
    reasons += by_headers
    body = _uncompressed(answer, module)
    if body is None:
        reasons.append("the body is not compressed as it says")
        body = b""
    result.uncompressed_length = len(body)
    by_body = [] if reasons else _judge_body(module, body)
    result.failed_by_regexp = bool(by_headers or by_body)
    reasons += by_body
    if module.valid_http_versions and f"HTTP/{answer.version:.1f}" not in module.valid_http_versions:
        reasons.append(f"HTTP/{answer.version:.1f} is not among {', '.join(module.valid_http_versions)}")
    if result.ssl and module.fail_if_ssl:
        reasons.append("the last response came over TLS")
    if not result.ssl and module.fail_if_not_ssl:
        reasons.append("the last response did not come over TLS")
    result.last_modified = _last_modified(answer)
    result.reason = result.reason or (reasons[0] if reasons else "")


def _judge_headers(module: HttpModule, answer: Answer) -> list[str]:
    reasons = [
        f"header {rule.header} matches {rule.regexp!r}"
        for rule in module.header_matches
        if answer.all(rule.header.lower()) and _matches_header(rule, answer)
    ]
    return reasons + [
        f"header {rule.header} does not match {rule.regexp!r}"
        for rule in module.header_not_matches
        if not _matches_header(rule, answer)
    ]


def _judge_body(module: HttpModule, body: bytes) -> list[str]:
    if not (module.body_matches or module.body_not_matches):
        return []
    text = body.decode("utf-8", "replace")
    reasons = [f"the body matches {pattern!r}" for pattern in module.body_matches if _found(pattern, text)]
    return reasons + [
        f"the body does not match {pattern!r}" for pattern in module.body_not_matches if not _found(pattern, text)
    ]


def _matches_header(rule: HeaderRule, answer: Answer) -> bool:
    """Whether any value of the header matches; a missing one counts as the rule says."""
    values = answer.all(rule.header.lower())
    return any(_found(rule.regexp, value) for value in values) if values else rule.allow_missing


def _found(pattern: str, text: str) -> bool:
    import re2

    return re2.search(pattern, text) is not None


_UNPACK: Final[Mapping[str, int]] = {"gzip": 31, "deflate": 15}


def _uncompressed(answer: Answer, module: HttpModule) -> bytes | None:
    """Return the body as it is read by regular expressions; None where it is damaged."""
    if module.compression not in _UNPACK or next(iter(answer.all("content-encoding")), "") != module.compression:
        return answer.body
    try:
        unpacker = zlib.decompressobj(_UNPACK[module.compression])
        limit = module.body_size_limit
        return unpacker.decompress(answer.body, limit) if limit else unpacker.decompress(answer.body)
    except (zlib.error, gzip.BadGzipFile):
        return None


def _last_modified(answer: Answer) -> float | None:
    value = next(iter(answer.all("last-modified")), "")
    try:
        return parsedate_to_datetime(value).timestamp() if value else None
    except ValueError:
        return None
