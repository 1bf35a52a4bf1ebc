"""What is true of the records between stages; checked in tests and under NABLAX_DEBUG=1."""

import os
from itertools import pairwise

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.passes.conservative import equal
from nablax.passes.jets import bases, derivative, is_jet, jets
from nablax.plan import PROPAGATED, Plan
from nablax.planning.stability import POLYNOMIALS
from nablax.problem import Problem, Summand
from nablax.system import System, Terms


class BrokenPromiseError(AssertionError):
    """A record that breaks its promise: a bug of nablax, never of a spec."""


def wanted() -> bool:
    return os.environ.get("NABLAX_DEBUG", "") not in ("", "0")


def _require(condition: bool, text: str) -> None:
    if not condition:
        raise BrokenPromiseError(text)


def verify_problem(problem: Problem) -> None:
    """Every symbol declared, every function a component, every span inside the text."""
    declared = set(problem.symbols) | {p.symbol for p in problem.parameters}
    functions = {c.value.func for c in problem.components}
    functions |= {c.value.func for c in (*problem.coefficients, *problem.arrays)}
    length = len(problem.source.text)
    for equation in problem.equations:
        _require(0 <= equation.span.start <= equation.span.end <= length, "a span leaves the text")
        for summand in equation.summands:
            _require(summand.value.free_symbols <= declared, f"undeclared symbol in {summand.value}")
            used = {f.func for f in summand.value.atoms(AppliedUndef)}
            _require(used <= functions, f"undeclared function in {summand.value}")
            _require(equation.span.contains(summand.span), "a summand lies outside its equation")


def verify_system(system: System) -> None:
    """Derivatives of bare unknowns only, linear terms free of unknowns, one evolution per moving unknown."""
    _require(len(system.balances) > 0, "equations without balances")
    if system.problem.families:
        _require(system.balances_alone, "a normal form of a family of axes")
    if system.balances_alone:
        return
    moving = [i for i, u in enumerate(system.unknowns) if not u.algebraic]
    _require([e.unknown for e in system.evolution] == moving, "evolution equations out of order")
    values = {u.value for u in system.unknowns}
    for terms in system.right_sides:
        for term in terms.linear:
            _require(not term.coefficient.has(AppliedUndef), "an unknown in a linear coefficient")
            _require(len(term.orders) == len(system.axes), "orders of the wrong length")
        for flux in (*terms.nonlinear, *terms.conservative):
            for node in sp.preorder_traversal(flux.flux):
                if isinstance(node, sp.Derivative):
                    _require(is_jet(node), "a derivative of a composite in a flux")
            _require(bases(flux.flux) <= values, "a flux of something unknown")
            _require(bool(jets(flux.flux)), "a nonlinear term without an unknown")
        for source in terms.forcing:
            _require(not source.flux.has(AppliedUndef), "an unknown in a forcing term")
    _require(len(system.initial) == len(system.unknowns), "initial values missing")
    space = tuple(a.symbol for a in system.axes)
    real = not any(u.complex for u in system.unknowns)
    constraints = [_linear_value(system, c.terms) for c in system.constraints if not c.terms.nonlinear]
    for terms in system.right_sides:
        plain = [Summand(t.flux, t.span) for t in terms.nonlinear]
        _require(
            equal(terms.conservative, plain, constraints, space, real),
            "the conservative form differs from the expanded one",
        )


def verify_plan(plan: Plan) -> None:
    """Every term claimed once, frames in order within the run, a grid of the system's axes."""
    system = plan.system
    wanted_claims = {
        (i, kind, k)
        for i, e in enumerate(system.evolution)
        for kind in ("linear", "nonlinear", "forcing")
        for k in range(len(getattr(e.terms, kind)))
    }
    claimed = [(c.equation, c.kind, c.index) for c in plan.claims]
    _require(len(claimed) == len(set(claimed)), "a term is claimed twice")
    _require(set(claimed) == wanted_claims, "a term is claimed by nothing")
    exact = [c for c in plan.claims if c.treatment == "exact"]
    _require(
        not exact or plan.method == "spectral" or plan.stepping.name in PROPAGATED,
        "a grid scheme has no exact terms",
    )
    _require([a.name for a in plan.grid] == [a.name for a in system.axes], "the grid has other axes")
    _require(all(a < b for a, b in pairwise(plan.frames)), "frames out of order")
    explicit = plan.stepping.name in POLYNOMIALS or plan.stepping.name == "leapfrog"
    _require(explicit or plan.stepping.bound is None, "a bound for a stepper that needs none")


def _linear_value(system: System, terms: Terms) -> sp.Expr:
    space = tuple(a.symbol for a in system.axes)
    return sp.Add(
        *(
            t.coefficient * (t.operator or derivative(system.unknowns[t.unknown].value, space, t.orders))
            for t in terms.linear
        )
    )
