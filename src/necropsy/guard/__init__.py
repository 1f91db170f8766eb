"""The parts that stay running: the exporter of Redis and its sessions, and a prober that does not leak sessions.

Each part runs alone. A part reads; nothing here writes to a store.
"""
