"""Checks of each kind of service discovery of Prometheus (discovery/*/*.go, ``UnmarshalYAML``), up to 3.14."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from necropsy.probes.prometheus import schema_checks
from necropsy.probes.prometheus.validity.http_client import CLIENT_FIELDS, check_client
from necropsy.probes.prometheus.validity.kubernetes import check_kubernetes
from necropsy.probes.prometheus.validity.section import (
    Check,
    Section,
    address,
    at_most_one,
    choice,
    exactly_one,
    fields,
    required,
)
from necropsy.probes.syntax.node import Node

_HTTP: Final = ("http", "https")
_NO_CLIENT: Final = frozenset(("dns", "file", "gce", "nerve", "openstack", "ovhcloud", "serverset", "triton"))
"""Kinds without the settings of an HTTP client."""
_HTTP_FIELDS: Final = CLIENT_FIELDS | {"url", "refresh_interval"}
_DNS_FIELDS: Final = frozenset(("names", "refresh_interval", "type", "port"))
_CONSUL_FIELDS: Final = CLIENT_FIELDS | {
    "server",
    "path_prefix",
    "token",
    "datacenter",
    "namespace",
    "partition",
    "tag_separator",
    "scheme",
    "username",
    "password",
    "allow_stale",
    "refresh_interval",
    "services",
    "tags",
    "node_meta",
    "filter",
    "health_filter",
}


def _azure(section: Section) -> None:
    required("subscription_id")(section)
    method = section.text("authentication_method", "OAuth")
    if method == "OAuth":
        for name in ("tenant_id", "client_id", "client_secret"):
            required(name)(section)
    choice("authentication_method", ("OAuth", "ManagedIdentity", "SDK", "WorkloadIdentity"), "OAuth")(section)


def _consul(section: Section) -> None:
    if section.node.get("server") is not None:
        required("server", "the server's address")(section)
    if section.has("token"):
        at_most_one("token", "authorization", "oauth2")(section)
    if section.written("basic_auth"):
        at_most_one("username", "basic_auth")(section)
        at_most_one("password", "basic_auth")(section)
    for name in ("services", "tags"):
        schema_checks.texts(section.node.get(name))


def _dns(section: Section) -> None:
    required("names", "a name to ask for")(section)
    kind = section.text("type", "SRV").upper()
    if kind not in ("SRV", "A", "AAAA", "MX", "NS"):
        section.refuse("type", f"unknown type {kind} of DNS records", "Write SRV, A, AAAA, MX or NS.")
    port = section.node.get("port")
    if kind != "SRV" and (port is None or schema_checks.integer(port) == 0):
        section.refuse("port", f"a port is needed for {kind} records", "Add port.")


def _ec2(section: Section) -> None:
    for entry in schema_checks.sequence(section.node.get("filters")):
        if not Section(entry, "filter").has("values"):
            raise entry.error(f"{section.what}: a filter without values", hint="Add values: [...].")


def _marathon(section: Section) -> None:
    required("servers", "a server")(section)
    at_most_one("auth_token", "auth_token_file")(section)
    own = next((name for name in ("auth_token", "auth_token_file") if section.has(name)), None)
    if own:
        for other in ("basic_auth", "bearer_token", "bearer_token_file", "authorization"):
            at_most_one(own, other)(section)


def _oci(section: Section) -> None:
    required("region")(section)
    choice("auth", ("api_key", "instance_principal"), "api_key")(section)
    personal = ("tenancy", "user", "fingerprint", "key_file")
    if section.text("auth", "api_key") == "api_key":
        for name in personal:
            required(name)(section)
        at_most_one("key_passphrase", "key_passphrase_file")(section)
        return
    for name in (*personal, "key_passphrase", "key_passphrase_file"):
        if section.has(name):
            section.refuse(name, f"{name} cannot be combined with auth: instance_principal", "Remove this line.")


def _paths(section: Section) -> None:
    for path in schema_checks.sequence(section.node.get("paths")):
        if not path.text().startswith("/"):
            raise path.error(f"{section.what}: a path must begin with /", hint="Write the full path.")


def _stackit(section: Section) -> None:
    if not section.has("endpoint") and section.written("region") and not section.has("region"):
        section.refuse("region", "endpoint and region are missing", "Add region.")
    if section.has("endpoint"):
        address("endpoint", relative=True)(section)


_ZOOKEEPER: Final[tuple[Check, ...]] = (required("servers", "a server"), required("paths", "a path"), _paths)
CHECKS: Final[Mapping[str, tuple[Check, ...]]] = {
    "aws": (choice("role", ("ec2", "ecs", "elasticache", "lightsail", "msk", "rds")),),
    "azure": (_azure,),
    "consul": (fields(_CONSUL_FIELDS), _consul),
    "digitalocean": (choice("role", ("droplets", "databases"), "droplets"),),
    "dns": (fields(_DNS_FIELDS), _dns),
    "docker": (required("host"),),
    "dockerswarm": (required("host"), choice("role", ("services", "nodes", "tasks"))),
    "ec2": (_ec2,),
    "eureka": (required("server"), address("server")),
    "gce": (required("project"), required("zone")),
    "hetzner": (choice("role", ("robot", "hcloud")),),
    "http": (fields(_HTTP_FIELDS), required("url"), address("url", schemes=_HTTP)),
    "ionos": (required("datacenter_id"),),
    "kubernetes": (check_kubernetes,),
    "kuma": (required("server"), address("server")),
    "marathon": (_marathon,),
    "nerve": _ZOOKEEPER,
    "oci": (_oci,),
    "openstack": (
        choice("availability", ("public", "internal", "admin"), "public"),
        choice("role", ("instance", "hypervisor", "loadbalancer")),
        required("region"),
    ),
    "outscale": (required("region"), required("access_key"), exactly_one("secret_key", "secret_key_file")),
    "ovhcloud": (
        required("endpoint"),
        required("application_key"),
        required("application_secret"),
        required("consumer_key"),
        choice("service", ("dedicated_server", "vps")),
    ),
    "puppetdb": (required("url"), address("url", schemes=_HTTP), required("query")),
    "scaleway": (
        choice("role", ("instance", "baremetal")),
        required("project_id"),
        exactly_one("secret_key", "secret_key_file"),
        required("access_key"),
    ),
    "serverset": _ZOOKEEPER,
    "stackit": (_stackit,),
    "triton": (
        choice("role", ("container", "cn"), "container"),
        required("account"),
        required("dns_suffix"),
        required("endpoint"),
    ),
    "uyuni": (required("server"), address("server", relative=True), required("username"), required("password")),
}
"""Kind → what it refuses; kinds without an entry refuse only wrong settings of their HTTP client."""


def check_discovery(kind: str, node: Node) -> None:
    """Check one entry of ``<kind>_sd_configs``. Raises ``ConfigurationError`` where Prometheus would not load it."""
    if node.kind != "mapping":
        return
    schema_checks.unique(node)
    section = Section(node, f"{kind}_sd")
    schema_checks.duration(node.get("refresh_interval"))
    for check in CHECKS.get(kind, ()):
        check(section)
    if kind not in _NO_CLIENT:
        check_client(node, f"{kind}_sd")
