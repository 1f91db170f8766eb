"""Checks of what Prometheus and the blackbox exporter refuse to load, in sections that decide no request."""
