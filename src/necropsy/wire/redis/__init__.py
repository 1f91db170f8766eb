"""A thin Redis client that can only read: every command passes a gate before a byte of it is sent.

``address`` names a server, ``gate`` says what may be asked, ``connection`` asks, ``topology`` finds the nodes behind a
Sentinel or of a Cluster, ``replication`` takes the stream that a server sends to a new replica.

It stands on ``hiredis``, the parser, and the standard library's sockets. A client with pools, retries and a method for
every command has many ways to a socket; this one has one, and that is where the gate is.
"""
