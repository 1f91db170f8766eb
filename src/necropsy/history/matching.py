"""Which of the measured servers is which store: by its name, by its address, or because there is one of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

_NAMING = ("store", "alias", "name", "addr", "instance", "service", "redis")


def match(stores: Mapping[str, str], measured: Sequence[Mapping[str, str]]) -> dict[str, int]:
    """Return the index of the measured server of each store that can be told.

    Parameters
    ----------
    stores
        Address of each store (``host:port``) by its name; empty where it was read from a dump.
    measured
        Labels of each server.

    >>> match({"A": "10.0.0.4:6379", "B": ""}, [{"addr": "redis://10.0.0.4:6379"}, {"instance": "redis-b:9121", "store": "B"}])
    {'A': 0, 'B': 1}
    >>> match({"dump": ""}, [{"instance": "10.0.0.4:9121"}]), match({"dump": ""}, [{"instance": "a"}, {"instance": "b"}])
    ({'dump': 0}, {})
    """
    found: dict[str, int] = {}
    for name, address in stores.items():
        fits = [index for index, labels in enumerate(measured) if _fits(name, address, labels)]
        if len(fits) == 1:
            found[name] = fits[0]
    left = [index for index in range(len(measured)) if index not in found.values()]
    unknown = [name for name in stores if name not in found]
    if len(measured) == len(stores) == 1 and unknown:
        found[unknown[0]] = left[0]
    return found


def _fits(name: str, address: str, labels: Mapping[str, str]) -> bool:
    for label in _NAMING:
        text = labels.get(label, "")
        if not text:
            continue
        bare = text.rpartition("//")[2].rpartition("@")[2].partition("/")[0]
        if name in (text, bare) or (address and bare == address):
            return True
    return False
