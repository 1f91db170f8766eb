"""Engines that run the steps: DuckDB in this process, or any database that Ibis connects to."""
