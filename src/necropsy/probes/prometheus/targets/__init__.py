"""From a discovered target to its labels, its request and the moments of its scrapes."""
