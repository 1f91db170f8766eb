"""Examiners of the area ``memory``."""
