"""Examiners of the area ``sessions``."""
