"""Examiners of the area ``traffic``."""
