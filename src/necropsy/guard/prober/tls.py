"""TLS as a module configures it, with the habits of Go: names of the certificate's list alone, TLS 1.2 at least."""

from __future__ import annotations

import os
import ssl
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from necropsy.guard.prober.module import TlsConfig

TLS_VERSIONS: Final = {
    "TLS10": ssl.TLSVersion.TLSv1,
    "TLS11": ssl.TLSVersion.TLSv1_1,
    "TLS12": ssl.TLSVersion.TLSv1_2,
    "TLS13": ssl.TLSVersion.TLSv1_3,
}


def tls_context(tls: TlsConfig, *, http2: bool) -> ssl.SSLContext:
    """Return the settings of a connection.

    Raises
    ------
    OSError
        A certificate or key cannot be read or used.
    """
    context = ssl.create_default_context(cafile=tls.ca_file, cadata=tls.ca or None)
    context.hostname_checks_common_name = False
    context.verify_flags &= ~getattr(ssl, "VERIFY_X509_STRICT", 0)
    if tls.insecure_skip_verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    context.minimum_version = TLS_VERSIONS.get(tls.min_version, ssl.TLSVersion.TLSv1_2)
    if tls.max_version:
        context.maximum_version = TLS_VERSIONS[tls.max_version]
    if tls.cert_file or tls.cert:
        _present(context, tls)
    context.set_alpn_protocols(["h2", "http/1.1"] if http2 and speaks_http2() else ["http/1.1"])
    return context


def _present(context: ssl.SSLContext, tls: TlsConfig) -> None:
    """Load the client's certificate; the library takes files alone, so what stands in the configuration is one for a moment."""
    if tls.cert_file and tls.key_file:
        context.load_cert_chain(tls.cert_file, tls.key_file)
        return
    certificate, key = (
        Path(file).read_text(encoding="ascii") if file else text
        for file, text in ((tls.cert_file, tls.cert), (tls.key_file, tls.key))
    )
    handle, name = tempfile.mkstemp(prefix="necropsy-", suffix=".pem")  # readable by this user alone
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(f"{certificate}\n{key}\n")
        context.load_cert_chain(name)
    finally:
        Path(name).unlink()


def speaks_http2() -> bool:
    """Whether the package for HTTP/2 is installed."""
    return find_spec("h2") is not None
