"""Edits of configuration texts by position: comments, order and quotes stay as they were."""
