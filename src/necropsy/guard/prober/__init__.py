"""A prober in place of blackbox' http module, which does not start a session with each visit."""
