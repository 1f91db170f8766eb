"""The times of application logs: their forms in many producers and languages, read in DuckDB."""
