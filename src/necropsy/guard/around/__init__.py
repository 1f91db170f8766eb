"""Files for what stands around the guard: dashboards of Grafana, jobs of Prometheus, routes of Alertmanager."""
