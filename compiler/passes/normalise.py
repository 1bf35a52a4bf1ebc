"""Problem to system: counts, time derivatives isolated, first order in time, terms split."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.limits import DERIVATIVE_ORDER, EXPRESSION_TERMS, TooLarge
from nablax.nonlocal_operators import Nonlocal
from nablax.passes import conservative
from nablax.passes.boundary import boundary_conditions, check_counts
from nablax.passes.jets import base, expand, is_jet, jets, orders_of
from nablax.passes.split import linear_part, split
from nablax.problem import Component, Equation, Problem, Summand
from nablax.system import Constraint, Evolution, LinearTerm, System, Terms, Unknown

Expanded = tuple[Summand, ...]


@dataclass(frozen=True, slots=True)
class Solved:
    """An equation solved for one time derivative: mass(d/dt) = right, and `written` the same as it stands
    in the text (empty where that form is lost)."""

    equation: Equation
    unknown: int
    mass: tuple[LinearTerm, ...]
    right: Expanded
    written: Expanded


def normalise(problem: Problem, report: Report) -> System | None:
    """The normal form of a problem without errors; None (and a report) where there is none."""
    if not _off_centre(problem, report):
        return None
    expanded = _expand_all(problem, report)
    if expanded is None or not _checked_values(problem, expanded, report):
        return None
    if not _counted(problem, expanded, report):
        return None
    heights = _time_orders(problem, expanded)
    unknowns = _unknowns(problem, heights)
    parts = _isolate(problem, expanded, heights, unknowns, report)
    if parts is None:
        return None
    evolution, constraints = parts
    initial = _initial(problem, unknowns, report)
    boundary = boundary_conditions(problem, unknowns, report)
    if boundary is None:
        return None
    check_counts(problem, unknowns, evolution, boundary, report)
    return System(problem, unknowns, evolution, constraints, initial, boundary)


def _off_centre(problem: Problem, report: Report) -> bool:
    """Whether the radius of curvilinear coordinates stays away from 0, which is no wall."""
    if problem.coordinates == "cartesian":
        return True
    radius = problem.axes[0]
    lower = radius.lower.subs({p.symbol: p.value for p in problem.parameters})
    if lower > 0:
        return True
    report.error(
        "P402",
        radius.span,
        f"the centre of {problem.coordinates} coordinates ({radius.name} = 0) is not available yet",
        help=f"begin the axis above 0: `{radius.name} in [0.01, ...]` with a condition there, or use a box",
    )
    return False


def _real(problem: Problem) -> bool:
    return not any(c.complex for c in problem.components)


def _expand_all(problem: Problem, report: Report) -> tuple[Expanded, ...] | None:
    real = _real(problem)
    found: list[Expanded] = []
    count = 0
    for equation in problem.equations:
        summands: list[Summand] = []
        for summand in equation.summands:
            try:
                value = expand(summand.value, real)
            except TooLarge:
                report.error(
                    "P316",
                    summand.span,
                    f"this term has more than {EXPRESSION_TERMS} terms when it is multiplied out",
                    help="lower its powers or the order of its derivatives",
                )
                continue
            before = count
            count += len(sp.Add.make_args(value))
            if before <= EXPRESSION_TERMS < count:
                report.error(
                    "P316",
                    summand.span,
                    f"the equations have more than {EXPRESSION_TERMS} terms when they are multiplied out",
                    label="here the limit is passed",
                    help="lower powers or the order of derivatives",
                )
            stray = [n for n in value.atoms(*Nonlocal) if not is_jet(n)]
            if stray:
                report.error(
                    "P402",
                    summand.span,
                    "a nonlocal operator of a nonlinear or space-dependent expression is not available yet",
                    help="apply it to a field, or to a sum of fields with constant coefficients",
                )
            t = problem.time.symbol if problem.time else None
            if any(t in d.variables for n in value.atoms(*Nonlocal) for d in n.atoms(sp.Derivative)):
                report.error(
                    "P402",
                    summand.span,
                    "a nonlocal operator of a time derivative is not available yet",
                    help="apply it to the field itself, or solve the equation for the time derivative",
                )
            if value.has(sp.zoo, sp.nan):
                report.error(
                    "P320", summand.span, "this term has no finite value", help="check its divisions"
                )
            if value.has(sp.DiracDelta, sp.Subs):
                report.error(
                    "P309",
                    summand.span,
                    "a function with a jump is differentiated",
                    label="not proven to be continuous",
                    help="use a smooth function, such as `tanh((x - a)/w)`",
                )
            highest = max((_total_order(j) for j in jets(value)), default=0)
            if highest > DERIVATIVE_ORDER:
                report.error(
                    "P315",
                    summand.span,
                    f"this term holds a derivative of order {highest}, and the limit is {DERIVATIVE_ORDER}",
                    help="lower the order",
                )
            summands.append(Summand(value, summand.span))
        found.append(tuple(summands))
    return None if report.failed else tuple(found)


def _total_order(jet: sp.Basic) -> int:
    while isinstance(jet, Nonlocal):
        jet = jet.args[0]
    return sum(int(n) for _, n in jet.variable_count) if isinstance(jet, sp.Derivative) else 0


def _checked_values(problem: Problem, expanded: Sequence[Expanded], report: Report) -> bool:
    """Equations that say nothing, or that are complex where every field is real."""
    good = True
    for equation, summands in zip(problem.equations, expanded, strict=True):
        total = sp.expand(sp.Add(*(s.value for s in summands)))
        if not total.has(AppliedUndef):
            what = "is true whatever the fields are" if total == 0 else "speaks of no field"
            report.error(
                "P310", equation.span, f"this equation {what}", help="remove it, or correct a name in it"
            )
            good = False
        elif _real(problem) and total.has(sp.I):
            report.error(
                "P208",
                next(s.span for s in summands if s.value.has(sp.I)),
                "this term is imaginary, and every field is real",
                help="declare the field as complex: `psi: complex`",
            )
            good = False
    return good


def _counted(problem: Problem, expanded: Sequence[Expanded], report: Report) -> bool:
    """As many equations as unknowns, and an unknown for every equation to determine."""
    components = problem.components
    match = _matching(problem, expanded)
    left_over = [c for c in components if c not in match.values()]
    if not left_over and len(expanded) == len(components):
        return True
    counts = (
        f"{len(expanded)} equation{'' if len(expanded) == 1 else 's'} for {len(components)} "
        f"unknown{'' if len(components) == 1 else 's'}"
    )
    if left_over:
        names = ", ".join(f"`{c.name}`" for c in left_over)
        report.error(
            "P302",
            left_over[0].span,
            f"nothing determines {names}: there {'is' if len(expanded) == 1 else 'are'} {counts}",
            label="no equation is left for this one",
            help=f"add an equation for {names}, or remove it from `fields`",
        )
    else:
        extra = next(i for i in range(len(expanded)) if i not in match)
        report.error(
            "P302",
            problem.equations[extra].span,
            f"there are {counts}",
            label="no unknown is left for this equation",
            notes=(
                Note(
                    f"the only unknown is `{components[0].name}`"
                    if len(components) == 1
                    else f"the unknowns are {', '.join(f'`{c.name}`' for c in components)}"
                ),
            ),
            help="remove an equation, or declare the field that it determines",
        )
    return False


def _matching(problem: Problem, expanded: Sequence[Expanded]) -> dict[int, Component]:
    """A largest assignment of equations to components they contain; time derivatives go first."""
    by_value = {c.value: c for c in problem.components}
    t = problem.time.symbol if problem.time else None
    wishes: list[list[Component]] = []
    for summands in expanded:
        found: dict[Component, int] = {}
        for jet in sorted((j for s in summands for j in jets(s.value)), key=sp.default_sort_key):
            component = by_value[base(jet)]
            moving = t is not None and not isinstance(jet, Nonlocal) and orders_of(jet, (t,))[0]
            found[component] = min(found.get(component, 1), 0 if moving else 1)
        wishes.append(sorted(found, key=lambda c: (found[c], problem.components.index(c))))
    owner: dict[Component, int] = {}

    def assign(i: int, seen: set[Component]) -> bool:
        for component in wishes[i]:
            if component not in seen:
                seen.add(component)
                if component not in owner or assign(owner[component], seen):
                    owner[component] = i
                    return True
        return False

    order = sorted(range(len(wishes)), key=lambda i: len(wishes[i]))
    for i in order:
        assign(i, set())
    return {i: c for c, i in owner.items()}


def _time_orders(problem: Problem, expanded: Sequence[Expanded]) -> dict[AppliedUndef, int]:
    heights = {c.value: 0 for c in problem.components}
    if problem.time is not None:
        for summands in expanded:
            for summand in summands:
                for jet in jets(summand.value):
                    order = orders_of(jet, (problem.time.symbol,))[0]
                    heights[base(jet)] = max(heights[base(jet)], order)
    return heights


def _unknowns(problem: Problem, heights: Mapping[AppliedUndef, int]) -> tuple[Unknown, ...]:
    """Components first, then rates: `dt(w)`, `dtt(w)`, ... up to one below the highest order."""
    found = [
        Unknown(c.name, c.value, c.complex, None, heights[c.value] == 0, c.span) for c in problem.components
    ]
    for i, component in enumerate(problem.components):
        parent = i
        for order in range(1, heights[component.value]):
            name = f"d{'t' * order}({component.name})"
            kind = {"complex": True} if component.complex else {"real": True}
            value = sp.Function(name, **kind)(*component.value.args)
            found.append(Unknown(name, value, component.complex, parent, False, component.span))
            parent = len(found) - 1
    return tuple(found)


def _isolate(
    problem: Problem,
    expanded: Sequence[Expanded],
    heights: Mapping[AppliedUndef, int],
    unknowns: tuple[Unknown, ...],
    report: Report,
) -> tuple[tuple[Evolution, ...], tuple[Constraint, ...]] | None:
    """Solve for the highest time derivatives; what has none is a constraint."""
    tops, rewritten = _rename_rates(problem, expanded, heights, unknowns)
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
    real = _real(problem)
    forms: list[list[conservative.Fluxes]] = []
    terms: list[Terms] = []
    for side in sides:
        parts = split(side.right, index, space, k_symbols)
        terms.append(parts)
        forms.append(_forms(parts, side.written, space, vanishing, real))
    chosen = conservative.choose(forms) if forms else ()
    evolution: list[Evolution] = []
    for side, parts, form in zip(sides, terms, chosen, strict=True):
        name = side.equation.name or unknowns[_root(side.unknown, unknowns)].name
        full = replace(parts, conservative=form)
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
    constraints = tuple(
        Constraint(
            equation.name or f"constraint {k + 1}",
            split(summands, index, space, k_symbols),
            equation.span,
        )
        for k, (equation, summands) in enumerate(constraint_rests)
    )
    return tuple(evolution), constraints


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _root(unknown: int, unknowns: Sequence[Unknown]) -> int:
    parent = unknowns[unknown].rate_of
    return unknown if parent is None else _root(parent, unknowns)


def _is_top(i: int, unknowns: Sequence[Unknown]) -> bool:
    """Whether the time derivative of this unknown is given by an equation of the problem."""
    return all(u.rate_of != i for u in unknowns)


def _rename_rates(
    problem: Problem,
    expanded: Sequence[Expanded],
    heights: Mapping[AppliedUndef, int],
    unknowns: Sequence[Unknown],
) -> tuple[dict[sp.Basic, int], list[Expanded]]:
    """Lower time derivatives become rates; the highest ones become derivatives of first order of rates.

    Returns the top jets with the index of the unknown whose time derivative they are.
    """
    if problem.time is None:
        return {}, list(expanded)
    t = problem.time.symbol
    space = tuple(a.symbol for a in problem.axes)
    chains: dict[AppliedUndef, list[int]] = {}
    for i, unknown in enumerate(unknowns):
        if unknown.rate_of is None:
            chains[unknown.value] = [i]
    for i, unknown in enumerate(unknowns):
        if unknown.rate_of is not None:
            chains[unknowns[_root(i, unknowns)].value].append(i)
    tops: dict[sp.Basic, int] = {}
    rename: dict[sp.Basic, sp.Basic] = {}
    for summands in expanded:
        for summand in summands:
            for jet in jets(summand.value):
                if isinstance(jet, Nonlocal):
                    continue
                order = orders_of(jet, (t,))[0]
                if not order:
                    continue
                chain = chains[base(jet)]
                height = heights[base(jet)]
                pairs = [(s, n) for s, n in zip(space, orders_of(jet, space), strict=True) if n]
                if order < height:
                    value: sp.Expr = unknowns[chain[order]].value
                    rename[jet] = sp.Derivative(value, *pairs) if pairs else value
                else:
                    last = unknowns[chain[-1]].value
                    top = sp.Derivative(last, *pairs, t)
                    rename[jet] = top
                    tops[top] = chain[-1]
    rewritten = [tuple(Summand(s.value.xreplace(rename), s.span) for s in summands) for summands in expanded]
    return tops, rewritten


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
    real = _real(problem)
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
        if t is None or not any(t in d.variables for d in summand.value.atoms(sp.Derivative)):
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
            fluxes = tuple(t for t in kept if t.flux.has(AppliedUndef) and linear_part(t.flux) is None)
            forms.append(fluxes)
    if real:
        integral = conservative.integrated(summands, space, vanishing)
        if integral is not None:
            forms.append(integral)
    return forms


def _initial(problem: Problem, unknowns: Sequence[Unknown], report: Report) -> tuple[sp.Expr | None, ...]:
    """One value per evolving unknown; missing and superfluous ones are errors."""
    given: dict[tuple[str, int], tuple[sp.Expr, Span]] = {}
    for condition in problem.initial:
        key = (condition.component, condition.order)
        if key in given:
            report.error(
                "P304",
                condition.span,
                f"`{_rate_name(*key)}` has two initial values",
                label="second one",
                notes=(Note("the first one", given[key][1]),),
                help="keep one of them",
            )
        given[key] = (condition.value, condition.span)
    values: list[sp.Expr | None] = []
    for i, unknown in enumerate(unknowns):
        root = unknowns[_root(i, unknowns)]
        order = 0
        parent = unknown.rate_of
        while parent is not None:
            order, parent = order + 1, unknowns[parent].rate_of
        entry = given.pop((root.name, order), None)
        values.append(entry[0] if entry else None)
        if entry is None and not unknown.algebraic and problem.time is not None:
            if order:
                report.error(
                    "P303",
                    root.span,
                    f"`{root.name}` is differentiated {order + 1} times in time, and `{unknown.name}` "
                    "has no initial value",
                    help=f"add `{unknown.name} = 0` (or the rate it starts with) to `initial`",
                )
            else:
                report.error(
                    "P303",
                    root.span,
                    f"`{root.name}` has no initial value",
                    help=f"add `{root.name} = ...` to `initial`",
                )
        elif entry is not None and unknown.algebraic:
            report.error(
                "P304",
                entry[1],
                f"`{unknown.name}` has an initial value, and no equation holds its time derivative",
                help="remove the initial value: the equations determine it at every time",
            )
    for (name, order), (_, span) in given.items():
        report.error(
            "P304",
            span,
            f"`{_rate_name(name, order)}` has an initial value, and the equations do not need it",
            help="remove it, or check the order of the time derivative",
        )
    return tuple(values)


def _rate_name(name: str, order: int) -> str:
    return f"d{'t' * order}({name})" if order else name
