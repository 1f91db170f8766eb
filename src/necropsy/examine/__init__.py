"""Examiners: pure functions from a case to findings, one slug a file. See ``registry`` for all of them."""
