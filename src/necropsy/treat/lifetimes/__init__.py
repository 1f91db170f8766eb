"""Lifetimes shortened in place: expiry, marker, and what the session carries; journalled, compared first, undone."""
