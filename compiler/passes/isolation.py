"""Time derivatives isolated: M d/dt = right side, and what holds none a constraint."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.fractional_calculus.operators import FractionalOperator
from nablax.frontend.diagnostics import Report
from nablax.passes import conservative
from nablax.passes.determination import determined
from nablax.passes.expansion import Expanded, is_real
from nablax.passes.jets import expand, jets, orders_of
from nablax.passes.rates import rename_rates
from nablax.passes.split import linear_part, split
from nablax.problem import Equation, Problem, Summand
from nablax.system import Constraint, Evolution, LinearTerm, Terms, Unknown, root_of


@dataclass(frozen=True, slots=True)
class Solved:
    """An equation solved for one time derivative: mass(d/dt) = right, and `written` the same as it stands
    in the text (empty where that form is lost)."""

    equation: Equation
    unknown: int
    mass: tuple[LinearTerm, ...]
    right: Expanded
    written: Expanded


def isolate(
    problem: Problem,
    expanded: Sequence[Expanded],
    heights: Mapping[AppliedUndef, int],
    unknowns: tuple[Unknown, ...],
    report: Report,
) -> tuple[tuple[Evolution, ...], tuple[Constraint, ...]] | None:
    """Solve for the highest time derivatives; what has none is a constraint."""
    tops, rewritten = rename_rates(problem, expanded, heights, unknowns)
    moving = [i for i, u in enumerate(unknowns) if not u.algebraic and _is_top(i, unknowns)]
    rows = [k for k, summands in enumerate(rewritten) if any(_tops_in(s.value, tops) for s in summands)]
    others = [k for k in range(len(rewritten)) if k not in rows]
    if len(rows) != len(moving):
        extra = problem.equations[(rows or others)[-1]]
        report.error(
            "P305",
            extra.span,
            f"{_count(len(rows), 'equation')} with time derivatives for {_count(len(moving), 'field')} "
            "differentiated in time",
            help="combine the equations so that each field's time derivative is determined once",
        )
        return None
    masses = _masses(problem, rewritten, rows, moving, tops, report)
    if masses is None:
        return None
    space = tuple(a.symbol for a in problem.axes)
    index = {u.value: i for i, u in enumerate(unknowns)}
    k_symbols = tuple(sp.Symbol(f"k_{a.name}", real=True) for a in problem.axes)
    constraint_rests = [(problem.equations[k], rewritten[k]) for k in others]
    vanishing = [
        total
        for _, summands in constraint_rests
        if (total := sp.expand(sp.Add(*(s.value for s in summands)))) and _homogeneous_linear(total)
    ]
    sides = _solve_masses(problem, rewritten, rows, moving, masses, tops, report)
    if sides is None:
        return None
    real = is_real(problem)
    forms: list[list[conservative.Fluxes]] = []
    terms: list[Terms] = []
    for side in sides:
        parts = split(side.right, index, space, k_symbols)
        terms.append(parts)
        forms.append(_forms(parts, side.written, space, vanishing, real))
    chosen = conservative.choose(forms) if forms else ()
    evolution: list[Evolution] = []
    for side, parts, form in zip(sides, terms, chosen, strict=True):
        name = side.equation.name or unknowns[root_of(side.unknown, unknowns)].name
        full = replace(parts, conservative=form, written=side.written)
        evolution.append(Evolution(name, side.unknown, side.mass, full, side.equation.span))
    one = sp.S.One
    zero = (0,) * len(space)
    for i, rate_unknown in enumerate(unknowns):
        if rate_unknown.rate_of is not None:
            parent = rate_unknown.rate_of
            span = unknowns[parent].span
            rate = Terms(linear=(LinearTerm(one, i, zero, one, span),))
            plain = (LinearTerm(one, parent, zero, one, span),)
            evolution.append(Evolution(unknowns[parent].name, parent, plain, rate, span))
    evolution.sort(key=lambda e: e.unknown)
    held = [split(summands, index, space, k_symbols) for _, summands in constraint_rests]
    owners = determined(held, unknowns)
    constraints = tuple(
        Constraint(
            equation.name or (f"constraint {k + 1}" if owner is None else unknowns[owner].name),
            terms,
            equation.span,
            owner,
        )
        for k, ((equation, _), terms, owner) in enumerate(zip(constraint_rests, held, owners, strict=True))
    )
    return tuple(evolution), constraints


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _is_top(i: int, unknowns: Sequence[Unknown]) -> bool:
    """Whether the time derivative of this unknown is given by an equation of the problem."""
    return all(u.rate_of != i for u in unknowns)


def _tops_in(value: sp.Expr, tops: Mapping[sp.Basic, int]) -> list[sp.Basic]:
    return [j for j in jets(value) if j in tops]


def _masses(
    problem: Problem,
    rewritten: Sequence[Expanded],
    rows: Sequence[int],
    moving: Sequence[int],
    tops: Mapping[sp.Basic, int],
    report: Report,
) -> list[dict[sp.Basic, sp.Expr]] | None:
    """Per row, the coefficient of every top jet; the tops must stand linearly."""
    found: list[dict[sp.Basic, sp.Expr]] = []
    for k in rows:
        total = sp.Add(*(s.value for s in rewritten[k]))
        present = sorted(_tops_in(total, tops), key=sp.default_sort_key)
        names = {top: sp.Dummy() for top in present}
        frozen = total.xreplace(names)
        mass = {top: sp.expand(sp.diff(frozen, name)) for top, name in names.items()}
        dummies = frozenset(names.values())
        if any(m.free_symbols & dummies for m in mass.values()):
            span = next(s.span for s in rewritten[k] if _tops_in(s.value, tops))
            report.error(
                "P305",
                span,
                "the highest time derivative stands under a power or a function",
                help="solve the equation for the time derivative by hand",
            )
            return None
        found.append({top: m for top, m in mass.items() if m != 0})
    return found


def _solve_masses(
    problem: Problem,
    rewritten: Sequence[Expanded],
    rows: Sequence[int],
    moving: Sequence[int],
    masses: Sequence[Mapping[sp.Basic, sp.Expr]],
    tops: Mapping[sp.Basic, int],
    report: Report,
) -> list[Solved] | None:
    """(equation, unknown, mass, expanded right side, right side as written) for every moving unknown."""
    space = tuple(a.symbol for a in problem.axes)
    zero = (0,) * len(space)
    plain = all(orders_of(top, space) == zero for mass in masses for top in mass)
    rests = [tuple(Summand(-_without(s.value, tops), s.span) for s in rewritten[k]) for k in rows]
    written = [
        _written_rest(problem.equations[k], problem, rest) for k, rest in zip(rows, rests, strict=True)
    ]
    if not plain:
        return _operator_masses(problem, rows, moving, masses, tops, rests, written, space, report)
    if not rows:
        return []
    matrix = sp.zeros(len(rows), len(moving))
    for r, mass in enumerate(masses):
        for top, coefficient in mass.items():
            matrix[r, moving.index(tops[top])] += coefficient
    if sp.simplify(matrix.det(method="berkowitz")) == 0:
        report.error(
            "P305",
            problem.equations[rows[0]].span,
            "the time derivatives cannot be solved for: the equations fix the same combination of them twice",
            help="replace one of the equations",
        )
        return None
    inverse = matrix.inv() if not matrix.is_diagonal() else sp.diag(*(1 / d for d in matrix.diagonal()))
    real = is_real(problem)
    sides = []
    for m, unknown in enumerate(moving):
        used = [r for r in range(len(rows)) if inverse[m, r] != 0]
        weights = {r: sp.simplify(inverse[m, r]) if inverse[m, r].args else inverse[m, r] for r in used}
        right = tuple(
            Summand(expand(weights[r] * s.value, real), s.span)
            for r in used
            for s in rests[r]
            if s.value != 0
        )
        kept = all(not w.free_symbols & set(space) and not w.has(AppliedUndef) for w in weights.values())
        as_written = (
            tuple(Summand(weights[r] * s.value, s.span) for r in used for s in written[r]) if kept else ()
        )
        row = next((r for r in used if matrix[r, m] != 0), used[0])
        one = (LinearTerm(sp.S.One, unknown, zero, sp.S.One, problem.equations[rows[row]].span),)
        sides.append(Solved(problem.equations[rows[row]], unknown, one, right, as_written))
    return sides


def _without(value: sp.Expr, tops: Mapping[sp.Basic, int]) -> sp.Expr:
    return value.xreplace(dict.fromkeys(_tops_in(value, tops), sp.S.Zero))


def _written_rest(equation: Equation, problem: Problem, rest: Expanded) -> Expanded:
    """Summands without a time derivative, signs turned, derivatives as they stand in the text.

    Empty where a summand with a time derivative leaves something on the right side (`rest` holds what the
    expanded summands leave): its form in the text cannot be kept.
    """
    t = problem.time.symbol if problem.time else None
    found = []
    for summand, left in zip(equation.summands, rest, strict=True):
        moving = any(t in d.variables for d in summand.value.atoms(sp.Derivative))
        if t is None or not (moving or summand.value.has(FractionalOperator)):
            found.append(Summand(-summand.value, summand.span))
        elif left.value != 0:
            return ()
    return tuple(found)


def _operator_masses(
    problem: Problem,
    rows: Sequence[int],
    moving: Sequence[int],
    masses: Sequence[Mapping[sp.Basic, sp.Expr]],
    tops: Mapping[sp.Basic, int],
    rests: Sequence[Expanded],
    written: Sequence[Expanded],
    space: tuple[sp.Symbol, ...],
    report: Report,
) -> list[Solved] | None:
    """Space derivatives of time derivatives (dt(dxx(u))): the mass stays an operator."""
    variable = set(problem.symbols)
    sides = []
    free = list(moving)
    for r, mass in enumerate(masses):
        equation = problem.equations[rows[r]]
        if any(c.free_symbols & variable or c.has(AppliedUndef) for c in mass.values()):
            report.error(
                "P402",
                equation.span,
                "space derivatives of a time derivative with coefficients that vary are not available yet",
                help="make the coefficients of the time derivatives constant",
            )
            return None
        own = next((tops[top] for top in mass if tops[top] in free), None)
        if own is None:
            report.error(
                "P305",
                equation.span,
                "no time derivative is left for this equation to determine",
                help="order the equations so that each holds the time derivative of its own field",
            )
            return None
        free.remove(own)
        terms = tuple(
            LinearTerm(c, tops[top], orders_of(top, space), sp.S.One, equation.span)
            for top, c in mass.items()
        )
        sides.append(Solved(equation, own, terms, rests[r], written[r]))
    return sides


def _homogeneous_linear(total: sp.Expr) -> bool:
    return all(jets(term) and linear_part(term) is not None for term in sp.Add.make_args(total))


def _forms(
    parts: Terms,
    written: Expanded,
    space: tuple[sp.Symbol, ...],
    vanishing: Sequence[sp.Expr],
    real: bool,
) -> list[conservative.Fluxes]:
    """Readings of the nonlinear terms, equal in value (proven by `verify_system`)."""
    expanded = parts.nonlinear
    forms: list[conservative.Fluxes] = [expanded]
    summands = tuple(Summand(t.flux, t.span) for t in expanded)
    if not expanded:
        return forms
    if written:
        kept = conservative.as_written(written, space, real)
        if kept is not None:
            fluxes = tuple(t for t in kept if jets(t.flux) and linear_part(t.flux) is None)
            forms.append(fluxes)
    if real:
        integral = conservative.integrated(summands, space, vanishing)
        if integral is not None:
            forms.append(integral)
    return forms
