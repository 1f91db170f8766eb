"""Thin clients that touch the outside world: files, compressed or not."""
