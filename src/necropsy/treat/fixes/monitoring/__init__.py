"""Fixes of the findings ``monitoring/…``."""
