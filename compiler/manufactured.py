"""Manufactured solutions: a smooth function put into a problem, and the sources that make it a solution.

Every component gets a smooth function of space and time that closes up along periodic axes and vanishes
nowhere on walls; what the equations, the initial and the boundary conditions leave of it becomes their
data (Roache, J. Fluids Eng. 124 (2002) 4). The operators, the coefficients and the kinds of conditions
stay as the spec states them. The sources are opaque symbols while the problem is brought to its normal
form, so that they tell nothing about it and are not multiplied out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef
from sympy.simplify.fu import TR8

from nablax.continuity import without_moduli
from nablax.fractional_calculus.operators import (
    FractionalOperator,
    Hadamard,
    PsiCaputo,
)
from nablax.fractional_operators import summed
from nablax.frontend.diagnostics import Report
from nablax.frontend.source import Span
from nablax.integrals import INTEGRALS
from nablax.manufactured_fields import (
    HIGHEST_POWER,
    Shape,
    candidate_ranges,
    points_of,
    rate_of,
    solution_of,
    still_solution,
)
from nablax.manufactured_integrals import at_solution, integrated
from nablax.nonlocal_operators import Between, Nonlocal, fourier_symbol
from nablax.notation import text
from nablax.passes.normalise import normalise
from nablax.planning.spectrum import eigenvalues, exact_symbol, linearise, nominal
from nablax.problem import (
    BoundaryCondition,
    Problem,
    Summand,
)
from nablax.reductions import Maximum, Minimum, Noise
from nablax.sampling import sample
from nablax.system import Boundary, Constraint, Evolution, FluxTerm, LinearTerm, System, Terms
from nablax.tables import Tabulated

_ROUGH = (
    sp.Piecewise, sp.Heaviside, sp.sign, sp.floor, sp.ceiling, sp.arg, sp.Abs, sp.Max, sp.Min, Tabulated
)  # fmt: skip
_GLOBAL = (Maximum, Minimum, Noise)
_FROZEN, _MODES = {1: 9, 2: 3, 3: 2}, {1: 65, 2: 17, 3: 5}


@dataclass(frozen=True, slots=True)
class Manufactured:
    """`system` has `solution` (by component name, in coordinates, time and parameters) as its solution.

    `duration` is how long it is worth following: about one unit of the fastest of its terms, so that
    errors add up and do not yet grow.
    """

    system: System
    solution: Mapping[str, sp.Expr]
    duration: float | None


@dataclass(frozen=True, slots=True)
class _Template:
    """A problem with symbols for its data, and what each stands for as a function of the solution."""

    system: System
    data: Mapping[sp.Symbol, "_Datum"]


@dataclass(frozen=True, slots=True)
class _Datum:
    """An expression of the unknowns, on a wall where `place` gives the value of a coordinate."""

    value: sp.Expr
    place: Mapping[sp.Symbol, sp.Expr]


def manufacture(problem: Problem, report: Report, swinging: bool) -> Manufactured | None:
    """A manufactured solution of the problem; None, with R711 for each term that cannot take part.

    `swinging` for the study of a stepper: between walls the solution swings in time, at the price of a
    pattern that needs more points. Data of walls drift linearly in any case: one-step methods lose order
    to data that move in other ways (Sanz-Serna, Verwer, Hundsdorfer, Numer. Math. 50 (1987) 405).
    """
    for equation in problem.equations:
        for summand in equation.summands:
            _check_smooth(summand.value, summand.span, problem, report)
    for condition in problem.boundary:
        _check_smooth(condition.residual, condition.span, problem, report)
    if report.failed:
        return None
    template = _template(problem, report)
    if template is None or report.failed:
        return None
    for shapes in candidate_ranges(problem, template.system):
        duration = _duration(problem, template.system, shapes)
        solution = solution_of(problem, shapes, duration, swinging)
        filled = _fill(template, solution)
        guilty = _faulty(filled, problem, duration)
        if guilty is None:
            return Manufactured(filled, solution, duration)
        left = next(iter(_integrals_left(filled)), None)
        if left is not None:
            report.error(
                "R711",
                guilty,
                "no solution can be manufactured for this term: its integral is too long a sum",
                help="verify it on fewer axes, with a polynomial under the integral or a wider kernel",
            )
            return None
    report.error(
        "R711",
        guilty or problem.span,
        "no smooth manufactured solution gives this term a finite, real value",
        help="check the term's domain: logarithms and roots of the field, divisions by it",
    )
    return None


def _check_smooth(value: sp.Expr, span: Span, problem: Problem, report: Report) -> None:
    """R711 for functions that are not smooth, and for values of the whole domain."""
    moving = set(problem.symbols)
    if not value.has(AppliedUndef):
        return  # replaced by the source
    for node in sp.preorder_traversal(without_moduli(value)):
        if isinstance(node, _GLOBAL):
            what = f"`{node.func.__name__.lower()}`, a value of the whole domain"
        elif isinstance(node, Between) or _one_sided(node, problem):
            what = f"`{text(node)}`, which has no closed form between walls"
        elif isinstance(node, PsiCaputo | Hadamard) and node.has(AppliedUndef):
            what = f"`{text(node)}`, which has no closed form for powers of the time"
        elif isinstance(node, _ROUGH) and (node.has(AppliedUndef) or node.free_symbols & moving):
            what = f"`{_NAMES.get(node.func, str(node.func))}`, which is not smooth"
        else:
            continue
        report.error(
            "R711",
            span,
            f"no solution can be manufactured for this term: it holds {what}",
            help="verify the problem without it, or with a smooth function in its place",
        )
        return


def _one_sided(node: sp.Basic, problem: Problem) -> bool:
    """Whether it is a fractional derivative along space."""
    if not isinstance(node, FractionalOperator) or not node.has(AppliedUndef):
        return False
    return problem.time is None or node.variable != problem.time.symbol


_NAMES: Mapping[type[sp.Basic], str] = {
    sp.Piecewise: "where", sp.Heaviside: "step", sp.ceiling: "ceil", sp.Abs: "abs", sp.Max: "max",
    sp.Min: "min", Tabulated: "file",
}  # fmt: skip


# --- the problem with open data ---


def _template(problem: Problem, report: Report) -> _Template | None:
    data: dict[sp.Symbol, _Datum] = {}

    def opened(summands: Sequence[Summand], whole: Span, name: str) -> tuple[Summand, ...]:
        # Terms without an unknown are data already, and the source takes their place.
        kept = tuple(s for s in summands if s.value.has(AppliedUndef))
        symbol = sp.Symbol(name, real=None if complex_fields else True)
        data[symbol] = _Datum(sp.Add(*(s.value for s in kept)), {})
        return (*kept, Summand(-symbol, whole))

    complex_fields = any(c.complex for c in problem.components)
    equations = tuple(
        replace(e, summands=opened(e.summands, e.span, f"source {i}"))
        for i, e in enumerate(problem.equations)
    )
    walls: list[BoundaryCondition] = []
    for i, condition in enumerate(problem.boundary):
        known, terms = condition.residual.as_independent(AppliedUndef, as_Add=True)
        del known
        axis = next(a for a in problem.axes if a.name == condition.axis)
        symbol = sp.Symbol(f"wall {i}", real=None if complex_fields else True)
        data[symbol] = _Datum(terms, {axis.symbol: axis.lower if condition.side == 0 else axis.upper})
        walls.append(replace(condition, residual=terms - symbol))
    quiet = Report(problem.source)
    system = normalise(
        replace(
            problem,
            equations=equations,
            initial=tuple(replace(c, value=sp.S.Zero) for c in problem.initial),
            boundary=tuple(walls),
            expectations=(),
        ),
        quiet,
    )
    for diagnostic in quiet.diagnostics:
        report.add(diagnostic)
    return None if system is None else _Template(system, data)


def _fill(template: _Template, solution: Mapping[str, sp.Expr]) -> System:
    """The template with the data that the solution asks for."""
    system = template.system
    problem = system.problem
    exact = {c.value: solution[c.name] for c in problem.components}
    values = {symbol: _data(e, exact, problem) for symbol, e in template.data.items()}
    return replace(
        system,
        problem=problem,
        evolution=tuple(replace(e, terms=_filled(e.terms, values)) for e in system.evolution),
        constraints=tuple(replace(c, terms=_filled(c.terms, values)) for c in system.constraints),
        initial=tuple(_initial(system, i, exact) for i in range(len(system.unknowns))),
        boundary=tuple(_wall(b, values) for b in system.boundary),
    )


def _data(datum: _Datum, exact: Mapping[AppliedUndef, sp.Expr], problem: Problem) -> sp.Expr:
    value = at_solution(without_moduli(datum.value), exact)
    value = value.replace(lambda n: isinstance(n, FractionalOperator), _by_powers)
    value = value.replace(lambda n: isinstance(n, Nonlocal), lambda n: _by_modes(n, problem))
    value = integrated(value, problem)
    return value.doit().subs(dict(datum.place))


def _by_modes(node: sp.Expr, problem: Problem) -> sp.Expr:
    """A nonlocal operator of a sum of waves, wave by wave: its symbol is even in the wavenumbers."""
    axes = tuple(a.symbol for a in problem.axes)
    names = {s: sp.Symbol(f"k_{s}", real=True) for s in axes}
    symbol = fourier_symbol(node, names)
    total = sp.S.Zero
    for term in sp.Add.make_args(sp.expand(TR8(sp.expand(node.args[0].doit())))):
        waves = [w for w in term.atoms(sp.sin, sp.cos) if w.free_symbols & set(axes)]
        phase = waves[0].args[0] if waves else sp.S.Zero
        total += symbol.subs({names[s]: sp.diff(phase, s) for s in axes}) * term
    return total


def _by_powers(node: FractionalOperator) -> sp.Expr:
    """A derivative in time of a sum of powers of the time since the base, power by power.

    A tempered one is of powers that fade at its rate, if its operand does.
    """
    t, base = node.variable, node.base
    fades = any(t in factor.free_symbols for factor in node.operand.atoms(sp.exp))
    fading = sp.exp(-rate_of(node) * (t - base)) if fades else sp.S.One
    powers = node.operand if fading == 1 else sp.powsimp(sp.expand(node.operand / fading))
    total = sp.S.Zero
    for k in range(HIGHEST_POWER + 1):
        coefficient = sp.diff(powers, t, k).subs(t, base) / sp.factorial(k)
        if coefficient != 0:
            total += coefficient * summed(node.of(fading * (t - base) ** k).doit())
    return total


def _filled(terms: Terms, values: Mapping[sp.Symbol, sp.Expr]) -> Terms:
    forcing = []
    for term in terms.forcing:
        if (term.coefficient * term.flux).free_symbols & values.keys():
            flux = (term.coefficient * term.flux).xreplace(dict(values))
            term = FluxTerm(sp.S.One, term.orders, flux, term.span)
        forcing.append(term)
    known = dict(values)
    written = tuple(replace(s, value=s.value.xreplace(known)) for s in terms.written)
    return replace(terms, forcing=tuple(forcing), written=written)


def _initial(system: System, index: int, exact: Mapping[AppliedUndef, sp.Expr]) -> sp.Expr | None:
    unknown = system.unknowns[index]
    if unknown.algebraic or system.time is None:
        return None
    order = 0
    while unknown.rate_of is not None:
        unknown, order = system.unknowns[unknown.rate_of], order + 1
    value = sp.diff(exact[unknown.value], system.time.symbol, order)
    return value.subs(system.time.symbol, system.time.lower)


def _wall(boundary: Boundary, values: Mapping[sp.Symbol, sp.Expr]) -> Boundary:
    return replace(boundary, data=boundary.data.xreplace(dict(values)))


# --- scales ---


def _duration(problem: Problem, system: System, shapes: Mapping[str, Shape]) -> float | None:
    """How long the fastest term takes to change the solution, at most as long as the problem lasts."""
    if problem.time is None:
        return None
    exact = {c.value: e for c, e in zip(problem.components, still_solution(problem, shapes), strict=True)}
    values = points_of(problem, 0.0)
    spans = [float(sample(problem.time.upper - problem.time.lower, values))]
    for evolution in system.evolution:
        unknown = system.unknowns[evolution.unknown]
        order = 1
        while unknown.rate_of is not None:
            unknown, order = system.unknowns[unknown.rate_of], order + 1
        size = shapes[unknown.name].amplitude
        terms: tuple[LinearTerm | FluxTerm, ...] = (*evolution.terms.linear, *evolution.terms.nonlinear)
        for term in terms:
            held = _term(term, system, exact, problem)
            sizes = np.abs(sample(held, values))
            largest = float(np.max(sizes[~np.isnan(sizes)], initial=0.0))
            if np.isfinite(largest) and largest > 0:
                spans.append((size / largest) ** (1 / order))
    return min(*spans, _growth_time(problem, system, exact))


def _growth_time(problem: Problem, system: System, exact: Mapping[AppliedUndef, sp.Expr]) -> float:
    """Twice the time in which a disturbance of the solution grows by e; infinite if none does."""
    begun = replace(system, initial=tuple(exact.get(u.value) for u in system.unknowns))
    frozen = linearise(begun, _FROZEN[len(problem.axes)])
    values = nominal(system)
    modes = [
        2 * np.pi * np.arange(_MODES[len(problem.axes)]) / float(sample(a.upper - a.lower, values))
        for a in problem.axes
    ]
    rate = float(np.max(eigenvalues(begun, frozen, modes, exact_symbol).real, initial=0.0))
    return 2 / rate if rate > 0 else np.inf


def _term(
    term: LinearTerm | FluxTerm, system: System, exact: Mapping[AppliedUndef, sp.Expr], problem: Problem
) -> sp.Expr:
    """A term of an evolution equation at the solution; rates count as zero."""
    if isinstance(term, LinearTerm):
        unknown = system.unknowns[term.unknown]
        if unknown.value not in exact:
            return sp.S.Zero
        value = term.coefficient * exact[unknown.value]
        for axis, order in zip(problem.axes, term.orders, strict=True):
            value = sp.diff(value, axis.symbol, order)
        return value
    known = dict(exact) | {u.value: sp.S.Zero for u in system.unknowns if u.value not in exact}
    flux = integrated(at_solution(term.coefficient * term.flux, known), problem)
    return flux.replace(lambda n: isinstance(n, Nonlocal), lambda n: n.args[0]).doit()


def _integrals_left(system: System) -> set[sp.Basic]:
    stated: tuple[Evolution | Constraint, ...] = (*system.evolution, *system.constraints)
    return {n for e in stated for term in e.terms.forcing for n in term.flux.atoms(*INTEGRALS)}


def _faulty(system: System, problem: Problem, duration: float | None) -> Span | None:
    """The equation whose source has no finite value somewhere, or is complex in a real problem."""
    real = not any(c.complex for c in problem.components)
    places = [points_of(problem, elapsed) for elapsed in (0.0, duration or 0.0)]
    stated: tuple[Evolution | Constraint, ...] = (*system.evolution, *system.constraints)
    for equation in stated:
        for term in equation.terms.forcing:
            for values in places:
                found = sample(term.flux, values)
                if not np.isfinite(found).all() or (real and np.any(np.imag(found))):
                    return equation.span
    return None
