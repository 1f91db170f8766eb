"""Whoever else asks at regular times: a module for each prober, configuration text in, probes out. ``registry`` lists them."""
