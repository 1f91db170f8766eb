"""Relabelling: the fields of a rule, its actions, and their application to labels."""
