"""Checks of ``kubernetes_sd_configs`` (discovery/kubernetes/kubernetes.go, ``SDConfig.UnmarshalYAML``)."""

from __future__ import annotations

import re
from typing import Final

from necropsy.probes.prometheus import schema_checks
from necropsy.probes.prometheus.validity.http_client import CLIENT_FIELDS, check_client
from necropsy.probes.prometheus.validity.section import Section, choice, fields

_SELECTORS: Final = {
    "pod": ("pod", "node"),
    "service": ("service",),
    "endpoints": ("pod", "service", "endpoints"),
    "endpointslice": ("pod", "service", "endpointslice"),
    "node": ("node",),
    "ingress": ("ingress",),
}
"""Role → roles that its selectors may have."""
_OWN: Final = frozenset(("api_server", "role", "kubeconfig_file", "namespaces", "selectors", "attach_metadata"))
_NAMESPACES: Final = fields(frozenset(("own_namespace", "names")))
_METADATA: Final = fields(frozenset(("node", "namespace")))
_SELECTOR: Final = fields(frozenset(("role", "label", "field")))
_DEFAULTS: Final = frozenset(("follow_redirects", "enable_http2"))
"""Settings of the client whose default, written out, changes nothing."""
_FIELD_TERM: Final = re.compile(r"[^=!,]+(?:==?|!=)[^=!,]*")
_LABEL_NAME: Final = r"(?:[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?/)?[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?"
_LABEL_VALUE: Final = r"(?:[A-Za-z0-9](?:[A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?)?"
_LABEL_TERM: Final = re.compile(
    rf"!?\s*{_LABEL_NAME}|{_LABEL_NAME}\s*(?:==?|!=)\s*{_LABEL_VALUE}|{_LABEL_NAME}\s*[<>]\s*-?\d+"
    rf"|{_LABEL_NAME}\s+(?:in|notin)\s*\((?!\s*\))\s*{_LABEL_VALUE}(?:\s*,\s*{_LABEL_VALUE})*\s*\)"
)
"""One requirement of a selector of labels (k8s.io/apimachinery, labels.Parse)."""
_BETWEEN_TERMS: Final = re.compile(r",(?![^()]*\))")


def check_kubernetes(section: Section) -> None:
    """Check one entry. Raises ``ConfigurationError`` where Prometheus would not load it."""
    fields(_OWN | CLIENT_FIELDS)(section)
    choice("role", tuple(_SELECTORS))(section)
    namespaces = section.part("namespaces")
    _NAMESPACES(namespaces)
    _METADATA(section.part("attach_metadata"))
    check_client(section.node, section.what)
    own = schema_checks.boolean(namespaces.node.get("own_namespace"), False)
    server, file = section.has("api_server"), section.has("kubeconfig_file")
    custom = next((name for name in sorted(CLIENT_FIELDS) if section.written(name) and not _default(section, name)), "")
    if server and file:
        section.refuse("kubeconfig_file", "kubeconfig_file cannot be combined with api_server", "Keep one of the two.")
    if file and custom:
        section.refuse(custom, f"{custom} cannot be combined with kubeconfig_file", "Keep one of the two.")
    if custom and not server:
        section.refuse(custom, f"{custom} needs api_server", "Write api_server: https://host.")
    if own and (server or file):
        other = "api_server" if server else "kubeconfig_file"
        namespaces.refuse("own_namespace", f"own_namespace cannot be combined with {other}", "Keep one of the two.")
    _check_selectors(section)


def _default(section: Section, name: str) -> bool:
    return name in _DEFAULTS and schema_checks.boolean(section.node.get(name), True)


def _check_selectors(section: Section) -> None:
    role = section.text("role")
    seen: set[str] = set()
    for element in schema_checks.sequence(section.node.get("selectors")):
        selector = Section(element, "selector")
        _SELECTOR(selector)
        chosen = selector.text("role")
        if chosen in seen:
            selector.refuse("role", f"a second selector for the role {chosen}", "Join the two.")
        seen.add(chosen)
        if chosen not in _SELECTORS[role]:
            reason = f"the role {role} takes selectors for {', '.join(_SELECTORS[role])} only"
            selector.refuse("role", reason, "Remove this selector.")
        for term in _BETWEEN_TERMS.split(selector.text("label")) if selector.text("label").strip() else ():
            if not _LABEL_TERM.fullmatch(term.strip()):
                selector.refuse("label", f'"{term.strip()}" is not a selector of labels', "Write label=value.")
        for term in filter(None, (part.strip() for part in selector.text("field").split(","))):
            if not _FIELD_TERM.fullmatch(term):
                selector.refuse("field", f'"{term}" is not a selector of fields', "Write field=value.")
