"""Values that the blackbox exporter refuses in a module, beyond unknown fields (config/config.go, up to July 2026)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from necropsy.model.errors import ConfigurationError
from necropsy.probes.prometheus import schema_checks
from necropsy.probes.prometheus.blackbox.version import Version, refuses_unknown_probers
from necropsy.probes.prometheus.regexp import Regexp, RegexpRefused
from necropsy.probes.prometheus.validity.http_client import check_client, check_tls
from necropsy.probes.prometheus.validity.section import Section, at_most_one
from necropsy.probes.prometheus.validity.values import check_size
from necropsy.probes.syntax.node import Node

PROBERS: Final = ("http", "tcp", "icmp", "dns", "grpc", "unix", "websocket")
_PROTOCOL: Final = frozenset(("preferred_ip_protocol", "ip_protocol_fallback"))
_FIELDS: Final[Mapping[str, frozenset[str]]] = {
    "tcp": _PROTOCOL | {"source_ip_address", "query_response", "tls", "tls_config"},
    "unix": frozenset(("query_response", "tls", "tls_config")),
    "icmp": _PROTOCOL | {"source_ip_address", "payload_size", "dont_fragment", "ttl"},
    "grpc": _PROTOCOL | {"service", "tls", "tls_config", "metadata"},
    "websocket": _PROTOCOL | {"http_config", "headers", "query_response"},
    "dns": _PROTOCOL
    | {
        "dns_over_tls",
        "tls_config",
        "source_ip_address",
        "transport_protocol",
        "query_class",
        "query_name",
        "query_type",
        "recursion_desired",
        "valid_rcodes",
        "validate_answer_rrs",
        "validate_authority_rrs",
        "validate_additional_rrs",
    },
}
"""Fields of each prober but ``http``."""
_RECORDS: Final = frozenset(
    f"fail_if_{name}_regexp" for name in ("matches", "all_match", "not_matches", "none_matches")
)
_EXCHANGE: Final = frozenset(("expect", "expect_bytes", "labels", "send", "starttls"))
_HEADER: Final = frozenset(("header", "regexp", "allow_missing"))
_CLASSES: Final = ("IN", "CS", "CH", "HS", "NONE", "ANY")
_TYPES: Final = frozenset((
    "A", "AAAA", "AFSDB", "AMTRELAY", "ANY", "APL", "ATMA", "AVC", "AXFR", "CAA", "CDNSKEY", "CDS", "CERT", "CNAME",
    "CSYNC", "DHCID", "DLV", "DNAME", "DNSKEY", "DS", "EID", "EUI48", "EUI64", "GID", "GPOS", "HINFO", "HIP", "HTTPS",
    "IPSECKEY", "ISDN", "IXFR", "KEY", "KX", "L32", "L64", "LOC", "LP", "MAILA", "MAILB", "MB", "MD", "MF", "MG",
    "MINFO", "MR", "MX", "NAPTR", "NID", "NIMLOC", "NINFO", "NS", "NSEC", "NSEC3", "NSEC3PARAM", "NULL", "NXNAME",
    "NXT", "OPENPGPKEY", "OPT", "PTR", "PX", "RESINFO", "RKEY", "RP", "RRSIG", "RT", "SIG", "SMIMEA", "SOA", "SPF",
    "SRV", "SSHFP", "SVCB", "TA", "TALINK", "TKEY", "TLSA", "TSIG", "TXT", "UID", "UINFO", "UNSPEC", "URI", "X25",
    "ZONEMD", "NSAP-PTR",
))  # fmt: skip
"""Types of records that have a name (IANA), as the exporter's library knows them."""
_DURATION: Final = re.compile(r"[-+]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)")


def check_module(
    node: Node, fields: Mapping[str, Node], version: Version | None = None
) -> Iterator[ConfigurationError]:
    """Yield what is wrong with a module, each fault at its line.

    Parameters
    ----------
    node
        The module.
    fields
        Its known fields.
    version
        Version of the exporter; None: the newest.
    """
    for check in (_timeout, _http, *(_other(kind) for kind in _FIELDS)):
        try:
            check(fields)
        except ConfigurationError as error:
            yield error
    unknown = _prober(node, fields.get("prober")) if refuses_unknown_probers(version) else None
    if unknown is not None:
        yield unknown


def _timeout(fields: Mapping[str, Node]) -> None:
    node = fields.get("timeout")
    text = schema_checks.text(node, "")
    if node is not None and text and not _DURATION.fullmatch(text) and not text.lstrip("-").isdigit():
        raise node.error(f"timeout {text} is not a duration", hint="Write it as 5s or 500ms.")


def _prober(module: Node, written: Node | None) -> ConfigurationError | None:
    name = schema_checks.text(written, "")
    if name in PROBERS:
        return None
    hint = f"Write one of: {', '.join(PROBERS)}."
    return (written or module).error(f'unknown prober "{name}"' if name else "prober is missing", hint=hint)


