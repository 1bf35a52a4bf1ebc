"""System to plan: every numerical choice, with its reason."""

from dataclasses import replace
from math import prod

from nablax.centre import centre_of, check_parities
from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.grid_functions import on_grid
from nablax.limits import AXES
from nablax.nonlocal_operators import Differenced
from nablax.passes.boundary import check_boundary
from nablax.passes.carried import carried_alone
from nablax.passes.divergence import Law, first_order
from nablax.passes.memory import refuse
from nablax.plan import Choice, GridAxis, Method, Plan, Stepping
from nablax.planning.finite import check_finite
from nablax.planning.fluxes import in_fluxes
from nablax.planning.ghosts import choose_ghosts
from nablax.planning.masses import check_masses
from nablax.planning.memory import choose_memory
from nablax.planning.method import Character, character, choose_method
from nablax.planning.projection import projected, projection_choices
from nablax.planning.regions import refuse_region
from nablax.planning.resolved import check_resolved
from nablax.planning.settings import Settings, frame_times, read_settings
from nablax.planning.spectrum import linearise, nominal, unbounded_growth
from nablax.planning.steady import choose_iteration, mean_choices
from nablax.planning.stepping import Situation, choose_stepping
from nablax.planning.tables import table_choices
from nablax.planning.treatment import claims
from nablax.planning.volumes import (
    VOLUME_ORDERS,
    balance_of,
    check_sides,
    divergence_form,
    partial_integral,
    volume_stepping,
)
from nablax.planning.wall_equations import wall_choice
from nablax.planning.wall_values import check_wall_values
from nablax.planning.walls import check_walls, operators_of
from nablax.sampling import sample
from nablax.stencils import radius
from nablax.system import System

DIFFERENCE_ORDERS = (2, 4, 6, 8)
POINTS = {1: 256, 2: 128, 3: 48}
CARRIED = 4096  # values whose differences make one matrix
SAMPLES = {1: 24, 2: 8, 3: 4}  # points per axis where coefficients are frozen


def make_plan(system: System, report: Report) -> Plan | None:
    """The plan, or None with located messages that say why there is none."""
    settings = read_settings(system.problem, report)
    refuse_region(system, report)
    check_finite(system, report)
    check_wall_values(system, report)
    check_walls(system, report)
    if report.failed:
        return None
    nature = character(system)
    form = divergence_form(system, nature, settings)
    chosen = choose_method(system, nature, settings, form, report)
    if chosen is None:
        return None
    _warn_left_aside(system, report)
    method, reason = chosen
    law = form if method == "fv" and isinstance(form, Law) else None
    if not _conditions_suffice(system, law, report) or (
        method == "fd" and not check_parities(system, report)
    ):
        return None
    choices = [Choice("method", method, reason, settings.method is not None, settings.places.get("method"))]
    differenced = any(isinstance(node, Differenced) for node, _ in operators_of(system))
    partial = None if law is None else partial_integral(system, law)
    flow = method == "fd" and projected(system)
    order = _order(method, settings, differenced, partial, flow, choices, report)
    if order is None:
        return None
    grid = _grid(system, method, order, settings, nature, choices, report)
    if grid is None:
        return None
    closures = wall_choice(system, order) if method == "fd" else None
    if closures is not None:
        choices.append(closures)
    check_resolved(system, method, order, grid, settings.places.get("n"), report)
    fed = _warn_growth(system, report)
    if method == "fd" and order == 2:
        system = in_fluxes(system, grid, choices)
    check_masses(system, grid, report)
    dealias = _dealias(method, settings, nature, len(grid), not all(a.periodic for a in grid), choices)
    balance = None if law is None else balance_of(system, law, order)
    stepping: Stepping | None
    if system.time is None:
        frames: tuple[float, ...] = (0.0,)
        stepping = choose_iteration(system, method, settings, choices, report)
    else:
        values = nominal(system)
        start, end = (float(sample(e, values)) for e in (system.time.lower, system.time.upper))
        frames = frame_times(system.problem, start, end, settings, report)
        if balance is not None:
            stepping = volume_stepping(system, balance, order, grid, end - start, settings, choices, report)
        else:
            frozen = linearise(system, SAMPLES[len(grid)], grid)
            situation = Situation(system, method, order, grid, dealias, frozen, nature, end - start)
            if system.has_memory:
                stepping = choose_memory(situation, frames, settings, choices, report)
            else:
                stepping = choose_stepping(situation, settings, choices, report)
        mean_choices(system, choices, report)
        if flow:
            projection_choices(system, choices)
    if stepping is None or report.failed:
        return None
    if fed is not None:
        stepping = replace(stepping, bound=None, limiter=fed)  # no step is stable against such growth
    bundle = choose_ghosts(system, method, order, grid, stepping, frames[-1] - frames[0], settings, choices)
    table_choices(system, grid, choices)
    dtype = settings.dtype or "float64"
    choices.append(
        Choice("dtype", dtype, "asked for" if settings.dtype else "double precision", bool(settings.dtype))
    )
    plan = Plan(
        system,
        method,
        grid,
        order,
        dealias,
        stepping,
        frames,
        dtype,
        tuple(choices),
        claims(system, method, stepping.name),
        bundle,
        bool(settings.tune),
        balance,
    )
    return on_grid(plan, settings.places.get("n", system.problem.span), report)


