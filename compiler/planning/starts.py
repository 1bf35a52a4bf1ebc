"""How a solution with memory starts: at rest, smoothly, or with a slope that is infinite."""

import numpy as np
import sympy as sp

from nablax.frontend.diagnostics import Report
from nablax.frontend.source import Span
from nablax.nonlocal_operators import Nonlocal
from nablax.passes.jets import derivative, jets
from nablax.planning.spectrum import at_start, nominal, states_of
from nablax.sampling import sample
from nablax.system import Evolution, Memory, System, root_of

POINTS = {1: 24, 2: 8, 3: 4}  # per axis
REST = 1e-6  # of the largest term: below it, the terms of an equation cancel


def check_rest(system: System, report: Report) -> bool:
    """A derivative of Riemann and Liouville is that of Caputo where the field and its rates start at 0; it is
    infinite at the start where they do not. One with a bounded kernel is 0 at the start."""
    for equation in system.evolution:
        remembered = [m for m in equation.memory if m.kind == "riemann-liouville"]
        field = root_of(equation.unknown, system.unknowns)
        own = [i for i in range(len(system.unknowns)) if root_of(i, system.unknowns) == field]
        moved = next((i for i in own if system.initial[i] != 0), None)
        if remembered and moved is not None:
            name = system.unknowns[field].name
            report.error(
                "P330",
                remembered[0].span,
                f"this derivative is infinite at the start, where `{system.unknowns[moved].name}` is not 0",
                help=f"{_by_caputo(remembered[0])}, or start `{name}` at 0",
            )
            return False
        if all(m.kernel != "power" for m in equation.memory) and equation.memory and _moves(system, equation):
            report.error(
                "P335",
                equation.memory[0].span,
                "this derivative is 0 at the start, whatever the field is, and the other terms are not",
                help="start where they cancel, use `caputo`, or add `dt` of the field",
            )
            return False
    return True


def _by_caputo(memory: Memory) -> str:
    return "write `kind=caputo`" if memory.rate != 0 else "write it with `caputo`"


def warn_bounded(system: System, report: Report) -> None:
    """The warning that bounded kernels deserve."""
    for memory in (m for e in system.evolution for m in e.memory if m.kernel != "power"):
        report.warning(
            "P423",
            memory.span,
            "a bounded kernel makes no fractional derivative: it is 0 at the start for every field, and has "
            "no integral as its inverse there",
            help="use `caputo` unless a model prescribes this one",
        )
        return


def warn_uniform(system: System, place: Span, order: float, report: Report) -> None:
    """A warning where equal steps meet a solution that starts like u_0 + c t^α."""
    if order >= 1 or not any(_moves(system, e) for e in system.evolution if e.memory):
        return
    report.warning(
        "P421",
        place,
        f"the solution starts like t^{order:g}, which equal steps follow to order {order:g} only",
        help="leave `dt` out for steps that grow from the start, or use `step = cq`",
    )


def relative_rate(system: System) -> float | None:
    """The largest |R(u_0)|/|u_0| of the equations with memory whose field does not start at 0; None where
    none is known."""
    found = []
    for equation in system.evolution:
        terms = _at_start(system, equation) if equation.memory else None
        field = root_of(equation.unknown, system.unknowns)
        data = system.initial[field]
        if terms is None or data is None:
            continue
        size = float(np.abs(sample(data, _places(system))).max())
        if size > 0:
            found.append(float(np.abs(np.sum(terms, axis=0)).max()) / size)
    return max(found, default=None)


def _moves(system: System, equation: Evolution) -> bool:
    """Whether the right side is not zero at the start; False where it has no value here."""
    found = _at_start(system, equation)
    if found is None:
        return False
    scale = float(np.abs(found).max())
    return bool(np.abs(np.sum(found, axis=0)).max() > REST * scale)


def _places(system: System) -> dict[sp.Basic, np.ndarray]:
    """Parameters, the start of time, and places over the box."""
    values = nominal(system)
    count = POINTS[len(system.axes)]
    lines = [
        low + (high - low) * (np.arange(count) + 0.37) / count
        for low, high in (
            (float(sample(a.lower, values)), float(sample(a.upper, values))) for a in system.axes
        )
    ]
    grids = np.meshgrid(*lines, indexing="ij")
    values |= {a.symbol: g.ravel() for a, g in zip(system.axes, grids, strict=True)}
    assert system.time is not None
    values[system.time.symbol] = sample(system.time.lower, values)
    return values


def _at_start(system: System, equation: Evolution) -> np.ndarray | None:
    """The terms of the right side at the start, [terms, places]; None where it holds operators that have no
    value here, or an infinite one."""
    space = tuple(a.symbol for a in system.axes)
    values = _places(system)
    count = POINTS[len(space)] ** len(space)
    states = states_of(system)
    terms: list[sp.Expr] = []
    for linear in equation.terms.linear:
        if not linear.local:
            return None
        jet = derivative(system.unknowns[linear.unknown].value, space, linear.orders)
        terms.append(linear.coefficient * at_start(jet, states, system, values))
    for flux in (*equation.terms.nonlinear, *equation.terms.forcing):
        if any(isinstance(j, Nonlocal) for j in jets(flux.flux)):
            return None
        terms.append(flux.coefficient * at_start(flux.flux, states, system, values))
    found = np.array([np.broadcast_to(sample(term, values), count) for term in terms])
    return found if found.size and np.isfinite(found).all() else None
