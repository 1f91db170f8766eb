"""URLs and requests as Go's HTTP client makes them."""
