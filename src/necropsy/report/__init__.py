"""Values in, text out: terminal, HTML, JSON, SARIF, Markdown."""
