"""Lines of text: formats of nginx and Apache, what programs write that have one layout only, columns, keys and values."""
