# Both admins' second application, as its agent reads it
node_name  = "admin-3"
datacenter = "eu-1"
bind_addr  = "172.12.1.191"

services {
  id   = "report"
  name = "report"
  port = 9000
  tags = ["blackbox_exporter_http", "java"]
  meta = {
    health-path = "/actuator/health"
  }
  checks = [
    { name = "alive", tcp = "localhost:9000", interval = "5s" },
    { name = "page", http = "http://localhost:9000/", interval = "1m", disable_redirects = true },
  ]
}

services {
  name = "quiet"
  port = 9001
  check { ttl = "30s" }
}
