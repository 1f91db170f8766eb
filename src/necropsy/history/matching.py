"""Match of measured servers and stores: by name, by address, or because there is one of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

_REPLICAS = ("replica", "prometheus_replica", "prometheus", "__replica__")
"""Labels of two Prometheis that scrape the same; a ``cluster`` is another place, with servers of its own."""
_NAMING = ("store", "alias", "name", "addr", "instance", "service", "redis")


def match(
    stores: Mapping[str, str],
    measured: Sequence[Mapping[str, str]],
    alike: Callable[[int, int], bool] = lambda _one, _other: False,
) -> dict[str, int]:
    """Return the index of the measured server of each store that can be told.

    Parameters
    ----------
    stores
        Address of each store (``host:port``) by its name; empty where it was read from a dump.
    measured
        Labels of each server.
    alike
        Whether two of them were measured as the same: two exporters of one server are, and give it two sets of labels.

    >>> match({"A": "10.0.0.4:6379", "B": ""}, [{"addr": "redis://10.0.0.4:6379"}, {"instance": "redis-b:9121", "store": "B"}])
    {'A': 0, 'B': 1}
    >>> match({"dump": ""}, [{"instance": "10.0.0.4:9121"}]), match({"dump": ""}, [{"instance": "a"}, {"instance": "b"}])
    ({'dump': 0}, {})
    >>> match({"A": "10.0.0.4:6379"}, [{"addr": "10.9.9.9:6380"}])  # the one that is there is another
    {}
    >>> match({"A": "10.0.0.4:6379"}, [{"addr": "10.0.0.4:6379", "replica": "a"}, {"addr": "10.0.0.4:6379", "replica": "b"}])
    {'A': 0}
    >>> two = [{"instance": "A", "job": "necropsy"}, {"instance": "redis://10.0.0.4:6379", "job": "redis"}]
    >>> match({"A": "10.0.0.4:6379"}, two), match({"A": "10.0.0.4:6379"}, two, lambda _one, _other: True)
    ({}, {'A': 0})
    """
    found: dict[str, int] = {}
    for name, address in stores.items():
        fits = [index for index, labels in enumerate(measured) if _fits(name, address, labels)]
        first = fits[:1]
        different = [n for n in fits[1:] if _without_replica(measured[n]) != _without_replica(measured[fits[0]])]
        if first and all(alike(first[0], other) for other in different):
            found[name] = first[0]
    left = [index for index in range(len(measured)) if index not in found.values()]
    unknown = [name for name in stores if name not in found]
    if len(measured) == len(stores) == 1 and unknown and not (stores[unknown[0]] and _names_a_server(measured[0])):
        found[unknown[0]] = left[0]
    return found


def _names_a_server(labels: Mapping[str, str]) -> bool:
    """Whether the labels name the Redis server itself, and not the exporter alone."""
    return any(labels.get(label) for label in ("addr", "alias", "store"))


def _without_replica(labels: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((name, text) for name, text in labels.items() if name not in _REPLICAS))


def _fits(name: str, address: str, labels: Mapping[str, str]) -> bool:
    for label in _NAMING:
        text = labels.get(label, "")
        if not text:
            continue
        bare = text.rpartition("//")[2].rpartition("@")[2].partition("/")[0]
        if name in (text, bare) or (address and bare == address):
            return True
    return False
