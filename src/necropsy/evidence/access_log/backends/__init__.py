"""Backends: they read a log, and have the engine that analyses its lines."""
