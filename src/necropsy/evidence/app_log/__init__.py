"""Application error logs: exception chains become classes of errors, counted over time."""
