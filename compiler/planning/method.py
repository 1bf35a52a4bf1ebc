"""Which method takes a system, in the order constraint, steady, hyperbolic, spectral, finite differences."""

from dataclasses import dataclass

import sympy as sp

from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.nonlocal_operators import Between, IntegralLaplacian, total_order
from nablax.passes.determination import relaxed, saddle_points
from nablax.passes.divergence import Law, Obstacle
from nablax.passes.eigenfunctions import Obstacle as Unexpanded
from nablax.passes.eigenfunctions import expansion_of, has_centred_operator
from nablax.passes.interval import interval_form
from nablax.passes.jets import jets, orders_of
from nablax.plan import Method
from nablax.planning.projection import check_projection
from nablax.planning.settings import Settings
from nablax.planning.walls import operators_of
from nablax.system import System


@dataclass(frozen=True, slots=True)
class Character:
    """What decides between methods.

    Orders are total derivative orders; 0 means none. `constant` is the highest among linear terms with
    coefficients that depend on time and space nowhere, `variable` among all other terms of the equations.
    """

    constant: int
    variable: int
    variable_span: Span | None
    flux: Span | None  # a nonlinear flux under a first derivative
    degree: int  # of the nonlinearity as a polynomial in the unknowns; 0 linear, -1 none (not polynomial)
    nonlocal_span: Span | None
    mass_span: Span | None


def character(system: System) -> Character:
    space = tuple(a.symbol for a in system.axes)
    moving = set(space) | ({system.time.symbol} if system.time else set())
    constant = variable = 0
    variable_span: Span | None = None
    flux_span: Span | None = None
    nonlocal_span: Span | None = None
    degree = 0
    for terms in system.right_sides:
        for term in terms.linear:
            order = max(sum(term.orders), total_order(term.operator, space))
            if term.multiplier != 1:
                nonlocal_span = term.span
            if term.coefficient.free_symbols & moving:
                if order >= variable:
                    variable, variable_span = order, term.span
                if order:
                    degree = max(degree, 2)
            else:
                constant = max(constant, order)
        for flux in terms.nonlinear:
            orders = [_order(j, space) for j in jets(flux.flux)]
            if max(orders) > variable or variable_span is None:
                variable, variable_span = max(variable, *orders), flux.span
            if max(orders) == 1:
                flux_span = flux.span
            degree = _highest(degree, _degree(flux.flux))
    masses = [e.span for e in system.evolution if any(any(m.orders) or not m.local for m in e.mass)]
    return Character(
        constant, variable, variable_span, flux_span, degree, nonlocal_span, masses[0] if masses else None
    )


def _order(jet: sp.Basic, space: tuple[sp.Symbol, ...]) -> int:
    return total_order(jet, space) if isinstance(jet, Between) else sum(orders_of(jet, space))


def why_volumes(nature: Character) -> str:
    if nature.flux is not None:
        return "a nonlinear law of first order in divergence form: shocks may form"
    return "the initial data jump, and waves of first order carry the jumps on"


def _highest(a: int, b: int) -> int:
    return -1 if -1 in (a, b) else max(a, b)


def _degree(flux: sp.Expr) -> int:
    found = sorted(jets(flux), key=sp.default_sort_key)
    names = {jet: sp.Dummy() for jet in found}
    frozen = flux.xreplace(names).replace(sp.conjugate, lambda z: z)
    polynomial = frozen.as_poly(*names.values())
    return -1 if polynomial is None else int(polynomial.total_degree())


