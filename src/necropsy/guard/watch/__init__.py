"""The watch: examines again and again, remembers, and says what changed."""
