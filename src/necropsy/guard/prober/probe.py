"""One probe: resolve, ask, follow redirects, judge, and say whether it started a session.

What blackbox does is done as blackbox does it. The difference is the cookies: by default they are kept for each target, so
that a target has one session in all, and not one for each visit.
"""

from __future__ import annotations

import http.client
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urljoin, urlsplit

from necropsy.guard.prober import proxies
from necropsy.guard.prober.answer import Answer, Deadline
from necropsy.guard.prober.cookies import Jar, set_cookies
from necropsy.guard.prober.exchange import USER_AGENT, exchange, resolve
from necropsy.guard.prober.judge import judge
from necropsy.guard.prober.module import HttpModule, OAuth2
from necropsy.guard.prober.question import ProbeRequest
from necropsy.guard.prober.result import Result
from necropsy.guard.prober.signs import leads_to_login, redirect_of, sign_of
from necropsy.guard.prober.tokens import Tokens
from necropsy.probes.prometheus.blackbox.modules import Module, first_request

REUSE: Final = "reuse"
"""Keep the cookies of a target: one session in all, renewed when it dies."""
FORBID: Final = "forbid"
"""Fail a probe whose answer starts a session."""
OBSERVE: Final = "observe"
"""Forget the cookies after each probe, as blackbox does, and say what that starts."""
POLICIES: Final = (REUSE, FORBID, OBSERVE)
_MOST_REDIRECTS: Final = 10
_KEEP_THE_BODY: Final = frozenset({307, 308})
_UNAUTHORIZED: Final = 401
_OF_ONE_HOST: Final = frozenset({"authorization", "www-authenticate", "cookie", "cookie2"})
"""Headers that are not taken along to another host."""
_OF_A_BODY: Final = frozenset({"content-type", "content-encoding", "content-language", "content-location"})
"""Headers that go with the body, where a redirect drops it."""


@dataclass(slots=True)
class _Visit:
    """Position of a probe: its URL, method and headers."""

    url: str
    method: str
    body: bytes
    in_chunks: bool = False
    referer: str = ""
    host: str = ""
    """Host header that the module gives, as long as redirects stay on the host; empty: the URL's."""
    address: tuple[str, int] | None = None
    """IP address and its protocol, where they are known from the visit before."""
    bare: bool = False
    """Whether a redirect dropped the body."""
    abroad: bool = False
    """Whether a redirect led to another host: credentials stay at home."""
    at_first: bool = True
    """Whether it is still where it was sent: the configured name for TLS is that host's."""


@dataclass(slots=True)
class _Walk:
    """Values that all visits of a probe share."""

    module: HttpModule
    jar: Jar
    policy: str
    deadline: Deadline
    tokens: Tokens
    result: Result
    first_host: str = ""


def probe(
    target: str, module: HttpModule, jar: Jar, policy: str, within_s: float, tokens: Tokens | None = None
) -> Result:
    """Ask a target.

    Parameters
    ----------
    target
        As Prometheus sends it: a URL, or host and port.
    jar
        The target's cookies; under ``observe`` a fresh one.
    within_s
        Seconds that it may take.
    tokens
        Tokens of OAuth 2 that are kept between probes; None: none are.
    """
    result, began = Result(failed_by_cel=False if module.has_cel else None), time.monotonic()
    if not module.resolves:
        result.lookup_s = None
    deadline = Deadline(within_s)
    first = first_request(target, Module(module.name, "http"))
    try:
        if isinstance(first, str):
            result.reason = first
        else:
            _walk(_first(first.text, module), _Walk(module, jar, policy, deadline, tokens or Tokens(), result))
    except TimeoutError:
        result.reason = f"no answer within {within_s:g} s"
    except (OSError, http.client.HTTPException, ValueError) as error:
        result.reason = str(error) or type(error).__name__
    result.success = not result.reason
    result.took_s = time.monotonic() - began
    return result


