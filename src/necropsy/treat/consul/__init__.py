"""Services that Consul still knows and that are gone: found, told apart, and removed where they do not come back."""
