"""The case: all evidence of one investigation in one DuckDB file."""
