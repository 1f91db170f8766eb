"""Addresses of servers: ``redis://``, ``rediss://`` and ``unix://``, with their options and the password.

::

    redis://[user[:password]@]host[:6379][/db]      TCP
    rediss://…                                      TLS
    unix:///run/redis.sock?db=1                     a socket

    ?db=1                    database, where the path cannot say it
    &password_file=FILE      the first line of it
    &master=NAME             which of a Sentinel's masters
    &from=replicas           read replicas, not primaries
    &ssl_ca_certs=FILE       who may vouch for the server
    &ssl_certfile=FILE       client certificate …
    &ssl_keyfile=FILE        … and its key
    &ssl_cert_reqs=none      believe any server; it will be said aloud
    &ssl_check_hostname=no   the certificate may name another host
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, unquote, urlsplit

from necropsy._internal.masking import masked_address
from necropsy.model.errors import NecropsyError, UnreadableSource, UsageError

SCHEMES: Final = ("redis", "rediss", "unix")
PASSWORD_VARIABLES: Final = ("NECROPSY_REDIS_PASSWORD", "REDISCLI_AUTH")
SENTINEL_PASSWORD_VARIABLE: Final = "NECROPSY_SENTINEL_PASSWORD"  # noqa: S105 -- the name of a variable
DEFAULT_PORT: Final = 6379
_OPTIONS: Final = (
    "db", "password_file", "master", "from",
    "ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_cert_reqs", "ssl_check_hostname",
)  # fmt: skip
_NO: Final = ("no", "false", "0", "none")


class Secret:
    """A password: shows itself to nobody who does not ask for it.

    >>> print(Secret("hunter2"), [Secret("hunter2")])
    *** [***]
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the password itself."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __reduce__(self) -> str:
        raise TypeError("a password is not written anywhere")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One listening socket: host and port, or the path of a Unix socket."""

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    path: str = ""

    @property
    def local(self) -> bool:
        """Whether it is a socket or a loopback address of this machine."""
        if self.path or self.host == "localhost":
            return True
        try:
            return ip_address(self.host).is_loopback
        except ValueError:  # a name
            return False

    def __str__(self) -> str:
        if self.path:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Tls:
    """TLS settings: certificates to trust, and a certificate of our own."""

    ca_certificates: str | None = None
    """File with the certificates of authorities; None: those of this machine."""
    certificate: str | None = None
    key: str | None = None
    verify: bool = True
    check_hostname: bool = True


@dataclass(frozen=True, slots=True)
class Address:
    """A server as a person named it."""

    endpoint: Endpoint
    db: int | None = None
    """None: all of its databases."""
    username: str | None = field(default=None, repr=False)
    password: Secret | None = None
    sentinel_password: Secret | None = None
    tls: Tls | None = None
    master: str | None = None
    """Name of a Sentinel's master."""
    replicas: bool = False
    """Read replicas where there are some."""
    read_again: Callable[[], Secret | None] | None = field(default=None, repr=False, compare=False)
    """Reads the password where it came from a file, which may have a new one since; None: it came from elsewhere."""

    @property
    def current_password(self) -> Secret | None:
        """The password as its file has it now; where it cannot be read, as it was read last."""
        if self.read_again is None:
            return self.password
        try:
            return self.read_again()
        except NecropsyError:
            return self.password

    @property
    def masked(self) -> str:
        """The address without user, password and options: fit for a report."""
        db = "" if self.db is None else str(self.db)
        if self.endpoint.path:
            return f"unix://{self.endpoint.path}" + (f"?db={db}" if db else "")
        return f"{'rediss' if self.tls else 'redis'}://{self.endpoint}" + (f"/{db}" if db else "")


def is_address(locator: str) -> bool:
    """Tell whether a locator is the address of a server.

    >>> is_address("rediss://cache:6380"), is_address("dump.rdb")
    (True, False)
    """
    return locator.partition("://")[0].lower() in SCHEMES and "://" in locator


def masked(locator: str) -> str:
    """Return a locator without what an address carries of users, passwords and options; anything else as it is.

    >>> masked("redis://me:hunter2@cache:6380/1?from=replicas"), masked("dump.rdb"), masked("REDIS://:a@b@c")
    ('redis://cache:6380/1', 'dump.rdb', 'redis://c')
    """
    if not is_address(locator):
        return locator
    scheme, _, rest = locator.partition("://")
    return masked_address(f"{scheme.lower()}://{rest}").partition("?")[0]


