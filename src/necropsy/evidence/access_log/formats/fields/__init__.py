"""Fields of a line: times, addresses, cookies, and what their raw texts mean."""
