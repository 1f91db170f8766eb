"""The report as JSON: one module and one published schema a version, each frozen once released."""
