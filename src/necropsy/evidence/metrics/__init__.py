"""Series of a Prometheus server: what an exporter measured of the stores, and which targets were probed, over time."""
