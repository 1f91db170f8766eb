"""The prober's addresses: ``/probe?target=&module=``, ``/metrics``, ``/-/healthy``, ``/-/ready``."""

from __future__ import annotations

import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from pathlib import Path
from threading import Lock
from typing import Final
from urllib.parse import urlencode

from necropsy import __version__
from necropsy._internal.masking import masked
from necropsy.guard.exposition import CONTENT_TYPE, Family, Sample, text_of
from necropsy.guard.prober.births import ProbedBirths
from necropsy.guard.prober.cookies import Jar
from necropsy.guard.prober.metrics import families
from necropsy.guard.prober.module import HttpModule
from necropsy.guard.prober.module_file import read_modules
from necropsy.guard.prober.probe import FORBID, OBSERVE, REUSE, probe
from necropsy.guard.prober.result import Result
from necropsy.guard.prober.tokens import Tokens
from necropsy.guard.prober.wording import reason_shown, started, target_shown, warning
from necropsy.guard.web import TIMEOUT_HEADER, Request, Response, Route
from necropsy.model.errors import NecropsyError, UsageError
from necropsy.wire.http import is_url
from necropsy.wire.redis.address import Address

DEFAULT_MODULE: Final = "http_2xx"
_RESERVE_S: Final = 0.5
_LONGEST_S: Final = 120.0
"""Seconds that a probe may take when neither Prometheus nor the module says less, as in blackbox."""
_MOST_KNOWN: Final = 10_000
"""Targets that are kept in mind: whoever may ask could name any number of them."""
_MOST_SHOWN: Final = 1_000
"""Targets that have a series, or a row of the page, of their own."""
OTHERS: Final = "other"
"""Target under which the rest is summed up."""


@dataclass(slots=True)
class _Known:
    """State that is kept of one target and module."""

    jar: Jar = field(default_factory=Jar)
    probes: int = 0
    first_at: float = 0.0
    started: int = 0
    """Sessions that its probes started."""
    warned: bool = False
    success: bool = False
    """Of the last probe."""
    reason: str = ""
    lock: Lock = field(default_factory=Lock)


