"""Prometheus' configuration: what it refuses, what it scrapes, and when."""