def check_axes(system: System, report: Report) -> bool:
    """Whether a grid can have the axes; says so where not."""
    family = next(iter(system.problem.families), None)
    axes = system.axes
    if family is None and len(axes) <= AXES:
        return _check_memory(system, report)
    many = f"a family of {family.size} axes" if family else f"{len(axes)} space axes"
    report.error(
        "P402",
        family.span if family else axes[AXES].span,
        f"there {'is' if family else 'are'} {many}, and grids have at most {AXES}",
        help="use the residual of a network: `problem.residual(field)`",
    )
    return False


def _check_memory(system: System, report: Report) -> bool:
    """Whether every fractional derivative of a field is one that a grid can take."""
    if system.refusal is None:
        return True
    refuse(system.refusal, report)
    return False


def _conditions_suffice(system: System, law: Law | None, report: Report) -> bool:
    """The count of boundary conditions that the normal form left to the method."""
    if law is not None:
        check_sides(system, law, report)
    elif first_order(system):
        check_boundary(
            system.problem, system.unknowns, system.evolution, system.constraints, system.boundary, report
        )
    return not report.failed


def _order(
    method: Method,
    settings: Settings,
    differenced: bool,
    partial: Span | None,
    flow: bool,
    choices: list[Choice],
    report: Report,
) -> int | None:
    """The order of accuracy; `partial` is where finite volumes meet an integral over some of the axes, `flow`
    says whether a projection keeps a constraint."""
    if method == "spectral":
        return 0
    allowed = VOLUME_ORDERS if method == "fv" else DIFFERENCE_ORDERS
    low = differenced or partial is not None or flow
    default = 2 if low else 5 if method == "fv" else 4
    order = settings.order or default
    if order not in allowed:
        report.error(
            "P403",
            settings.places["order"],
            f"{'finite volumes' if method == 'fv' else 'finite differences'} have no order {order}",
            notes=settings.origin("order"),
            help=f"choose one of {', '.join(str(o) for o in allowed)}",
        )
        return None
    if partial is not None and order > 2:
        report.error(
            "P403",
            settings.places["order"],
            f"with an integral over some of the axes finite volumes have no order {order}",
            notes=(Note("it stands here", partial), *settings.origin("order")),
            help="choose order = 2",
        )
        return None
    if flow and order > 2:
        report.error(
            "P403",
            settings.places["order"],
            f"with a constraint between walls finite differences have no order {order}",
            notes=settings.origin("order"),
            help="choose order = 2",
        )
        return None
    reason = _ORDER_REASONS[method] if not low else "what fractional differences have"
    if flow:
        reason = "what the projection between walls has"
    if partial is not None:
        reason = "what finite volumes have with an integral over some of the axes"
    if settings.order:
        reason = "asked for" + ("; fractional differences have order 2" if differenced and order > 2 else "")
    choices.append(Choice("order", str(order), reason, bool(settings.order), settings.places.get("order")))
    return order


_ORDER_REASONS = {
    "fd": "a good balance of accuracy and cost",
    "fv": "WENO: fifth order where the solution is smooth, first order in the width of its jumps",
}