def choose_method(
    system: System, nature: Character, settings: Settings, form: Law | Obstacle | None, report: Report
) -> tuple[Method, str] | None:
    """The method with its reason; None (and a located message) when none is available.

    `form` is the balance law that finite volumes would take, or why there is none.
    """
    wall = next((a for a in system.axes if not a.periodic), None)
    asked = settings.method
    place = settings.places.get("method")
    curved = system.problem.coordinates != "cartesian"
    if system.time is not None and not system.evolution:
        report.error(
            "P402",
            system.problem.equations[0].span,
            "a problem with a `time` block and no time derivative is not available yet",
            label="no time derivative",
            help="remove the `time` block: the problem is a steady one",
        )
        return None
    multiplied = next((c for c in system.constraints if c.unknown is None), None)
    saddle = next((system.constraints[i] for i in saddle_points(system)), multiplied)
    if saddle is not None and wall is not None and multiplied is None:
        report.error(
            "P402",
            saddle.span,
            f"a saddle point (this constraint, and what it acts through) with walls on `{wall.name}` "
            "is not available yet",
            help="make every axis periodic",
        )
        return None
    if saddle is not None and curved:
        report.error(
            "P402",
            saddle.span,
            f"a constraint in {system.problem.coordinates} coordinates is not available yet",
            help="use cartesian coordinates",
        )
        return None
    if asked == "fv" and place is not None:
        if isinstance(form, Law):
            return "fv", "asked for"
        if isinstance(form, Obstacle):
            report.error(
                "P401",
                place,
                f"finite volumes cannot take this problem: {form.reason}",
                notes=(Note("here", form.span), *settings.origin("method")),
                help="use another method, or leave the choice to the compiler",
            )
        return None
    series = interval_form(system)
    if asked in (None, "spectral") and settings.order is None and series is not None:
        where = "on an interval: Jacobi polynomials know its edges"
        if series.dimension > 1:
            where = "in a ball: Jacobi polynomials know its edge"
        return "spectral", "asked for" if asked else f"a fractional Laplacian {where}"
    centred = has_centred_operator(system)
    if centred or (asked == "spectral" and wall is not None and _around(system)):
        if not _refused_expansion(system, settings, report):
            return "spectral", "asked for" if asked else _EIGENFUNCTIONS
        return None
    if curved and (around := next((s for n, s in operators_of(system) if isinstance(n, Between)), None)):
        report.error(
            "P402",
            around,
            f"a fractional Laplacian in {system.problem.coordinates} coordinates takes functions of the "
            "radius from the centre on, and is linear in the equations",
            help="use cartesian coordinates",
        )
        return None
    if multiplied is not None and wall is not None:
        check_projection(system, report)
        if report.failed:
            return None
    needs = _needs_spectral(system, nature, wall is not None)
    if asked == "fd" and needs is not None and place is not None:
        report.error(
            "P401",
            place,
            f"finite differences cannot take {needs[0]}",
            notes=(Note(f"here is {needs[0]}", needs[1]), *settings.origin("method")),
            help="use `method = spectral`",
        )
        return None
    if needs is not None and (wall is not None or curved):
        report.error(
            "P401",
            needs[1],
            f"only the spectral method takes {needs[0]}, and it needs a periodic cartesian box",
            help=f"make `{wall.name}` periodic" if wall else "use cartesian coordinates",
        )
        return None
    if asked == "spectral" and place is not None:
        if wall is not None:
            report.error(
                "P401",
                place,
                f"the spectral method needs every axis to be periodic, and `{wall.name}` is not",
                notes=(Note(f"`{wall.name}` has two ends", wall.span), *settings.origin("method")),
                help=f"use `method = fd`, or make `{wall.name}` periodic",
            )
            return None
        if curved:
            report.error(
                "P401",
                place,
                "the spectral method needs cartesian coordinates",
                notes=settings.origin("method"),
                help="use `method = fd`",
            )
            return None
        return "spectral", "asked for"
    if asked == "fd":
        return "fd", "asked for"
    if isinstance(form, Law):
        return "fv", why_volumes(nature)
    if isinstance(form, Obstacle) and nature.flux is not None:
        report.warning(
            "P420",
            form.span,
            f"this nonlinear law of first order is in no divergence form: {form.reason}",
            label="shocks may form, and nothing says how fast they run",
            help="write it in conserved quantities, such as `dt(m) + dx(m^2/h + g*h^2/2) = 0`, or keep to "
            "smooth solutions",
        )
    if wall is not None:
        return "fd", f"`{wall.name}` has walls"
    if curved:
        return "fd", f"{system.problem.coordinates} coordinates have variable coefficients"
    if needs is not None:
        return "spectral", f"every axis is periodic, and the equations hold {needs[0]}"
    if nature.variable >= 2 and nature.variable > nature.constant:
        return "fd", (
            "the highest derivatives have coefficients that vary, which Fourier modes do not diagonalise"
        )
    return "spectral", "every axis is periodic and the highest derivatives have constant coefficients"


_EIGENFUNCTIONS = "a fractional Laplacian in a ball: its eigenfunctions know the edge"


def _around(system: System) -> bool:
    """Whether an integral fractional Laplacian stands in the equations."""
    return any(isinstance(node, IntegralLaplacian) for node, _ in operators_of(system))


def _refused_expansion(system: System, settings: Settings, report: Report) -> bool:
    """Whether eigenfunctions of the integral fractional Laplacian do not take a system; says why."""
    options = [o for o in ("order", "method") if o in settings.places and settings.method != "spectral"]
    if settings.order is not None:
        options.append("order")
    option = next(iter(options), None)
    if option is not None:
        report.error(
            "P402",
            settings.places[option],
            "here a fractional Laplacian has eigenfunctions and no differences, and those no order",
            notes=settings.origin(option),
            help="leave out `method` and `order`",
        )
        return True
    found = expansion_of(relaxed(system))
    if not isinstance(found, Unexpanded):
        return False
    report.error(
        "P402",
        found.span,
        f"eigenfunctions of the fractional Laplacian do not take this system: here is {found.what}",
        help="give every field one operator with one order, and leave the other terms without derivatives",
    )
    return True


def _needs_spectral(system: System, nature: Character, walled: bool) -> tuple[str, Span] | None:
    saddle = [c for i, c in enumerate(system.constraints) if c.unknown is None or i in saddle_points(system)]
    if saddle and not walled:
        return "a constraint", saddle[0].span
    if nature.nonlocal_span is not None:
        return "a nonlocal operator", nature.nonlocal_span
    if nature.mass_span is not None:
        return "a space derivative of a time derivative", nature.mass_span
    return None
