"""Formats of access logs: each compiles to the columns and expressions by which its lines are read."""
