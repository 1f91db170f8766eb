"""Filters of Consul, applied to known instances (hashicorp/go-bexpr, ``evaluate.go``).

Nobody may know everything about an instance: a definition file says neither its node's name nor its status. A comparison
with what is not known is itself unknown, which is three-valued logic: ``unknown and false`` is false.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from necropsy.probes.consul.expression import Expression, FilterRefused, Joined, Match, Not, parse
from necropsy.probes.consul.model import Check, ConsulNode, Instance
from necropsy.probes.prometheus.regexp import RegexpRefused, plain

__all__ = ["Filter", "FilterRefused", "compiled"]


class _Structure(dict[str, Any]):
    """Fields that Consul's own types have; any other name is refused, while a plain mapping may lack a key."""


_UNKNOWN: Final = object()


@dataclass(frozen=True, slots=True)
class Filter:
    """One compiled filter."""

    expression: Expression

    def of_catalog(self, instance: Instance) -> bool | None:
        """Whether ``/v1/catalog/services`` counts this instance; None when that is not known.

        Raises
        ------
        FilterRefused
            Consul refuses it for its types: an unknown selector, an operator that does not fit.
        """
        return _evaluate(self.expression, _catalog_entry(instance))

    def of_health(self, instance: Instance) -> bool | None:
        """Whether ``/v1/health/service/NAME`` answers this instance; otherwise as ``of_catalog``."""
        return _evaluate(self.expression, _health_entry(instance))


@lru_cache(maxsize=256)
def compiled(text: str) -> Filter:
    """Compile a filter. Raises ``FilterRefused``."""
    expression = parse(text)
    _check_patterns(expression)
    return Filter(expression)


def _check_patterns(expression: Expression) -> None:
    """Refuse bad regular expressions before anything is compared, as Consul does."""
    if isinstance(expression, Not):
        _check_patterns(expression.of)
    elif isinstance(expression, Joined):
        for part in expression.parts:
            _check_patterns(part)
    elif expression.operator == "matches":
        _matches("", expression.value)


# -- what is compared -----------------------------------------------------------------------------------------------


def _or_unknown(value: Any, known: object) -> Any:
    return value if known else _UNKNOWN


def _node(node: ConsulNode) -> tuple[Any, Any, Any, Any, Any]:
    """Return name, address, datacenter, meta and tagged addresses; a definition file alone does not say some of them."""
    return (
        _or_unknown(node.name, node.name),
        _or_unknown(node.address, node.known),
        _or_unknown(node.datacenter, node.datacenter),
        _or_unknown(node.meta, node.meta or node.name),
        _or_unknown(node.tagged_addresses, node.tagged_addresses or node.name),
    )


def _catalog_entry(instance: Instance) -> _Structure:
    """Fields of ``structs.ServiceNode``."""
    name, address, datacenter, meta, tagged = _node(instance.node)
    unknown = ("ID", "ServiceKind", "ServiceEnableTagOverride", "ServiceWeights", "ServiceProxy", "ServiceConnect",
               "ServiceTaggedAddresses", "ServiceSocketPath", "ServiceLocality")  # fmt: skip
    return _Structure(
        dict.fromkeys(unknown, _UNKNOWN),
        Node=name,
        Address=address,
        Datacenter=datacenter,
        NodeMeta=meta,
        TaggedAddresses=tagged,
        ServiceID=instance.service_id,
        ServiceName=instance.name,
        ServiceTags=instance.tags,
        ServiceAddress=instance.address,
        ServiceMeta=instance.meta,
        ServicePort=instance.port,
        Namespace=instance.namespace,
        Partition=instance.partition,
    )


