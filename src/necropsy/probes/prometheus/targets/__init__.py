"""Labels, requests and moments of scrapes of a discovered target."""
