"""Unknown fields at their start values: what a solver takes a spec for that is to be trained."""

from dataclasses import replace

import sympy as sp

from nablax.problem import Problem, Summand


def at_start(problem: Problem) -> Problem:
    """The problem with every unknown field as the constant it starts from."""
    if not problem.coefficients:
        return problem
    start: dict[sp.Basic, sp.Expr] = {c.value: c.start for c in problem.coefficients}

    def plain(value: sp.Expr) -> sp.Expr:
        return value.xreplace(start) if value.has(*start) else value

    return replace(
        problem,
        equations=tuple(
            replace(e, summands=tuple(Summand(plain(s.value), s.span) for s in e.summands))
            for e in problem.equations
        ),
        initial=tuple(replace(c, value=plain(c.value)) for c in problem.initial),
        boundary=tuple(replace(b, residual=plain(b.residual)) for b in problem.boundary),
    )
