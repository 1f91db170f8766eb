r"""HAProxy: ``check`` of the servers of a backend (doc/configuration.txt, "option httpchk", "http-check send", "inter").

Sample::

    backend admin
        option httpchk GET /health HTTP/1.1\r\nHost:\ admin
        default-server inter 3s
        server a 10.0.0.1:8080 check
        server b 10.0.0.2:8080 check port 8081 backup

A check opens a connection of its own, follows no redirect, keeps no cookie, and sends no User-Agent unless told to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import Final

from necropsy.model.errors import ConfigurationError
from necropsy.model.evidence import Origin
from necropsy.probes.probers.haproxy_text import SECTIONS, WITH_VALUE, lines
from necropsy.probes.probers.interface import Prober, ProberReading, Schedule, add, harmless_probe, http_probe

_PROBED: Final = ("backend", "listen")
_DEFAULT_INTERVAL_S: Final = 2.0
_UNITS: Final = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "": 1e-3}
_OTHER_CHECKS: Final = tuple(f"{name}-check" for name in ("tcp", "mysql", "pgsql", "redis", "ldap", "spop", "external"))
_OTHER_OPTIONS: Final = (*_OTHER_CHECKS, "smtpchk", "ssl-hello-chk")


@dataclass(frozen=True, slots=True)
class _Settings:
    """Settings of a section for checks; backends begin with those of ``defaults``."""

    http: bool = False
    method: str = "OPTIONS"
    uri: str = "/"
    host: str = ""
    user_agent: str = ""
    other: str = ""
    default_server: tuple[str, ...] = ()
    line: int = 0


@dataclass(slots=True)
class _Section:
    kind: str = ""
    name: str = ""
    settings: _Settings = field(default_factory=_Settings)
    servers: list[tuple[int, list[str]]] = field(default_factory=list)


def read(text: str, file: str) -> ProberReading:
    """Read a configuration of HAProxy.

    Raises
    ------
    ConfigurationError
        A line stands before any section: this is no configuration of HAProxy.
    """
    found = ProberReading()
    defaults = _Settings()
    section = _Section()
    for line, words in lines(text):
        if words[0] in SECTIONS and not (words[0] == "cache" and section.kind in _PROBED):
            _finish(section, file, found)
            if section.kind == "defaults":
                defaults = section.settings
            start = defaults if words[0] in _PROBED else _Settings()
            section = _Section(words[0], words[1] if len(words) > 1 else "", start)
        elif not section.kind:
            raise ConfigurationError(
                file, line, f"{words[0]} before any section", hint="Check that this is a HAProxy configuration."
            )
        elif words[0] == "server" and len(words) > 2:
            section.servers.append((line, words[1:]))
        else:
            section.settings = _setting(section.settings, words, line)
    _finish(section, file, found)
    return found


def _setting(settings: _Settings, words: list[str], line: int) -> _Settings:
    if words[:2] == ["option", "httpchk"]:
        return _httpchk(replace(settings, http=True, other="", host="", user_agent="", line=line), words[2:])
    if words[:3] == ["no", "option", "httpchk"]:
        return replace(settings, http=False)
    if words[0] == "option" and words[1:2] and words[1] in _OTHER_OPTIONS:
        return replace(settings, http=False, other=words[1], line=line)
    if words[:2] == ["http-check", "send"]:
        return _send(replace(settings, line=line), words[2:])
    if words[0] == "default-server":
        return replace(settings, default_server=(*settings.default_server, *words[1:]))
    return settings


def _httpchk(settings: _Settings, words: list[str]) -> _Settings:
    """Apply ``option httpchk [method] [uri [version]]``; before 2.2 the version carried headers behind it."""
    method, uri = (words[0], words[1]) if len(words) > 1 else ("OPTIONS", words[0] if words else "/")
    settings = replace(settings, method=method, uri=uri)
    for header in words[2].split("\r\n")[1:] if len(words) > 2 else ():
        name, _, value = header.partition(":")
        settings = _header(settings, name, value)
    return settings


def _send(settings: _Settings, words: list[str]) -> _Settings:
    """Apply ``http-check send meth GET uri /health hdr Host admin``."""
    pairs = iter(words)
    for name in pairs:
        value = next(pairs, "")
        if name == "meth":
            settings = replace(settings, method=value)
        elif name in ("uri", "uri-lf"):
            settings = replace(settings, uri=value)
        elif name == "hdr":
            settings = _header(settings, value, next(pairs, ""))
    return settings


def _header(settings: _Settings, name: str, value: str) -> _Settings:
    if name.strip().lower() == "host":
        return replace(settings, host=value.strip())
    if name.strip().lower() == "user-agent":
        return replace(settings, user_agent=value.strip())
    return settings


def _finish(section: _Section, file: str, found: ProberReading) -> None:
    if section.kind not in _PROBED:
        return
    for line, words in section.servers:
        options = _options([*section.settings.default_server, *words[2:]])
        if "check" not in options or "disabled" in options:
            continue
        _server(section, words[0], words[1], options, Origin(file, line, f"checks server {words[0]}"), found)


def _options(words: list[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    rest = iter(words)
    for word in rest:
        if word.startswith("no-"):
            options.pop(word[3:], None)
        elif word == "enabled":
            options.pop("disabled", None)
        else:
            options[word] = next(rest, "") if word in WITH_VALUE else ""
    return options


def _server(
    section: _Section, name: str, where: str, options: dict[str, str], origin: Origin, found: ProberReading
) -> None:
    settings = section.settings
    prober = f"haproxy/{section.name}"
    schedule = Schedule(_seconds(options.get("inter", "")) or _DEFAULT_INTERVAL_S, "ticker")
    host, port = _place(where)
    host, port = options.get("addr", host), options.get("port", port)
    chain = (
        (Origin(file=origin.file, line=settings.line, what="defines the request"), origin)
        if settings.line
        else (origin,)
    )
    instance = f"{section.name}/{name}"
    if not settings.http:
        because = (
            f"{settings.other} is no HTTP request" if settings.other else "opens a TCP connection, sends no request"
        )
        found.probes.append(
            harmless_probe(
                prober,
                "haproxy-check",
                f"{host}:{port or 0}",
                schedule,
                chain,
                because,
                service=section.name,
                instance=instance,
            )
        )
        return
    secure = "check-ssl" in options or ("ssl" in options and "port" not in options and "addr" not in options)
    probe = http_probe(
        prober,
        "haproxy-httpchk",
        f"{'https' if secure else 'http'}://{host}{f':{port}' if port else ''}{settings.uri}",
        schedule,
        chain,
        method=settings.method,
        user_agents=(settings.user_agent,) if settings.user_agent else (),
        follows_redirects=False,
        host_header=settings.host,
        service=section.name,
        instance=instance,
    )
    add(found, probe, origin)


def _place(where: str) -> tuple[str, str]:
    """Split a server's address: ``10.0.0.1:8080``, ``[::1]:80``, ``ipv6@::1:80``, ``name``.

    >>> _place("10.0.0.1:8080"), _place("ipv6@::1:80"), _place("web")
    (('10.0.0.1', '8080'), ('[::1]', '80'), ('web', ''))
    """
    where = re.sub(r"^[a-z0-9]+@", "", where)
    host, colon, port = where.rpartition(":")
    if not colon:
        return where, ""
    host = host.strip("[]")
    return (f"[{host}]" if ":" in host else host), port.lstrip("+")


def _seconds(text: str) -> float:
    """Read a duration: milliseconds unless it has a unit.

    >>> _seconds("3s"), _seconds("2000")
    (3.0, 2.0)
    """
    match = re.fullmatch(r"(\d+)(us|ms|s|m|h|d|)", text)
    return int(match[1]) * _UNITS[match[2]] if match else 0.0


PROBER: Final = Prober("haproxy", "HAProxy", read)
