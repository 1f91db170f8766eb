"""Output of the commands that have a table of their own: text, CSV and JSON, with their schemas in ``schemas/``."""
