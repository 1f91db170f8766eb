"""Remedies: patches that are re-simulated before they are shown."""
