"""The keyspace itself, whoever uses it: keys, bytes, lifetimes, idle times and sizes, by pattern and by place.

``survey`` reads dumps and servers into a ``tally``; ``patterns`` gives each key its pattern, ``slots`` its slot; ``measures``
says what is summed. Names of keys never leave the tally, unless they are asked for.
"""
