"""Helpers of the code itself, standard library only: the lowest layer."""
