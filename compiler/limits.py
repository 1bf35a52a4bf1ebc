"""Limits that keep an untrusted spec from exhausting the machine at compile time."""

import sympy as sp

DERIVATIVE_ORDER = 16  # of one derivative, along all axes together
POWER = 64  # largest integer exponent of an expression that is expanded
EXPONENT = 10**6  # largest exponent that is a number
EXPRESSION_NODES = 20_000  # SymPy nodes of one expression
EXPRESSION_TERMS = 400  # of all equations together, multiplied out
DIFFERENTIATED_NODES = 2_000  # of an expression that is differentiated once more
WRITTEN_PARTS = 20_000  # names, numbers and signs of a statement with its definitions written out
DIGITS = 400  # of an exact number after arithmetic
AXIS_POINTS = 1 << 24  # points along one axis
GRID_POINTS = 1 << 33  # points of the whole grid
AXES = 3  # of a grid
NAMED_AXES = 32  # of a space, families counting once
MEMBERS = 10**7  # of an indexed family
FRAMES = 1_000_000


class TooLarge(Exception):
    """An expression would grow beyond the limit."""


def checked(expression: sp.Expr, limit: int = EXPRESSION_NODES) -> sp.Expr:
    """The expression; raises `TooLarge` where it has more nodes than the limit."""
    pending: list[sp.Basic] = [expression]
    count = 0
    while pending:
        count += 1
        if count > limit:
            raise TooLarge
        pending.extend(pending.pop().args)
    return expression
