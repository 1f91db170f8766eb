"""Writers that keep a session in one string: a module each, which says how key and value together are known."""
