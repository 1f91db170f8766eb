"""Compute the final labels of a discovered target (scrape/target.go: ``PopulateLabels``), for one job at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from necropsy.probes.http.url import split_host_port
from necropsy.probes.prometheus.configuration import Job
from necropsy.probes.prometheus.drop_reasons import TIMEOUT_ABOVE_INTERVAL
from necropsy.probes.prometheus.duration import format_duration, parse_duration
from necropsy.probes.prometheus.relabel.actions import memoised
from necropsy.probes.prometheus.relabel.relabelling import Labels, RelabelTrace
from necropsy.probes.prometheus.target_group import Discovered, TargetGroup
from necropsy.probes.prometheus.targets.origin import Chains
from necropsy.probes.prometheus.version import Version

_INTERVAL: Final = "__scrape_interval__"
_BOOLEANS: Final = frozenset(("1", "t", "T", "true", "TRUE", "True", "0", "f", "F", "false", "FALSE", "False"))
_TIMEOUT: Final = "__scrape_timeout__"


class RefusedTarget(ValueError):  # noqa: N818 -- not an error of the run: the target is lost, and the report says so
    """Prometheus cannot make a target of these labels; the message is its own."""


class Populator:
    """Makes the labels of one job's targets. What is the same for all of them is computed once."""

    def __init__(self, job: Job, version: Version, *, no_default_port: bool = False) -> None:
        self.job = job
        self.follow = job.rules.follow
        self.ways: dict[RelabelTrace, RelabelTrace] = {}
        """Ways through the rules that targets took."""
        self.version = version
        self.no_default_port = no_default_port and version >= (2, 38)
        self.default_port = not no_default_port and version < (3, 0)
        self.has_interval_labels = version >= (2, 30)
        self.lasting = memoised(_lasting)
        self.chains = Chains(job)
        self._last: tuple[TargetGroup, int, Labels] | None = None
        """The target that was asked about last: whoever looks at a target asks several times."""
        defaults = {"job": job.name, "__metrics_path__": job.metrics_path, "__scheme__": job.scheme}
        if self.has_interval_labels:
            defaults[_INTERVAL] = format_duration(job.scrape_interval_ms)
            defaults[_TIMEOUT] = format_duration(job.scrape_timeout_ms)
        self.booleans = tuple(f"__{name}__" for name in job.histograms) if version >= (3, 13) else ()
        if version >= (3, 13):
            defaults.update({f"__{name}__": value for name, value in job.histograms.items()})
        params = {f"__param_{name}": values[0] for name, values in job.params.items() if values and values[0]}
        self.defaults = {name: value for name, value in defaults.items() if value}
        self.forced: Labels = {}
        if version >= (3, 0):
            self.defaults.update(params)
        else:
            self.forced = params
            # An empty first value deletes what discovery says.
            self.forced.update({f"__param_{n}": "" for n, values in job.params.items() if values and not values[0]})

    def discovered(self, group: TargetGroup) -> Iterator[Labels]:
        """Yield the labels of a group's targets before relabelling, in their order; no value is empty."""
        shared = {name: value for name, value in group.labels.items() if value}
        base = {**self.defaults, **shared}
        base.pop("__address__", None)
        for target in group.targets:
            if isinstance(target, str):
                labels = {**base, "__address__": target}
                if not target:
                    del labels["__address__"]
            else:
                labels = self._own(target, shared)
            if self.forced:
                self._force(labels)
            yield labels

    def discovered_at(self, group: TargetGroup, index: int) -> Labels:
        """Return the labels of one target before relabelling; do not change them, as who asks next gets the same."""
        known = self._last
        if known is None or known[0] is not group or known[1] != index:
            found = next(self.discovered(TargetGroup((group.targets[index],), group.labels)))
            known = self._last = (group, index, found)
        return known[2]

    def _own(self, target: Discovered, shared: Labels) -> Labels:
        """Join the labels of a target that brings its own: even an empty one hides the group's."""
        own = dict(target) if not isinstance(target, str) else {}
        if "" not in own.values():
            return {**self.defaults, **shared, **own}
        labels = {**self.defaults, **{name: value for name, value in shared.items() if name not in own}}
        labels.update({name: value for name, value in own.items() if value})
        return labels

    def _force(self, labels: Labels) -> None:
        for name, value in self.forced.items():
            if value:
                labels[name] = value
            else:
                labels.pop(name, None)

    def finish(self, labels: Labels) -> tuple[Labels, int, int]:
        """Return final labels, interval and timeout in milliseconds for labels after relabelling.

        Raises
        ------
        RefusedTarget
            Prometheus reports an error for this target and never scrapes it.
        """
        address = labels.get("__address__")
        if not address:
            raise RefusedTarget("no address")
        instance = address
        if self.default_port or self.no_default_port:
            instance, address = self._ports(address, labels)
        if "/" in instance:
            raise RefusedTarget(f'"{instance}" is not a valid hostname')
        interval, timeout = self._times(labels)
        if self.booleans:
            self._check_booleans(labels)
        final = {name: labels[name] for name in self.lasting(tuple(labels))}
        final["__address__"] = address
        if "instance" not in final:
            final["instance"] = instance
        for name, value in final.items():
            if not value.isascii() and not _is_utf8(value):
                raise RefusedTarget(f'invalid label value for "{name}"')
        return final, interval, timeout

    def _check_booleans(self, labels: Labels) -> None:
        """Refuse a value that Go's ``strconv.ParseBool`` does not read, of the settings that are labels since 3.13."""
        for name in self.booleans:
            value = labels.get(name)
            if value and value not in _BOOLEANS:
                what = name.strip("_").replace("_", " ")
                raise RefusedTarget(f'error parsing {what}: "{value}" is not a boolean')

    def _ports(self, address: str, labels: Labels) -> tuple[str, str]:
        """Return (address that becomes the instance, address that is asked) as Prometheus 2 decides on ports."""
        scheme = labels.get("__scheme__", "")
        if self.no_default_port:
            split = _split(address)
            if split and (split[1], scheme) in (("80", "http"), ("443", "https")):
                return address, split[0]
            return address, address
        if _lacks_port(address):
            if scheme not in ("", "http", "https"):
                raise RefusedTarget(f'invalid scheme: "{self.job.scheme}"')
            address += ":443" if scheme == "https" else ":80"
        return address, address

    def _times(self, labels: Labels) -> tuple[int, int]:
        if not self.has_interval_labels:
            return self.job.scrape_interval_ms, self.job.scrape_timeout_ms
        found = []
        for name, what in ((_INTERVAL, "interval"), (_TIMEOUT, "timeout")):
            try:
                found.append(parse_duration(labels.get(name, "")))
            except ValueError as error:
                raise RefusedTarget(f"error parsing scrape {what}: {error}") from None
            if found[-1] == 0:
                raise RefusedTarget(f"scrape {what} cannot be 0")
        interval, timeout = found
        if timeout > interval:
            reason = f'("{labels[_TIMEOUT]}" > "{labels[_INTERVAL]}")'
            raise RefusedTarget(f"{TIMEOUT_ABOVE_INTERVAL} {reason}")
        return interval, timeout


def _lasting(names: tuple[str, ...]) -> list[str]:
    return [name for name in names if not name.startswith("__meta_")]


_split = lru_cache(maxsize=65_536)(split_host_port)


@lru_cache(maxsize=65_536)
def _lacks_port(address: str) -> bool:
    return split_host_port(address) is None and split_host_port(f"{address}:1234") is not None


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