class ProbeSite:
    """Answers ``/probe``.

    Parameters
    ----------
    config
        ``blackbox.yml``; None: one module, ``http_2xx``.
    policies
        By module: ``reuse`` (where a module is not named), ``forbid`` or ``observe``.
    delegate
        Address of a blackbox exporter that is asked for modules which are not known, or cannot be served, here; None: they are
        refused.
    warn
        Is told, once for each target, that its answers start sessions.
    stores
        Name and address of the stores that may be looked into while a target is probed.

    Raises
    ------
    NecropsyError
        The configuration cannot be read or is wrong, or the delegate's address is none.
    """

    def __init__(
        self,
        config: Path | None,
        policies: Mapping[str, str],
        delegate: str | None,
        warn: Callable[[str], None],
        stores: Sequence[tuple[str, Address]] = (),
    ) -> None:
        self._config = config
        self._policies = dict(policies)
        if delegate and not is_url(delegate):
            raise UsageError("--delegate is no http or https address", hint="Write --delegate http://HOST:PORT.")
        self._delegate = delegate.rstrip("/") if delegate else None
        self._warn = warn
        self.births = ProbedBirths(stores, warn)
        """Knows in which stores a target's probes start sessions."""
        self._known: dict[tuple[str, str], _Known] = {}
        self._lock = Lock()
        self._unknown_modules = 0
        self._tokens = Tokens()
        self._reloaded_at = 0.0
        self._reload_succeeded = True
        self.modules: dict[str, HttpModule] = {}
        self.reload()

    def reload(self) -> None:
        """Read the configuration again; with an error the one before stays in use.

        Raises
        ------
        NecropsyError
            It cannot be read, or is wrong: file, line, what was expected.
        """
        self._reload_succeeded = False
        modules = self._read()
        unknown = sorted(set(self._policies) - set(modules))
        if unknown:
            raise NecropsyError(
                f"--session names no such module: {', '.join(unknown)}", hint=f"Known: {', '.join(modules)}."
            )
        self.modules, self._reload_succeeded, self._reloaded_at = modules, True, time.time()

    def take_over(self, other: ProbeSite) -> None:
        """Go on with the cookies and counts of another: a reload starts no session anew."""
        with self._lock, other._lock:
            self._known = other._known

    def close(self) -> None:
        """Hang up on the stores."""
        self.births.stop()

    def _read(self) -> dict[str, HttpModule]:
        if self._config is None:
            return {DEFAULT_MODULE: HttpModule(DEFAULT_MODULE)}
        try:
            text = self._config.read_text(encoding="utf-8")
            return read_modules(text, str(self._config), delegates=self._delegate is not None)
        except (OSError, UnicodeDecodeError) as error:
            missing = isinstance(error, FileNotFoundError)
            reason = "no such file" if missing else f"cannot be read: {getattr(error, 'strerror', None) or 'not text'}"
            hint = "Give a blackbox.yml; without --config the only module is http_2xx."
            raise NecropsyError(f"{self._config}: {reason}", hint=hint) from error

    def routes(self) -> dict[str, Route]:
        """Return the routes of the site."""
        return {
            "/probe": self._probe,
            "/metrics": self._metrics,
            "/-/healthy": lambda _: Response("Healthy\n"),
            "/-/ready": lambda _: Response("Ready\n"),
        }

    def _probe(self, request: Request) -> Response:
        name = request.query.get("module") or DEFAULT_MODULE
        module = self.modules.get(name)
        if module is None:
            if self._delegate is not None:
                return self._delegated(request)
            self._unknown_modules += 1
            return Response(f'Unknown module "{name}"\n', status=HTTPStatus.BAD_REQUEST)
        target = request.query.get("target", "")
        if not target:
            return Response("Target parameter is missing\n", status=HTTPStatus.BAD_REQUEST)
        if hostname := request.query.get("hostname", ""):
            given = next((value for key, value in module.headers.items() if key.lower() == "host"), hostname)
            if given != hostname:
                said = f"the module has the Host header {given}, and the parameter hostname says {hostname}\n"
                return Response(said, status=HTTPStatus.BAD_REQUEST)
            module = replace(module, headers={**module.headers, "Host": hostname})
        known = self._of(target, name)
        policy = self._policies.get(name, REUSE)
        jar = Jar() if policy == OBSERVE else known.jar
        within_s = seconds_allowed(request.headers.get(TIMEOUT_HEADER), module)
        with self.births.probing(target, name):
            window = self.births.open(target, name)
            result = probe(target, module, jar, policy, within_s, self._tokens)
            if window is not None:
                window.close(counts=not result.session_started)
        result.reason = reason_shown(result.reason, target)
        store, pattern = self.births.verdict(target, name)
        if store and not result.session_started:
            _blame(result, store, pattern, policy)
        self._note(target, name, known, policy, result)
        if request.query.get("debug") == "true":
            return Response(_debug(target, name, policy, result) + text_of(families(result)))
        return Response(text_of(families(result)), CONTENT_TYPE)

    def _of(self, target: str, module: str) -> _Known:
        with self._lock:
            known = self._known.pop((target, module), None) or _Known(first_at=time.time())
            self._known[target, module] = known  # at the end: the first is who was not asked for longest
            if len(self._known) > _MOST_KNOWN:
                del self._known[next(iter(self._known))]
            return known

    def _note(self, target: str, module: str, known: _Known, policy: str, result: Result) -> None:
        with known.lock:
            known.probes += 1
            known.success, known.reason = result.success, result.reason
            known.started += result.session_started
            repeated = known.probes > 1 and known.started > 1
            bare = bool(result.login) and not (result.session_started or result.set_cookies or known.jar.is_used)
            if known.warned or not (result.session_started or bare):
                return
            known.warned = policy != OBSERVE or repeated or bare  # observed: once more, when its rate is known
            each = (time.time() - known.first_at) / max(1, known.probes - 1)
        self._warn(
            warning(f"module {module} at {target_shown(target)}", module, policy, result, each if repeated else None)
        )

    def _delegated(self, request: Request) -> Response:
        """Hand a probe to a blackbox exporter."""
        query = urlencode([(name, value) for name, values in request.repeated.items() for value in values])
        asked = urllib.request.Request(f"{self._delegate}/probe?{query}")  # noqa: S310 -- an address that the user gave
        if TIMEOUT_HEADER in request.headers:
            asked.add_header(TIMEOUT_HEADER, request.headers[TIMEOUT_HEADER])
        try:
            with urllib.request.urlopen(asked, timeout=_LONGEST_S) as answer:  # noqa: S310 -- as above
                return Response(answer.read().decode("utf-8", "replace"), CONTENT_TYPE)
        except urllib.error.HTTPError as error:
            return Response(error.read().decode("utf-8", "replace"), status=error.code)
        except OSError as error:
            return Response(f"{masked(self._delegate or '')}: {error}\n", status=HTTPStatus.BAD_GATEWAY)

    def _metrics(self, _: Request) -> Response:
        return Response(text_of(self.families()), CONTENT_TYPE)

    def families(self) -> list[Family]:
        """Return what the prober says of itself."""
        started = [
            Sample((("module", module), ("target", target)), float(one.started))
            for (target, module), one in self._shown().items()
        ]
        rows = [
            ("blackbox_exporter_config_last_reload_successful", "gauge", "Whether the last reload succeeded.",
             [Sample((), float(self._reload_succeeded))]),
            ("blackbox_exporter_config_last_reload_success_timestamp_seconds", "gauge", "When it did, Unix time.",
             [Sample((), self._reloaded_at)]),
            ("blackbox_module_unknown_total", "counter", "Probes that named an unknown module.",
             [Sample((), float(self._unknown_modules))]),
            ("necropsy_build_info", "gauge", "The version of necropsy.", [Sample((("version", __version__),), 1.0)]),
            ("necropsy_probe_sessions_started_total", "counter", "Sessions that probes of a target started.", started),
        ]  # fmt: skip
        return [Family(name, kind, text, samples) for name, kind, text, samples in rows]

    def seen(self) -> list[tuple[str, str, bool, str, int, int]]:
        """Return of each target its name, module, whether the last probe succeeded, why not, probes, sessions started.

        Of very many targets the rest has one line for each module: a success where each of them was one.
        """
        return [
            (target, module, one.success, one.reason, one.probes, one.started)
            for (target, module), one in sorted(self._shown().items())
        ]

    def _shown(self) -> dict[tuple[str, str], _Known]:
        """Return what is known by target, as it may be shown, and module: those alike in that are one."""
        with self._lock:
            known = sorted(self._known.items(), key=lambda one: one[1].first_at)  # so that the same ones have a series
        shown: dict[tuple[str, str], _Known] = {}
        for (target, module), one in known:
            if not one.probes:
                continue
            key = (target_shown(target), module)
            if key not in shown and len(shown) >= _MOST_SHOWN:
                key = (OTHERS, module)
            before = shown.get(key, _Known(success=True))
            shown[key] = _Known(
                probes=before.probes + one.probes,
                started=before.started + one.started,
                success=before.success and one.success,
                reason=before.reason or one.reason,
            )
        return shown


