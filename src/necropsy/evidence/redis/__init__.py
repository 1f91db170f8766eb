"""A live server as evidence: its keys in the same batches as a dump's, and what it says of itself."""
