"""Client groups of access logs, and whether they come at a fixed interval: without a store and without a verdict.

``survey`` reads logs into an answer, ``follow`` does the same while they grow; ``agents`` names the programs that call,
``judgement`` tells from a log alone which visits probably start sessions. Prints nothing.
"""
