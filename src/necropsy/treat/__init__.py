"""Remedies. Patches are text inserted at known lines, read again and simulated again before anybody sees them."""
