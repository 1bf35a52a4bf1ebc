"""Conservative forms: nonlinear terms as derivatives of pointwise fluxes, with the fewest transforms.

Three readings of the same value compete: expanded, as written, and integrated (`u u_x` = ½ (u²)_x; the
advection of an incompressible flow needs the constraint for it). The count is what a pseudo-spectral
evaluation pays: one inverse transform per distinct jet, one forward transform per distinct flux.
"""

from collections.abc import Iterable, Sequence

import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.integrals import INTEGRALS
from nablax.passes import jets
from nablax.problem import Summand
from nablax.system import FluxTerm, Orders

Fluxes = tuple[FluxTerm, ...]
_CANDIDATES = 60  # fluxes tried in one integration; the linear system stays small


def transforms(forms: Iterable[Fluxes]) -> int:
    """Transforms of one evaluation of all equations: distinct jets inverse, distinct fluxes forward."""
    forms = tuple(forms)
    found: set[sp.Basic] = set()
    forward = 0
    seen: set[sp.Expr] = set()
    for form in forms:
        groups: dict[tuple[Orders, sp.Expr], sp.Expr] = {}
        for term in form:
            found |= jets.jets(term.flux)
            key = (term.orders, term.coefficient)
            groups[key] = groups.get(key, sp.S.Zero) + term.flux
        for flux in groups.values():
            _, shape = sp.expand(flux).as_content_primitive()
            if shape not in seen and -shape not in seen:
                seen.add(shape)
                forward += 1
    return len(found) + forward


def choose(candidates: Sequence[Sequence[Fluxes]]) -> tuple[Fluxes, ...]:
    """One form per equation so that all together need the fewest transforms; ties go to the first."""
    chosen = [forms[0] for forms in candidates]
    improved = True
    while improved:
        improved = False
        for i, forms in enumerate(candidates):
            for form in forms:
                trial = [*chosen[:i], form, *chosen[i + 1 :]]
                if transforms(trial) < transforms(chosen):
                    chosen, improved = trial, True
    # Equations may have to change together (a velocity's components): try the last forms of all.
    together = [forms[-1] for forms in candidates]
    return tuple(together if transforms(together) < transforms(chosen) else chosen)


def as_written(summands: Iterable[Summand], space: tuple[sp.Symbol, ...], real: bool) -> Fluxes | None:
    """Fluxes where the text has a derivative of a composite; None where that form cannot be kept."""
    found: list[FluxTerm] = []
    zero: Orders = (0,) * len(space)
    for summand in summands:
        for coefficient, orders, flux in _distribute(summand.value, space, zero, real):
            if coefficient.free_symbols & set(space):
                if any(orders):
                    return None
                coefficient, flux = sp.S.One, coefficient * flux
            found.append(FluxTerm(coefficient, orders, flux, summand.span))
    return tuple(found)


def _split_sums(value: sp.Expr) -> sp.Expr:
    """A product with sums, distributed once; derivatives stay closed."""
    frozen = {d: sp.Dummy() for d in value.atoms(sp.Derivative)}
    thaw = {name: node for node, name in frozen.items()}
    return sp.expand_mul(value.xreplace(frozen), deep=False).xreplace(thaw)


def _distribute(
    value: sp.Expr, space: tuple[sp.Symbol, ...], orders: Orders, real: bool
) -> list[tuple[sp.Expr, Orders, sp.Expr]]:
    """(coefficient, orders, flux) of every term; the derivative is drawn over sums and past constants."""
    found: list[tuple[sp.Expr, Orders, sp.Expr]] = []
    for term in sp.Add.make_args(_split_sums(value)):
        plain: list[sp.Expr] = []
        moving: list[sp.Expr] = []
        for factor in sp.Mul.make_args(term):
            constant = not factor.has(AppliedUndef) and not factor.free_symbols & set(space)
            (plain if constant else moving).append(factor)
        inner = sp.Mul(*moving)
        if isinstance(inner, sp.Derivative) and not jets.is_jet(inner):
            more = tuple(o + n for o, n in zip(orders, jets.orders_of(inner, space), strict=True))
            for c, o, f in _distribute(inner.expr, space, more, real):
                found.append((sp.Mul(*plain) * c, o, f))
        else:
            for part in sp.Add.make_args(jets.expand(inner, real)):
                found.append((sp.Mul(*plain), orders, part))
    return found


def integrated(
    summands: Sequence[Summand],
    space: tuple[sp.Symbol, ...],
    vanishing: Sequence[sp.Expr],
) -> Fluxes | None:
    """The expanded terms as total derivatives, `vanishing` expressions (constraints) used freely.

    Unknown coefficients of candidate fluxes are fixed by comparing products of jets: a linear system
    over the rationals and the parameters. Terms without a derivative stay as they are. None where no
    integral is found.
    """
    zero: Orders = (0,) * len(space)
    rest = [s for s in summands if not _differentiated(s.value)]
    target = [s for s in summands if _differentiated(s.value)]
    if not target:
        return None
    whole = sp.expand(sp.Add(*(s.value for s in target)))
    terms = [jets.factors(term) for term in sp.Add.make_args(whole)]
    if any(plain.free_symbols & set(space) for plain, _ in terms):
        return None
    products = [moving for _, moving in terms]
    if not all(_polynomial(p) for p in products):
        return None
    span = target[0].span
    for pure in (True, False):
        fluxes = _candidates(products, space, pure)
        if not fluxes or len(fluxes) > _CANDIDATES:
            continue
        solution = _solve(whole, fluxes, _multiples(products, vanishing, fluxes, space), space)
        if solution is not None:
            found = [FluxTerm(c, o, f, span) for c, (o, f) in zip(solution, fluxes, strict=True) if c != 0]
            return (*found, *(FluxTerm(sp.S.One, zero, s.value, s.span) for s in rest))
    return None


