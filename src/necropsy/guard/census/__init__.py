"""The census: an autopsy of the stores again and again, in a process of its own, as metrics of their sessions."""
