"""Configuration files: opened here, understood in ``necropsy.probes``."""
