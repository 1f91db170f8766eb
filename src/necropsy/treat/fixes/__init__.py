"""Patches of configuration, a finding a module: edits of texts that are simulated again before anybody sees them."""
