"""The history of a store: births from counters, moments at which they changed, and the events beside them.

Pure: arrays in, values out. ``evidence/metrics`` reads the series, ``autopsy/over_time`` writes what comes out into the case.
"""
