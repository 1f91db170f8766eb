"""Sentences that the terminal, the page and Markdown share, so that a fact is worded once."""