def _first(url: str, module: HttpModule) -> _Visit:
    body = Path(module.body_file).read_bytes() if module.body_file else module.body
    host = next((value for name, value in module.headers.items() if name.lower() == "host"), "")
    return _Visit(url, module.method, body, in_chunks=bool(module.body_file and body), host=host)


def _walk(visit: _Visit, walk: _Walk) -> None:
    """Ask, and follow redirects."""
    module, result = walk.module, walk.result
    walk.first_host = (urlsplit(visit.url).hostname or "").lower()
    followed = True
    while True:
        proxy = _locate(visit, walk)
        headers = _headers(visit, walk, proxy)
        answer = _ask(visit, headers, proxy, module, walk.deadline)
        for phase, seconds in answer.seconds.items():
            result.seconds[phase] += seconds
        result.answer, result.ssl = answer, visit.url.startswith("https:")
        _note_signs(answer, visit.url, headers, result)
        walk.jar.keep(visit.url, answer.all("set-cookie"))
        if module.oauth2 is not None and answer.status == _UNAUTHORIZED:
            walk.tokens.forget(module.oauth2)
        if walk.policy == FORBID and (result.session_started or result.login):
            does = "starts a session" if result.session_started else f"redirects to a login, {result.login}"
            at = result.started_at or _path(visit.url)
            result.reason = f"the answer at {at} {does}: probe a health endpoint instead"
            break
        location = redirect_of(answer)
        if not location:
            break
        result.redirects += 1  # one that is not followed counts, too, in blackbox
        followed = module.follow_redirects and result.redirects <= _MOST_REDIRECTS
        if not followed:
            if module.follow_redirects:
                result.reason = f"more than {_MOST_REDIRECTS} redirects"
            break
        visit = _redirected(visit, location, answer.status, walk.first_host)
    result.last_modified = _last_modified(result.answer)
    judge(module, result, is_read=followed)


def _redirected(visit: _Visit, location: str, status: int, first_host: str) -> _Visit:
    """Return the visit that a redirect leads to, as Go's client makes it."""
    to = urljoin(visit.url, location)
    is_relative = not urlsplit(location).netloc
    host = (urlsplit(to).hostname or "").lower()
    at_home = host == first_host or host.endswith(f".{first_host}")
    keeps_body = status in _KEEP_THE_BODY
    return _Visit(
        url=to,
        method=visit.method if keeps_body or visit.method in ("GET", "HEAD") else "GET",
        body=visit.body if keeps_body else b"",
        in_chunks=visit.in_chunks and keeps_body,
        referer="" if visit.url.startswith("https:") and to.startswith("http:") else visit.url,
        host=visit.host if is_relative else "",
        address=visit.address if is_relative else None,
        bare=visit.bare or not keeps_body,
        abroad=visit.abroad or not at_home,
        at_first=visit.at_first and is_relative,
    )


def _locate(visit: _Visit, walk: _Walk) -> SplitResult | None:
    """Resolve the name, unless a proxy does; return the proxy."""
    module, result = walk.module, walk.result
    host = urlsplit(visit.url).hostname or ""
    by_proxy = module.proxy.is_set and (not module.resolves or not visit.at_first)
    if visit.address is None and not by_proxy:
        began = time.monotonic()
        visit.address = resolve(host, module)
        looked_up = time.monotonic() - began
        result.seconds["resolve"] += looked_up
        if not result.address:
            (result.address, result.protocol), result.lookup_s = visit.address, looked_up
    return _proxy(visit.url, _address(visit), module)


def _address(visit: _Visit) -> str:
    return visit.address[0] if visit.address is not None else urlsplit(visit.url).hostname or ""


def _ask(
    visit: _Visit, headers: list[tuple[str, str]], proxy: SplitResult | None, module: HttpModule, deadline: Deadline
) -> Answer:
    tls_name = (module.tls.server_name or visit.host.partition(":")[0]) if visit.at_first else ""
    address = _address(visit)
    question = ProbeRequest(visit.url, address, headers, visit.method, visit.body, visit.in_chunks, tls_name, proxy)
    return exchange(question, module, deadline)


