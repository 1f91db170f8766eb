"""The incident, reproduced."""
