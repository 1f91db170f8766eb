"""The Redis exporter: the metrics that dashboards read from redis_exporter, under the same names."""
