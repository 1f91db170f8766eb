"""The probers that have a configuration file of their own; Prometheus, Consul and nginx are simulated, not listed."""

from __future__ import annotations

from typing import Final

from necropsy.probes.probers import (
    caddy,
    compose,
    gatus,
    haproxy,
    kubelet,
    load_balancer,
    terraform,
    traefik,
    uptime_kuma,
)
from necropsy.probes.probers.interface import Prober

PROBERS: Final[tuple[Prober, ...]] = (
    kubelet.PROBER,
    terraform.PROBER,
    load_balancer.PROBER,
    haproxy.PROBER,
    caddy.PROBER,
    traefik.PROBER,
    compose.PROBER,
    gatus.PROBER,
    uptime_kuma.PROBER,
)

BY_KIND: Final[dict[str, Prober]] = {prober.kind: prober for prober in PROBERS}
"""Kind of a configuration file to the prober that reads it."""
