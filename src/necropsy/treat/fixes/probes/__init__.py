"""Fixes of the findings ``probes/…``."""