def _differentiated(value: sp.Expr) -> bool:
    return any(not isinstance(j, (AppliedUndef, *INTEGRALS)) for j in jets.jets(value))


def _polynomial(product: sp.Expr) -> bool:
    return all(
        jets.is_jet(f.as_base_exp()[0]) and f.as_base_exp()[1].is_Integer and f.as_base_exp()[1] > 0
        for f in sp.Mul.make_args(product)
    )


def _lowered(product: sp.Expr, space: tuple[sp.Symbol, ...]) -> set[tuple[int, sp.Expr]]:
    """(axis, flux) with one derivative along the axis taken off one factor."""
    found = set()
    for factor in jets.jets(product):
        orders = jets.orders_of(factor, space)
        for axis, n in enumerate(orders):
            if n and isinstance(factor, sp.Derivative):
                lower = tuple(o - (i == axis) for i, o in enumerate(orders))
                found.add((axis, product / factor * jets.derivative(jets.base(factor), space, lower)))
    return found


def _candidates(
    products: Sequence[sp.Expr], space: tuple[sp.Symbol, ...], pure: bool
) -> list[tuple[Orders, sp.Expr]]:
    """Fluxes that could stand under a derivative; `pure` ones hold no derivative themselves."""
    unit = [tuple(int(i == a) for i in range(len(space))) for a in range(len(space))]
    found: dict[tuple[Orders, sp.Expr], None] = {}
    for product in products:
        for axis, flux in sorted(_lowered(product, space), key=lambda p: (p[0], str(p[1]))):
            once = unit[axis]
            found[(once, flux)] = None
            for second, deeper in sorted(_lowered(flux, space), key=lambda p: (p[0], str(p[1]))):
                twice = tuple(a + b for a, b in zip(once, unit[second], strict=True))
                found[(twice, deeper)] = None
    if pure:
        return [(o, f) for o, f in found if not _differentiated(f)]
    return list(found)


def _multiples(
    products: Sequence[sp.Expr],
    vanishing: Sequence[sp.Expr],
    fluxes: Sequence[tuple[Orders, sp.Expr]],
    space: tuple[sp.Symbol, ...],
) -> list[sp.Expr]:
    """Products of jets times a vanishing expression that could cancel a term."""
    found: dict[sp.Expr, None] = {}
    if not vanishing:
        return []
    reach = set(products)
    for orders, flux in fluxes:
        expanded = jets.expand(jets.derivative(flux, space, orders), real=True)
        reach |= {jets.factors(t)[1] for t in sp.Add.make_args(expanded)}
    for expression in vanishing:
        for product in sorted(reach, key=str):
            for jet in jets.jets(expression):
                cofactor = product / jet
                if jets.jets(sp.denom(cofactor)):
                    continue
                found[sp.expand(cofactor * expression)] = None
    return list(found)[:_CANDIDATES]


def _solve(
    whole: sp.Expr,
    fluxes: Sequence[tuple[Orders, sp.Expr]],
    multiples: Sequence[sp.Expr],
    space: tuple[sp.Symbol, ...],
) -> list[sp.Expr] | None:
    unknowns = sp.symbols(f"c0:{len(fluxes) + len(multiples)}", cls=sp.Dummy)
    columns = [
        jets.expand(jets.derivative(flux, space, orders), real=True) for orders, flux in fluxes
    ] + list(multiples)
    equations: dict[sp.Expr, sp.Expr] = {}
    for column, unknown in zip(columns, unknowns, strict=True):
        for term in sp.Add.make_args(column):
            plain, moving = jets.factors(term)
            equations[moving] = equations.get(moving, sp.S.Zero) + plain * unknown
    for term in sp.Add.make_args(whole):
        plain, moving = jets.factors(term)
        if moving not in equations:
            return None
        equations[moving] -= plain
    solutions = sp.linsolve(list(equations.values()), list(unknowns))
    if not solutions:
        return None
    (solution,) = solutions
    free = dict.fromkeys(unknowns, sp.S.Zero)
    return [sp.expand(value.xreplace(free)) for value in solution[: len(fluxes)]]


def equal(form: Fluxes, summands: Iterable[Summand], vanishing: Sequence[sp.Expr],
          space: tuple[sp.Symbol, ...], real: bool) -> bool:  # fmt: skip
    """Whether a form has the value of the summands, symbolically (modulo the vanishing expressions)."""
    difference = sp.Add(
        *(t.coefficient * jets.expand(jets.derivative(t.flux, space, t.orders), real) for t in form)
    ) - sp.Add(*(s.value for s in summands))
    difference = sp.expand(jets.expand(difference, real))
    if difference == 0:
        return True
    for expression in vanishing:
        leading = max(jets.jets(expression), key=lambda j: (jets.orders_of(j, space), str(j)))
        solved = sp.solve(expression, leading, dict=True)
        if len(solved) == 1:
            difference = sp.expand(difference.xreplace(solved[0]))
    return bool(difference == 0)
