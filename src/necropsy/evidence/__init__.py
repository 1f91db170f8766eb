"""Readers, a room each: bytes become evidence."""
