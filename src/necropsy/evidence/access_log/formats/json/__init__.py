"""Objects of JSON, one a line: which key holds which field."""
