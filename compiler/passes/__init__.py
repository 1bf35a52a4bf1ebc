"""Symbolic passes from the problem to its normal form; none changes the value of an equation."""