def _blame(result: Result, store: str, pattern: str, policy: str) -> None:
    """Note that a store shows a session that no answer does."""
    result.session_started, result.sign, result.store = True, "store", f"store {store} gains a key like {pattern}"
    if policy == FORBID and result.success:
        result.success, result.reason = False, f"{result.store} with each probe: probe a health endpoint instead"


def seconds_allowed(header: str | None, module: HttpModule) -> float:
    """Return the seconds that a probe may take: the module's, or what Prometheus allows less half a second.

    >>> plain, quick = HttpModule("plain"), HttpModule("quick", 5.0)
    >>> seconds_allowed("10", plain), seconds_allowed("10", quick), seconds_allowed(None, plain)
    (9.5, 5.0, 120.0)
    """
    try:
        allowed = float(header) if header else _LONGEST_S + _RESERVE_S
    except ValueError:
        allowed = _LONGEST_S + _RESERVE_S
    left = max(0.1, allowed - _RESERVE_S)
    return min(left, module.timeout_s) if module.timeout_s else left


def _debug(target: str, module: str, policy: str, result: Result) -> str:
    lines = [
        f"# module {module}, target {target_shown(target)}, session: {policy}",
        f"# {'success' if result.success else f'failed: {result.reason}'} after {result.took_s:.3f} s",
        f"# address {result.address or 'unknown'}, {result.redirects} redirects, status {result.answer.status}",
        f"# cookies set: {result.set_cookies}; session started: {started(result)}",
    ]
    return "".join(f"{line}\n" for line in lines)