def _http(fields: Mapping[str, Node]) -> None:
    node = fields.get("http")
    if node is None or node.kind != "mapping":
        return
    section = Section(node, "http")
    check_client(node, "http")
    at_most_one("body", "body_file")(section)
    check_size(node.get("body_size_limit"))
    for end in ("matches", "not_matches"):
        for element in schema_checks.sequence(node.get(f"fail_if_body_{end}_regexp")):
            _regexp(element)
        for element in schema_checks.sequence(node.get(f"fail_if_header_{end}")):
            _header(element)
    _encoding(section)
    _versions(section)


def _regexp(node: Node) -> None:
    try:
        Regexp(schema_checks.text(node, ""))
    except RegexpRefused as error:
        raise node.error(f"regular expression refused: {error}", hint="Correct the expression.") from None


def _header(node: Node) -> None:
    section = Section(node, "a header matcher")
    schema_checks.mapping(node, section.what, _HEADER)
    for name in ("header", "regexp"):
        if not section.has(name):
            section.refuse(name, f"{name} is missing", f"Add {name}.")
    expression = node.get("regexp")
    if expression is not None:
        _regexp(expression)


def _encoding(section: Section) -> None:
    """Refuse a header ``Accept-Encoding`` that does not allow the compression that is expected."""
    compression = section.text("compression")
    for key, value in section.part("headers").node.entries():
        accepted = value.text()
        if key.text().lower() == "accept-encoding" and compression and accepted and not _accepts(compression, accepted):
            reason = f"{key.text()}: {accepted} does not allow the compression {compression} that is expected"
            raise key.error(reason, hint="Remove one of the two.")


def _accepts(compression: str, accepted: str) -> bool:
    """Whether the best of the accepted encodings that is the expected one, or any, has a weight."""
    weights: list[tuple[float, str]] = []
    for part in accepted.split(","):
        name, semicolon, weight = part.rpartition(";")
        number = weight.strip().removeprefix("q=")
        right = re.fullmatch(r"\d+(\.\d*)?|\.\d+", number, re.ASCII)
        weights.append(((float(number) if right else 0.0), name.strip()) if semicolon else (1.0, part.strip()))
    best = sorted(weights, key=lambda pair: -pair[0])
    return next((weight > 0 for weight, name in best if name in (compression, "*")), False)


def _versions(section: Section) -> None:
    versions = section.node.get("valid_http_versions")
    listed = schema_checks.texts(versions)
    if not schema_checks.boolean(section.node.get("enable_http3"), False):
        if "HTTP/3.0" in listed:
            section.refuse("valid_http_versions", "HTTP/3.0 needs enable_http3: true", "Add enable_http3: true.")
        return
    if any(version in listed for version in ("HTTP/1.1", "HTTP/2.0")):
        reason = "with enable_http3 only HTTP/3.0 can be valid"
        section.refuse("valid_http_versions", reason, "Write valid_http_versions: [HTTP/3.0].")
    if schema_checks.boolean(section.node.get("enable_http2"), True):
        name = "enable_http2" if section.written("enable_http2") else "enable_http3"
        section.refuse(name, "with enable_http3, enable_http2 must be false", "Write enable_http2: false.")


def _other(kind: str) -> Callable[[Mapping[str, Node]], None]:
    """Return the check of a prober other than http."""

    def check(fields: Mapping[str, Node]) -> None:
        node = fields.get(kind)
        if node is None or node.kind != "mapping":
            return
        schema_checks.mapping(node, kind, _FIELDS[kind])
        section = Section(node, kind)
        check_tls(section)
        for exchange in schema_checks.sequence(node.get("query_response")):
            _exchange(exchange)
        if kind == "icmp":
            _icmp(section)
        elif kind == "dns":
            _dns(section)
        elif kind == "websocket" and section.written("http_config"):
            check_client(section.part("http_config").node, "http_config")

    return check


def _exchange(node: Node) -> None:
    schema_checks.mapping(node, "query_response", _EXCHANGE)
    at_most_one("expect", "expect_bytes")(Section(node, "query_response"))
    expression = node.get("expect")
    if expression is not None:
        _regexp(expression)


def _icmp(section: Section) -> None:
    node = section.node.get("ttl")
    if node is not None and node.kind != "null" and not 0 <= schema_checks.integer(node) <= 255:
        section.refuse("ttl", f"ttl {node.text()} is not between 0 and 255", "Write a number up to 255.")


def _dns(section: Section) -> None:
    if not section.has("query_name"):
        section.refuse("query_name", "query_name is missing", "Add query_name: the name to ask for.")
    if section.has("query_class") and section.text("query_class") not in _CLASSES:
        section.refuse("query_class", f"unknown class {section.text('query_class')}", "Write IN.")
    kind = section.text("query_type")
    if kind and kind not in _TYPES and not re.fullmatch(r"NSAP(-PTR)?", kind):
        section.refuse("query_type", f"unknown type {kind} of records", "Write A, AAAA, MX, SOA …")
    for part in ("answer", "authority", "additional"):
        name = f"validate_{part}_rrs"
        schema_checks.mapping(section.part(name).node, name, _RECORDS)
