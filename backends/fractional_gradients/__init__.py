"""Gradients of fractional order with respect to the weights of a network."""
