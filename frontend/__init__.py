"""Text to syntax: source positions, diagnostics, the parser and the formatter. Needs lark only."""
