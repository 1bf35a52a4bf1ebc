"""From syntax to the SymPy problem: names, ranks, operators, conditions, options."""