def parse_address(url: str, *, password: str | None = None, environ: Mapping[str, str] | None = None) -> Address:
    """Read an address.

    Parameters
    ----------
    password
        Goes before all other ways to say it: the address, its ``password_file``, ``NECROPSY_REDIS_PASSWORD``,
        ``REDISCLI_AUTH``, in this order.
    environ
        The environment; None: that of the process.

    Raises
    ------
    UsageError
        Not an address, or an option that is not known. The message holds nothing of the address but its scheme.
    UnreadableSource
        The password file cannot be read.

    >>> address = parse_address("redis://reader:hunter2@cache:6380/3", environ={})
    >>> address.masked, address
    ('redis://cache:6380/3', Address(endpoint=Endpoint(host='cache', port=6380, path=''), db=3, password=***, \
sentinel_password=None, tls=None, master=None, replicas=False))
    """
    environ = os.environ if environ is None else environ
    scheme = url.partition("://")[0].lower()
    if not is_address(url):
        raise UsageError(
            "not the address of a Redis server", hint="Write redis://HOST:PORT, rediss://HOST:PORT or unix:///SOCKET."
        )
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORT
        options = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        # The library's message may quote a piece of the password, so it is not passed on.
        raise UsageError(
            f"this {scheme}:// address cannot be read",
            hint="Characters such as / ? # @ in a password are written %2F %3F %23 %40; or use NECROPSY_REDIS_PASSWORD.",
        ) from None
    for name in options:
        if name not in _OPTIONS:
            raise UsageError(
                f"a {scheme}:// address has no option {name!r}", hint=f"It may have: {', '.join(_OPTIONS)}."
            )
    path = unquote(parts.path)
    endpoint = (
        Endpoint(host="", port=0, path=path) if scheme == "unix" else Endpoint(parts.hostname or "127.0.0.1", port)
    )
    if scheme == "unix" and not path:
        raise UsageError("a unix:// address without a path", hint="Write unix:///run/redis/redis.sock, three slashes.")
    file = options.get("password_file")
    from_file = bool(file) and not password and not parts.password
    return Address(
        endpoint=endpoint,
        db=_database(options.get("db") or ("" if scheme == "unix" else path.strip("/")), scheme),
        username=unquote(parts.username) if parts.username else None,
        password=_password(password, parts.password, file, environ),
        sentinel_password=_secret(environ.get(SENTINEL_PASSWORD_VARIABLE)),
        tls=_tls(options) if scheme == "rediss" else None,
        master=options.get("master"),
        replicas=_source(options.get("from", "primaries")),
        read_again=partial(_password, None, None, file, {}) if from_file else None,
    )


def _secret(text: str | None) -> Secret | None:
    return Secret(text) if text else None


def _password(given: str | None, quoted: str | None, file: str | None, environ: Mapping[str, str]) -> Secret | None:
    if given or quoted:
        return _secret(given or unquote(quoted or ""))
    if file:
        try:
            lines = Path(file).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not text"
            raise UnreadableSource(
                f"the password file {file} cannot be read: {reason}", hint="It holds the password in its first line."
            ) from error
        return _secret(lines[0] if lines else None)
    return next((Secret(environ[name]) for name in PASSWORD_VARIABLES if environ.get(name)), None)


def _database(text: str, scheme: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 9:
        raise UsageError(f"the database of this {scheme}:// address is not a number", hint="Write redis://HOST:PORT/0.")
    return int(text)


def _source(text: str) -> bool:
    if text not in {"primaries", "replicas"}:
        raise UsageError(f"from={text} is not known", hint="Write from=primaries or from=replicas.")
    return text == "replicas"


def _tls(options: Mapping[str, str]) -> Tls:
    return Tls(
        ca_certificates=options.get("ssl_ca_certs"),
        certificate=options.get("ssl_certfile"),
        key=options.get("ssl_keyfile"),
        verify=options.get("ssl_cert_reqs", "required").lower() not in _NO,
        check_hostname=options.get("ssl_check_hostname", "yes").lower() not in _NO,
    )
