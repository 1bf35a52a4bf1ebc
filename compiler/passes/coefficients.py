"""Coefficient functions that are no part of the text's formulas: unknown fields, and arrays on the grid."""

from dataclasses import replace

import sympy as sp

from nablax.grid_functions import GridData, GridFunction
from nablax.problem import Coefficient, Problem, Summand


def given(problem: Problem) -> Problem:
    """The problem as a solver takes it: functions on its grid, and unknown fields of time as they start."""
    return _with(problem, {c.value: _on_grid(problem, c) for c in (*problem.coefficients, *problem.arrays)})


def written_out(problem: Problem) -> Problem:
    """The problem with every array as the text defines it."""
    return _with(problem, {c.value: c.start for c in problem.arrays})


def at_start(problem: Problem) -> Problem:
    """The problem without coefficient functions: each is what it starts from."""
    found = _with(problem, {c.value: c.start for c in (*problem.coefficients, *problem.arrays)})
    return replace(found, coefficients=(), arrays=())


def _on_grid(problem: Problem, coefficient: Coefficient) -> sp.Expr:
    symbols = coefficient.value.args
    if problem.time is not None and problem.time.symbol in symbols:
        return coefficient.start
    return GridFunction(GridData(coefficient.name, symbols, coefficient.start), *symbols)


def _with(problem: Problem, values: dict[sp.Basic, sp.Expr]) -> Problem:
    if not values:
        return problem

    def plain(value: sp.Expr) -> sp.Expr:
        return value.xreplace(values) if value.has(*values) else value

    return replace(
        problem,
        equations=tuple(
            replace(e, summands=tuple(Summand(plain(s.value), s.span) for s in e.summands))
            for e in problem.equations
        ),
        initial=tuple(replace(c, value=plain(c.value)) for c in problem.initial),
        boundary=tuple(replace(b, residual=plain(b.residual)) for b in problem.boundary),
        edges=tuple(replace(e, residual=plain(e.residual)) for e in problem.edges),
        expectations=tuple(
            replace(e, left=e.left.xreplace(values), right=e.right.xreplace(values))
            for e in problem.expectations
        ),
    )
