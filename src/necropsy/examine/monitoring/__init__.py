"""Examiners of the area ``monitoring``."""
