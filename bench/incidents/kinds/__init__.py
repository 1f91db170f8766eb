"""The kinds of incidents, a registry that can be read from top to bottom (``registry``)."""
