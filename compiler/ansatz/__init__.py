"""Functions that meet conditions whatever the network in them: derived symbolically, then tested."""
