"""Prometheus' access to a guard: address, certificate and credentials, as ``listen`` and ``web-config`` say."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from necropsy.guard.web import WebConfig
from necropsy.model.errors import UsageError

CERTIFICATE: Final = "guard.crt"
"""The guard's certificate, beside Prometheus' configuration: what it names is trusted without an authority."""
PASSWORD: Final = "guard.password"  # noqa: S105 -- the name of a file
_EVERYWHERE: Final = ("", "0.0.0.0", "[::]")  # noqa: S104 -- what a configuration may say


def reached_at(listen: str, hosts: Sequence[str]) -> str:
    """Return host and port at which a guard is reached: who listens on all addresses has one by name, or is on this machine.

    >>> reached_at("10.0.0.1:9120", []), reached_at(":9120", []), reached_at("0.0.0.0:9120", ["guard.example"])
    ('10.0.0.1:9120', '127.0.0.1:9120', 'guard.example:9120')
    """
    host, _, port = listen.rpartition(":")
    if host in _EVERYWHERE:
        host = hosts[0] if hosts else "127.0.0.1"
    return f"{host}:{port}"


def settings(web: WebConfig) -> dict[str, Any]:
    """Return what each scrape job needs beside its targets; a password is a file, of which nothing is read."""
    said: dict[str, Any] = {}
    if web.cert_file:
        said |= {"scheme": "https", "tls_config": {"ca_file": CERTIFICATE}}
    if web.users:
        said["basic_auth"] = {"username": next(iter(web.users)), "password_file": PASSWORD}
    return said


def files(web: WebConfig) -> dict[str, str]:
    """Return the files that ``settings`` names and that can be written: the certificate, which is public.

    Raises
    ------
    UsageError
        It cannot be read.
    """
    if not web.cert_file:
        return {}
    try:
        return {CERTIFICATE: Path(web.cert_file).read_text(encoding="ascii")}
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not PEM"
        raise UsageError(f"{web.cert_file}: cannot be read: {reason}", hint="It is cert_file of web-config.") from error


def left_to_do(web: WebConfig, folder: Path, host: str) -> Iterator[str]:
    """Yield what only the user can do.

    Parameters
    ----------
    host
        Name or address under which Prometheus asks for the guard.
    """
    if web.users:
        yield f"the password of {next(iter(web.users))} goes into {folder / PASSWORD}"
    if web.cert_file:
        yield f"the guard's certificate must be valid for {host}"
    if web.client_ca_file:
        yield "the guard asks for a client's certificate: add cert_file and key_file to tls_config"
