"""What an implicit solve needs to know of a system before it meets numbers."""

from collections.abc import Sequence

import sympy as sp

from nablax.backends.differences import modal
from nablax.backends.differences.bases import DENSE
from nablax.backends.differences.layout import Place, conservative, derivative, flux_atoms, nominal_condition
from nablax.backends.differences.modal import Coupling
from nablax.backends.differences.modes import Group
from nablax.backends.differences.operators import Operator
from nablax.integrals import INTEGRALS
from nablax.nonlocal_operators import Between
from nablax.passes.jets import jets
from nablax.plan import Plan
from nablax.system import LinearTerm


def jacobian(plan: Plan, operators: Sequence[Operator] = ()) -> list[tuple[Coupling, sp.Expr]]:
    """The derivative of the right-hand side as terms coefficient · D^orders, for a preconditioner.

    Dependence on the conjugate of a complex unknown is left out: the iteration accounts for it.
    """
    system = plan.system
    known = {o.node: o for o in operators}
    result: list[tuple[Coupling, sp.Expr]] = []
    for equation in system.evolution:
        terms = equation.terms
        result.extend(
            (coupling_of(equation.unknown, term, operators), term.coefficient) for term in terms.linear
        )
        for flux in conservative(terms, plan.grid):
            atoms = flux_atoms(flux.flux, system)
            names: dict[sp.Expr, sp.Symbol] = {
                jet: sp.Dummy() for jet in jets(flux.flux) if isinstance(jet, (*INTEGRALS, *Between))
            }
            for atom in atoms:
                unknown, _ = derivative(atom, system)
                names[atom] = sp.Dummy() if system.unknowns[unknown].complex else sp.Dummy(real=True)
            back = {dummy: atom for atom, dummy in names.items()}
            inner = flux.flux.xreplace(names)
            for atom in atoms:
                dummy = names[atom]
                slope = sp.diff(inner, dummy)
                if slope == 0 or slope.has(sp.Derivative, sp.Subs):
                    continue
                unknown, orders = derivative(atom, system)
                total = tuple(a + b for a, b in zip(orders, flux.orders, strict=True))
                coupling = Coupling(equation.unknown, unknown, total)
                result.append((coupling, (flux.coefficient * slope).xreplace(back)))
            for node in (n for n in names if isinstance(n, Between)):
                slope = sp.diff(inner, names[node])
                own = known[node]
                coupling = Coupling(equation.unknown, own.unknown, flux.orders, own)
                result.append((coupling, (flux.coefficient * slope).xreplace(back)))
    return result


def coupling_of(equation: int, term: LinearTerm, operators: Sequence[Operator]) -> Coupling:
    """The place of a linear term."""
    operator = next((o for o in operators if o.node == term.operator), None)
    return Coupling(equation, term.unknown, term.orders, operator)


def implicit_groups(
    plan: Plan, places: Sequence[Place], couplings: Sequence[Coupling], dense: int = DENSE
) -> tuple[Group, ...]:
    """The groups of a linear operator, with wall coefficients at the parameters' nominal values."""
    numbers: dict[tuple[int, int, int], tuple[tuple[float, ...], ...]] = {}
    known: dict[tuple[int, int], bool] = {}
    for u, place in enumerate(places):
        for k, pair in enumerate(place.walls):
            if pair is None:
                continue
            for wall in pair:
                numbers[u, k, wall.side] = tuple(nominal_condition(c, plan) for c in wall.conditions)
            known[u, k] = all(wall.numeric or wall.halo == 0 for wall in pair)
    return modal.groups(plan, places, couplings, numbers, known, dense)