def _health_entry(instance: Instance) -> _Structure:
    """Fields of ``structs.CheckServiceNode``."""
    name, address, datacenter, meta, tagged = _node(instance.node)
    unknown = ("Kind", "EnableTagOverride", "Weights", "Proxy", "Connect", "TaggedAddresses", "SocketPath", "Locality")
    service = _Structure(
        dict.fromkeys(unknown, _UNKNOWN),
        ID=instance.service_id,
        Service=instance.name,
        Tags=instance.tags,
        Address=instance.address,
        Meta=instance.meta,
        Port=instance.port,
        Namespace=instance.namespace,
        Partition=instance.partition,
    )
    node = _Structure(
        ID=_UNKNOWN,
        Node=name,
        Address=address,
        Datacenter=datacenter,
        Meta=meta,
        TaggedAddresses=tagged,
        Partition=instance.partition,
        Locality=_UNKNOWN,
    )
    checks = [_check_entry(check, instance) for check in instance.checks] if instance.answered else _UNKNOWN
    return _Structure(Node=node, Service=service, Checks=checks)


def _check_entry(check: Check, instance: Instance) -> _Structure:
    of_service = bool(check.service_id)
    return _Structure(
        Node=instance.node.name,
        CheckID=check.identity,
        Name=check.name,
        Status=check.status or _UNKNOWN,
        ServiceID=check.service_id,
        ServiceName=instance.name if of_service else "",
        ServiceTags=instance.tags if of_service else (),
        Notes=_UNKNOWN,
        Output=_UNKNOWN,
        Type=_UNKNOWN,
        Definition=_UNKNOWN,
    )


# -- comparing ------------------------------------------------------------------------------------------------------


def _evaluate(expression: Expression, entry: _Structure) -> bool | None:
    """Kleene's three values. All parts are always looked at: Consul checks all selectors before it compares."""
    if isinstance(expression, Match):
        return _walk(entry, expression, 0)
    if isinstance(expression, Not):
        found = _evaluate(expression.of, entry)
        return None if found is None else not found
    sides = [_evaluate(part, entry) for part in expression.parts]
    decisive = expression.word == "or"
    if decisive in sides:
        return decisive
    return None if None in sides else not decisive


def _walk(value: Any, match: Match, depth: int) -> bool | None:
    """Follow the selector from ``depth`` on, then compare."""
    if value is _UNKNOWN:
        return None
    if depth == len(match.path):
        found = _compare(value, match)
        return found != match.negated
    name = match.path[depth]
    if isinstance(value, _Structure):
        if name not in value:
            raise FilterRefused(f"the selector {'.'.join(match.path[: depth + 1])} is not valid")
        return _walk(value[name], match, depth + 1)
    if isinstance(value, Mapping):
        # A key that is not there equals nothing and holds nothing. Consul before 1.15 also let it match everything.
        if name not in value:
            return (match.operator == "empty") != match.negated
        return _walk(value[name], match, depth + 1)
    if isinstance(value, list):  # any element will do, for negated operators, too
        each = [_walk(element, match, depth) for element in value]
        return True if True in each else None if None in each else False
    raise FilterRefused(f"the selector {'.'.join(match.path[: depth + 1])} is not valid")


def _compare(value: Any, match: Match) -> bool:
    kind = "text" if isinstance(value, str) else "number" if isinstance(value, int) else "collection"
    if isinstance(value, list):
        kind = "structures"
    compare = _COMPARE.get((kind, match.operator)) if not isinstance(value, _Structure) else None
    if compare is None:
        raise FilterRefused(f"{match.operator} does not fit the selector {'.'.join(match.path)}")
    return compare(value, match.value)


def _matches(value: str, pattern: str) -> bool:
    try:
        return plain(pattern).matches(value)
    except RegexpRefused as error:
        raise FilterRefused(f"{pattern}: {error}") from None


def _equals_number(value: int, text: str) -> bool:
    """Compare as Go's ``ParseInt`` with base 0 reads it."""
    try:
        return value == int(text, 8 if len(text) > 1 and text[0] == "0" and text[1:].isdecimal() else 0)
    except ValueError:
        raise FilterRefused(f"{text} is not a whole number") from None


_COMPARE: Final[dict[tuple[str, str], Callable[[Any, str], bool]]] = {
    ("text", "=="): lambda value, text: value == text,
    ("text", "in"): lambda value, text: text in value,
    ("text", "matches"): _matches,
    ("number", "=="): _equals_number,
    ("collection", "in"): lambda value, text: text in value,
    ("collection", "empty"): lambda value, _: not value,
    ("structures", "empty"): lambda value, _: not value,
}
