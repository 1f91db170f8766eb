"""The vocabulary: frozen, typed values. No I/O; the standard library only."""
