"""Dumps of Redis and Valkey: bytes become batches of keys.

``reader`` opens a dump and says what became of it; ``scan`` goes through it, ``values`` through a value, ``packed``
through what is packed in one, ``window`` and ``kernels`` through its bytes; ``sizes`` weighs, ``columns`` collects.
"""
