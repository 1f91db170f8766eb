"""Weighs findings: who made which births, what share that explains, where it leads. Pure."""
