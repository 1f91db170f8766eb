"""YAML, JSON and HCL texts as trees of nodes that remember their lines."""
