"""Metrics of a server's certificate. Needs the package ``cryptography`` (extra ``guard``)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Certificate:
    """The parts of a certificate that become labels and times."""

    subject: str
    issuer: str
    serial_number: str
    """Hexadecimal, lower case, two digits a byte."""
    alternative_names: str
    """DNS names, joined by commas."""
    expires_at: float
    """Unix time."""


def read(der: bytes) -> Certificate:
    """Read a certificate."""
    from cryptography import x509

    certificate = x509.load_der_x509_certificate(der)
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names = extension.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        names = []
    return Certificate(
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        serial_number=certificate.serial_number.to_bytes((certificate.serial_number.bit_length() + 7) // 8).hex(),
        alternative_names=",".join(names),
        expires_at=certificate.not_valid_after_utc.timestamp(),
    )
