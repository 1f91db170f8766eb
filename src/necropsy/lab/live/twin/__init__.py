"""The admin application for machines without Java: the pages, keys and fields in Redis are those of ``lab/admin-app``."""
