"""Finite differences of order 2, 4, 6 and 8 on boxes, periodic or bounded along each axis."""

from nablax.backends.differences.scheme import FiniteDifferences, build

__all__ = ["FiniteDifferences", "build"]
