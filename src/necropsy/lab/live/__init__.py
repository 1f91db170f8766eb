"""The incident as running processes: two Redis servers, applications behind nginx, users, and the monitoring that kills them."""
