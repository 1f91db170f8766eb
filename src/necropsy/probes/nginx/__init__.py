"""nginx: which port is a proxy, what stands behind it, which of that is idle, and which log (if any) sees a request.

``tokens`` cuts a text into directives exactly as nginx does, ``tree`` follows ``include``, ``logs`` knows the log formats
and how ``access_log`` is inherited, ``locations`` finds the block that serves a path, ``backends`` draws the map. All pure:
texts in, values out.
"""
