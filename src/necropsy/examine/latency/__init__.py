"""Examiners of the area ``latency``."""
