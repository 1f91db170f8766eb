"""Prometheus' blackbox exporter: its modules, and the redirects that it follows."""
