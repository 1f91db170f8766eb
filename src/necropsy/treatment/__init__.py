"""The conductor of the treatment: hands ``treat`` what the readers read, raw keys and values included.

``sources`` reads stores for a purge, ``purging`` plans, applies and undoes one, ``patching`` writes patches. It stands
above ``autopsy``, as a treatment follows an autopsy; it prints nothing.
"""