def _grid(
    system: System,
    method: Method,
    order: int,
    settings: Settings,
    nature: Character,
    choices: list[Choice],
    report: Report,
) -> tuple[GridAxis, ...] | None:
    values = nominal(system)
    carried = method == "fd" and carried_alone(system) is not None
    points = _carried_points(system, CARRIED // 2) if carried else _default_points(system, nature)
    counts = settings.n or (points,) * len(system.axes)
    centre = centre_of(system.problem)
    grid = tuple(
        GridAxis(
            a.name,
            float(sample(a.lower, values)),
            float(sample(a.upper, values)),
            n,
            a.periodic,
            centred=method == "fv",
            folded=method == "fd" and centre is not None and k == centre.radius,
        )
        for k, (a, n) in enumerate(zip(system.axes, counts, strict=True))
    )
    if centre is not None and centre.angle is not None and grid[centre.angle].n % 2:
        report.error(
            "P403",
            settings.places.get("n", system.problem.span),
            f"{grid[centre.angle].n} points along {grid[centre.angle].name} leave none opposite of another, "
            "beyond the centre",
            notes=settings.origin("n"),
            help="choose an even number",
        )
        return None
    highest = max(nature.constant, nature.variable, 1)
    # A one-sided closure reads highest + order points; a periodic stencil must not overlap itself.
    least = max(highest + order, 2 * radius(highest, order)) + 1 if method == "fd" else order + 1
    least = max(least, 4)
    for axis in grid:
        if axis.n < least:
            report.error(
                "P403",
                settings.places.get("n", system.problem.span),
                f"{axis.n} points along {axis.name} are too few for this method, which needs {least}",
                notes=settings.origin("n"),
                help=f"choose n of at least {least}" + (", or a lower order" if method != "spectral" else ""),
            )
            return None
    values_in_all = len(system.unknowns) * prod(a.points for a in grid)
    if carried and values_in_all > CARRIED:
        report.error(
            "P403",
            settings.places.get("n", system.problem.span),
            f"steady equations of first order are solved for at most {CARRIED} values at once, and here are "
            f"{values_in_all}",
            notes=settings.origin("n"),
            help=f"choose n = {_carried_points(system, CARRIED) - 1} or less, or add a `time` block and time "
            "derivatives, and let the problem come to rest",
        )
        return None
    shown = " x ".join(str(n) for n in counts)
    reason = "asked for" if settings.n else f"the default in {len(counts)}-D"
    choices.append(Choice("n", shown, reason, settings.n is not None, settings.places.get("n")))
    return grid


def _carried_points(system: System, values: int) -> int:
    """Points per axis for that many values in all."""
    each = (values / len(system.unknowns)) ** (1 / len(system.axes))
    return min(POINTS[len(system.axes)], int(each))


def _default_points(system: System, nature: Character) -> int:
    """Fewer where fourth derivatives meet walls: rounding grows like n⁴, and so does the stiffness."""
    points = POINTS[len(system.axes)]
    walls = any(not a.periodic for a in system.axes)
    return min(points, 64) if walls and max(nature.constant, nature.variable) >= 4 else points


def _dealias(
    method: Method,
    settings: Settings,
    nature: Character,
    dimension: int,
    walled: bool,
    choices: list[Choice],
) -> tuple[float, ...]:
    if method != "spectral" or walled:
        return (1.0,) * dimension
    degree = nature.degree
    if settings.dealias is not None:
        kept, reason = settings.dealias, "asked for"
    elif degree == -1:
        kept, reason = 2 / 3, "the nonlinearity is no polynomial: products of two are kept exact"
    elif degree <= 1:
        kept, reason = 1.0, "the equations are linear: nothing aliases"
    else:
        kept, reason = (
            2 / (degree + 1),
            f"the nonlinearity has degree {degree}: 2/({degree} + 1) of the modes",
        )
    choices.append(
        Choice("dealias", f"{kept:.3g}", reason, settings.dealias is not None, settings.places.get("dealias"))
    )
    return (kept,) * dimension


def _warn_left_aside(system: System, report: Report) -> None:
    """What a solver does with a spec that asks for training."""
    problem = system.problem
    unknown = [(p.name, p.span) for p in problem.parameters if p.unknown]
    unknown += [(c.name, c.span) for c in problem.coefficients]
    if unknown:
        names = ", ".join(f"`{name}`" for name, _ in unknown)
        report.warning(
            "P504",
            unknown[0][1],
            f"{names} {'is' if len(unknown) == 1 else 'are'} to be found, and the start value is taken",
            help="set another value with `--set`, or find it with `nablax train`",
        )
    if problem.data:
        report.warning(
            "P504",
            problem.data[0].span,
            "measurements are for training, and the solver leaves them aside",
            help="remove it, or keep it for `nablax train`",
        )


def _warn_growth(system: System, report: Report) -> Span | None:
    """P306 where short waves grow without bound; the term that feeds them."""
    growth = unbounded_growth(system) if system.evolution else None
    if growth is None:
        return None
    moment = ""
    if growth.moment and system.time is not None:
        begin, end = (float(sample(e, nominal(system))) for e in (system.time.lower, system.time.upper))
        moment = f"at {system.time.name} = {begin + growth.moment * (end - begin):.3g} "
    report.warning(
        "P306",
        growth.span,
        f"the problem is ill-posed forward in time: short waves grow like |k|^{growth.power:.2g}",
        label="this term feeds them",
        notes=(
            Note(
                f"{moment}a wave of length {growth.wavelength:g} grows by e "
                f"in a time of {1 / growth.rate:.2g}"
            ),
        ),
        help="check the sign of this term",
    )
    return growth.span