def _proxy(url: str, address: str, module: HttpModule) -> SplitResult | None:
    """Return the proxy of a URL; exceptions are laid beside the address where it is known, as in blackbox."""
    if not module.proxy.is_set:
        return None
    parts = urlsplit(url)
    host = f"[{address}]" if ":" in address else address
    asked = parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host).geturl()
    return proxies.proxy_of(asked, module.proxy, os.environ)


def _headers(visit: _Visit, walk: _Walk, proxy: SplitResult | None) -> list[tuple[str, str]]:
    module, cookies = walk.module, walk.jar.header(visit.url)
    host = visit.host or urlsplit(visit.url).netloc.rpartition("@")[2]
    given = {name.lower(): value for name, value in module.headers.items() if name.lower() != "host"}
    headers = [("Host", host)]
    if "user-agent" not in given:
        headers.append(("User-Agent", USER_AGENT))
    left = {"host", "cookie"} | (_OF_ONE_HOST if visit.abroad else set()) | (_OF_A_BODY if visit.bare else set())
    headers += [(name, value) for name, value in module.headers.items() if name.lower() not in left]
    own = "" if visit.abroad else given.get("cookie", "")
    if own or cookies:
        headers.append(("Cookie", "; ".join(filter(None, (own, cookies)))))
    if visit.referer:
        headers.append(("Referer", visit.referer))
    if not visit.abroad:
        if "authorization" not in given and (authorization := _authorization(walk)):
            headers.append(("Authorization", authorization))
        headers += [(name, value.read()) for name, values in module.more_headers for value in values]
    if proxy is not None and proxy.scheme == visit.url.partition(":")[0] == "http":
        user = proxies.authorization(proxy)
        headers += [("Proxy-Authorization", user)] if user else []
    return headers


def _authorization(walk: _Walk) -> str:
    module = walk.module
    if module.oauth2 is not None:
        return walk.tokens.header(module.oauth2, _poster(module.oauth2, walk.deadline))
    return module.credentials.header() if module.credentials is not None else ""


def _poster(settings: OAuth2, deadline: Deadline) -> Callable[[str, dict[str, str], bytes], Answer]:
    """Return how a token is asked for: with the TLS and proxy settings of ``oauth2``, and no redirect followed."""
    module = replace(
        HttpModule("oauth2", body_matches=(".",)), tls=settings.tls, proxy=settings.proxy, body_size_limit=1 << 20
    )

    def post(url: str, headers: dict[str, str], form: bytes) -> Answer:
        if urlsplit(url).scheme not in ("http", "https"):
            raise OSError("token_url is neither http:// nor https://")
        host = urlsplit(url).hostname or ""
        address = host if settings.proxy.is_set else resolve(host, module)[0]
        sent = [("Host", urlsplit(url).netloc.rpartition("@")[2]), ("User-Agent", USER_AGENT), *headers.items()]
        return exchange(
            ProbeRequest(url, address, sent, "POST", form, proxy=_proxy(url, address, module)), module, deadline
        )

    return post


def _note_signs(answer: Answer, url: str, headers: list[tuple[str, str]], result: Result) -> None:
    """Note the cookies that an answer sets, and what in it shows that it starts a session."""
    brought = next((value for name, value in headers if name.lower() == "cookie"), "")
    found = set_cookies(answer.all("set-cookie"), brought)
    result.set_cookies += len(found)
    location = redirect_of(answer)
    if location and leads_to_login(location) and not result.login:
        result.login = _path(urljoin(url, location))
    if not result.session_started and (sign := sign_of(answer, url, repr(headers), found)):
        result.session_started, result.started_at, result.sign = True, _path(url), sign


def _path(url: str) -> str:
    """Return the path without what an application may have written behind it: a session id."""
    return urlsplit(url).path.partition(";")[0] or "/"


def _last_modified(answer: Answer) -> float | None:
    value = next(iter(answer.all("last-modified")), "")
    try:
        return parsedate_to_datetime(value).timestamp() if value else None
    except ValueError:
        return None
