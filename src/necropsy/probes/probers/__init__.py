"""Other probers than Prometheus and Consul: a module for each, configuration text in, probes out. ``registry`` lists them."""
