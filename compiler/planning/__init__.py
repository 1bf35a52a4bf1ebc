"""From the normal form to a plan: method, grid, step, each with its reason."""
