"""The metrics of a probe: those of blackbox under their names, and what it lacks: whether a session was started."""

from __future__ import annotations

from ipaddress import ip_address

from necropsy.guard.exposition import Family, Sample
from necropsy.guard.prober.answer import PHASES
from necropsy.guard.prober.result import Result

_NEVER = -62_135_596_800.0
"""Unix time of Go's zero time: what blackbox shows where a chain was not verified."""
_FNV_OFFSET, _FNV_PRIME, _32_BITS = 2_166_136_261, 16_777_619, 0xFFFFFFFF


def families(result: Result) -> list[Family]:
    """Return every family of one probe."""
    answer = result.answer
    rows: list[tuple[str, str, float]] = [
        ("probe_success", "Whether the probe was a success.", float(result.success)),
        ("probe_duration_seconds", "How long the probe took.", result.took_s),
        ("probe_http_status_code", "Status of the last answer; 0: none.", float(answer.status)),
        ("probe_http_redirects", "How many redirects were followed.", float(result.redirects)),
        ("probe_http_version", "HTTP version of the last answer; 0: none.", answer.version),
        ("probe_http_ssl", "Whether the last response came over TLS.", float(result.ssl)),
        ("probe_failed_due_to_regex", "Whether a regular expression made it fail.", float(result.failed_by_regexp)),
        ("probe_http_content_length", "Length of the body as the server said; -1: unknown.",
         float(answer.content_length if answer.status else 0)),
        ("probe_http_uncompressed_body_length", "Length of the body after unpacking.", float(result.uncompressed_length)),
        ("probe_http_set_cookies", "Cookies that the answers set.", float(result.set_cookies)),
        ("probe_http_session_started", "Whether an answer, or a store, showed that the probe started a session.",
         float(result.session_started)),
        ("probe_http_redirected_to_login", "Whether an answer redirected to a login.", float(bool(result.login))),
    ]  # fmt: skip
    if result.lookup_s is not None:
        rows += [
            ("probe_dns_lookup_time_seconds", "How long the first name took to resolve.", result.lookup_s),
            ("probe_ip_protocol", "IP protocol: 4 or 6; 0: nothing was resolved.", float(result.protocol)),
            ("probe_ip_addr_hash", "FNV-1a hash of the address: changes with it.",
             float(address_hash(result.address)) if result.address else 0.0),
        ]  # fmt: skip
    if result.failed_by_cel is not None:
        rows.append(("probe_failed_due_to_cel", "Whether a CEL expression made it fail.", float(result.failed_by_cel)))
    if result.last_modified is not None:
        rows.append(("probe_http_last_modified_timestamp_seconds", "Last-Modified as Unix time.", result.last_modified))
    made = [Family(name, "gauge", text, [Sample((), value)]) for name, text, value in rows]
    phases = [Sample((("phase", phase),), result.seconds[phase]) for phase in PHASES]
    made.append(Family("probe_http_duration_seconds", "gauge", "Time by phase, summed over redirects.", phases))
    return made + _tls(result)


def _tls(result: Result) -> list[Family]:
    answer = result.answer
    if not answer.certificates:
        return []
    import hashlib

    from necropsy.guard.prober.certificate import read

    own, *others = [read(certificate) for certificate in answer.certificates]
    earliest = min(one.expires_at for one in (own, *others))
    verified = min((read(certificate).expires_at for certificate in answer.verified), default=_NEVER)
    chain = (
        ("fingerprint_sha256", hashlib.sha256(answer.certificates[0]).hexdigest()),
        ("issuer", own.issuer),
        ("serialnumber", own.serial_number),
        ("subject", own.subject),
        ("subjectalternative", own.alternative_names),
    )
    return [
        Family("probe_ssl_earliest_cert_expiry", "gauge", "Earliest expiry of the certificates sent, Unix time.",
               [Sample((), earliest)]),
        Family("probe_ssl_last_chain_expiry_timestamp_seconds", "gauge", "Expiry of the verified chain, Unix time.",
               [Sample((), verified)]),
        Family("probe_ssl_last_chain_info", "gauge", "The certificate.", [Sample(chain, 1.0)]),
        Family("probe_tls_version_info", "gauge", "TLS version.", [Sample((("version", answer.tls_version),), 1.0)]),
        Family("probe_tls_cipher_info", "gauge", "Cipher.", [Sample((("cipher", answer.tls_cipher),), 1.0)]),
    ]  # fmt: skip


def address_hash(address: str) -> int:
    """Return the 32-bit FNV-1a hash of an address, as blackbox does.

    >>> address_hash("127.0.0.1")
    3668918509
    """
    value = _FNV_OFFSET
    for byte in ip_address(address).packed:
        value = ((value ^ byte) * _FNV_PRIME) & _32_BITS
    return value
