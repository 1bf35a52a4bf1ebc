"""How a network is trained: the `train` block, read and completed with defaults that say why."""
