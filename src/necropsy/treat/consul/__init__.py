"""Services that are gone and still registered in Consul: found, and deregistered where they do not come back."""
