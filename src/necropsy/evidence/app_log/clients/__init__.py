"""The errors that each client of a store writes: one module a language, one table of all of them in ``errors``."""
