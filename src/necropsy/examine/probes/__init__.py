"""Examiners of the area ``probes``."""
