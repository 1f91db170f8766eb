"""One self-contained page: no network, no build step, the same bytes for the same values."""
