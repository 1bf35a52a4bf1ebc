"""Finite volumes: what they can take, the conditions they need, and the step their waves allow."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import sympy as sp
from sympy.core.function import AppliedUndef

from nablax.continuity import may_jump
from nablax.frontend.diagnostics import Note, Report
from nablax.frontend.source import Span
from nablax.integrals import whole
from nablax.meaning.values import shown
from nablax.passes.divergence import Law, Obstacle, balance_law, first_order
from nablax.passes.openings import Opening, openings
from nablax.passes.waves import Characteristics, characteristics
from nablax.plan import Choice, GridAxis, StepperName, Stepping
from nablax.planning.eigenvectors import Eigenbases, eigenbases
from nablax.planning.method import Character
from nablax.planning.settings import Settings
from nablax.planning.spectrum import nominal
from nablax.planning.spreading import cells_beside, diffusion_rates
from nablax.planning.states import at, ends, jacobians, states
from nablax.planning.stepping import ORDERS, check_dt, depends_on_time
from nablax.reductions import Integral
from nablax.sampling import sample
from nablax.system import System

VOLUME_ORDERS = (2, 5)
COURANT = {2: 0.45, 5: 0.4}
BOUNDED = 0.25
STEPPERS: tuple[StepperName, ...] = ("ssprk3", "rk2", "euler")
"""Convex combinations of Euler steps: what one such step keeps (bounds, signs), they keep."""
POINTS = {1: 129, 2: 25, 3: 9}  # per axis, where speeds are looked at
STILL = 1e-9  # of the fastest wave: slower ones do not enter


@dataclass(frozen=True, slots=True)
class Balance:
    """A balance law, its waves, and its characteristic variables, which it is reconstructed in beyond order 2
    and which tell at open sides what enters; none where neither is asked for."""

    law: Law
    waves: Characteristics
    bases: Eigenbases


def balance_of(system: System, law: Law, order: int) -> Balance:
    waves = characteristics(system, law)
    told = any(o.signs is None and any(o.given) for o in openings(system, law))
    return Balance(law, waves, eigenbases(system, law, waves) if order > 2 or told else Eigenbases((), ""))


def divergence_form(system: System, nature: Character, settings: Settings) -> Law | Obstacle | None:
    """The balance law where finite volumes are asked for or called for; None where they are neither."""
    asked = settings.method == "fv"
    if not asked and (settings.method is not None or not first_order(system) or not _shocks(system, nature)):
        return None
    problem = system.problem
    if system.time is None:
        return Obstacle("it has no time", problem.equations[0].span)
    if problem.coordinates != "cartesian":
        return Obstacle(f"in {problem.coordinates} coordinates they are not available", problem.span)
    for unknown in system.unknowns:
        if unknown.complex:
            return Obstacle(f"`{unknown.name}` is complex", unknown.span)
    for equation in system.evolution:
        if equation.memory:
            return Obstacle("a derivative in time remembers the past", equation.memory[0].span)
    if system.constraints:
        return Obstacle("there is a constraint", system.constraints[0].span)
    if nature.nonlocal_span is not None:
        return Obstacle("there is a nonlocal operator", nature.nonlocal_span)
    if nature.mass_span is not None:
        return Obstacle("a time derivative stands under a space derivative", nature.mass_span)
    return balance_law(system)


def _shocks(system: System, nature: Character) -> bool:
    """Whether jumps are there from the start, or may form."""
    return nature.flux is not None or _jumps(system)


def _jumps(system: System) -> bool:
    carried = any(any(t.orders) for e in system.evolution for t in e.terms.linear)
    return carried and any(
        may_jump(value, a.symbol) for value in system.initial if value is not None for a in system.axes
    )


def partial_integral(system: System, law: Law) -> Span | None:
    """Where a source holds an integral over some of the axes, which is a function of the others."""
    space = tuple(a.symbol for a in system.axes)
    for equation, source in zip(system.evolution, law.sources, strict=True):
        if any(not whole(node, space) for node in source.atoms(Integral)):
            return equation.span
    return None


def check_sides(system: System, law: Law, report: Report) -> None:
    """One condition per unknown and side at most, of a kind that is understood, and enough of them."""
    first: dict[tuple[int, int, int], Span] = {}
    for condition in (b for b in system.boundary if not b.derived):
        key = (condition.unknown, condition.axis, condition.side)
        name = system.unknowns[condition.unknown].name
        if key in first:
            report.error(
                "P301",
                condition.span,
                f"`{name}` has two boundary conditions on one side, and finite volumes take one",
                notes=(Note("the first one", first[key]),),
                help="remove one of the two",
            )
        first.setdefault(key, condition.span)
        kind = {t.order for t in condition.terms}
        if kind not in ({0}, {1}) or condition.dynamic or condition.data.has(AppliedUndef):
            report.error(
                "P401",
                condition.span,
                f"finite volumes take the value or the normal derivative of `{name}` on a side",
                label="this condition is of another kind",
                help=f"write `{name} = ...` or `dn({name}) = ...`",
            )
    if report.failed:
        return
    for k, axis in enumerate(system.axes):
        if axis.periodic:
            continue
        for side in (0, 1):
            given = [b for b in system.boundary if (b.axis, b.side, b.derived) == (k, side, False)]
            entering = _entering(system, law, k, side)
            if entering <= len(given):
                continue
            end = f"{axis.name} = {shown((axis.lower, axis.upper)[side])}"
            names = ", ".join(f"`{u.name}`" for u, f in zip(system.unknowns, law.fluxes[k], strict=True) if f)
            report.error(
                "P301",
                given[0].span if given else axis.span,
                f"{names} {'needs' if ',' not in names else 'need'} {_conditions(entering)} at {end} "
                f"together, where as many waves enter, and {'has' if ',' not in names else 'have'} "
                f"{len(given)}",
                help=f"prescribe at `{end}` what comes in, or let waves pass: `dn(...) = 0` for each field",
            )


def _conditions(count: int) -> str:
    return "1 boundary condition" if count == 1 else f"{count} boundary conditions"


def _entering(system: System, law: Law, axis: int, side: int) -> int:
    """The most waves that enter through a side at the start, over places along it."""
    values = nominal(system)
    lines = [
        np.linspace(*ends(system, k, values), 7)[1:-1]
        if k != axis
        else np.array([ends(system, k, values)[side]])
        for k in range(len(system.axes))
    ]
    places = np.array(list(product(*lines))).T
    matrices = jacobians(system, law, axis, values | at(system, places), places.shape[1])
    speeds = np.array([np.linalg.eigvals(m).real for m in matrices if np.isfinite(m).all()])
    if not speeds.size:
        return 0
    inwards = speeds if side == 0 else -speeds
    still = STILL * max(float(np.abs(speeds).max()), 1e-300)
    return int(np.max(np.sum(inwards > still, axis=1)))


def courant_number(order: int, bounded: bool) -> float:
    """The largest sum over axes of |speed| · dt / spacing.

    Below 1/2 limited steps make no new extrema; beyond second order only 1/4 leaves smooth ones as they are,
    since an Euler step of a profile overshoots its extrema by the square of the Courant number.
    """
    return BOUNDED if bounded and order > 2 else COURANT[order]


def volume_stepping(
    system: System,
    balance: Balance,
    order: int,
    grid: tuple[GridAxis, ...],
    duration: float,
    settings: Settings,
    choices: list[Choice],
    report: Report,
) -> Stepping | None:
    """The stepper, and the step that the waves of the initial state allow; None where it cannot be taken."""
    name = settings.step or "ssprk3"
    place = settings.places.get("step")
    if name not in STEPPERS and place is not None:
        report.error(
            "P401",
            place,
            f"`{name}` does not keep the bounds that finite volumes rest on",
            notes=settings.origin("step"),
            help=f"use one of {', '.join(f'`{s}`' for s in STEPPERS)}",
        )
        return None
    reason = "asked for" if settings.step else "third order, and every stage an average of Euler steps"
    choices.append(Choice("step", name, reason, settings.step is not None, place))
    law, waves = balance.law, balance.waves
    number = courant_number(order, bool(waves.bounded or waves.signed))
    known = "known exactly" if all(b.exact for b in waves.blocks) else "enclosed by bounds"
    choices.append(Choice("flux", "hll", f"the slowest and the fastest wave are {known}"))
    if any(len(b.members) > 1 for b in waves.blocks):
        choices.append(_variables(balance, order))
    for opening in openings(system, law):
        choices.append(_side(system, opening))
    rates = diffusion_rates(system, law, order, grid)
    if rates:
        accuracy = 2 * cells_beside(order)
        choices.append(
            Choice(
                "diffusion",
                "central",
                f"conservative differences of order {accuracy}, explicit: steps as the spacing squared",
            )
        )
    bound = _bound(system, waves, number, grid, rates)
    if settings.dt is not None:
        check_dt(settings, bound, name, None, report)
        choices.append(Choice("dt", f"{settings.dt:g}", "asked for", True, settings.places.get("dt")))
    else:
        choices.append(
            Choice("dt", "adaptive", f"a Courant number of {number:g} for the waves of each moment")
        )
        if settings.tol is not None:
            report.warning(
                "P412",
                settings.places["tol"],
                "the step of finite volumes follows the wave speeds, and `tol` has no say in it",
                help="remove `tol`, or fix the step with `dt`",
            )
    longest = duration / 100 if depends_on_time(system) else None
    return Stepping(name, ORDERS[name], settings.dt, 0.0, 0.0, bound, None, longest)


def _variables(balance: Balance, order: int) -> Choice:
    """In which variables a system is reconstructed."""
    if order == 2:
        return Choice("variables", "conserved", "values at faces lie between the averages beside them")
    if balance.bases.missing:
        return Choice("variables", "conserved", balance.bases.missing)
    return Choice("variables", "characteristic", "jumps of one wave leave the others smooth")


def _side(system: System, opening: Opening) -> Choice:
    axis = system.axes[opening.axis]
    end = f"{axis.name} = {shown((axis.lower, axis.upper)[opening.side])}"
    if opening.signs is not None:
        odd = ", ".join(f"`{u.name}`" for u, s in zip(system.unknowns, opening.signs, strict=True) if s < 0)
        return Choice(end, "mirror", f"the law stays the same when the axis and {odd} turn around")
    if any(b is not None and b.dirichlet for b in opening.given):
        return Choice(end, "open", "the values given stand outside, and waves decide what comes in")
    return Choice(end, "open", "waves that leave are continued from inside, and those that enter as given")


def _bound(
    system: System,
    waves: Characteristics,
    number: float,
    grid: Sequence[GridAxis],
    rates: Sequence[sp.Expr],
) -> float | None:
    """The stable step at the initial state, None where nothing moves or speeds have no value."""
    values = nominal(system)
    lines = [np.linspace(a.lower, a.upper, POINTS[len(grid)]) for a in grid]
    places = np.array([g.ravel() for g in np.meshgrid(*lines, indexing="ij")])
    values |= at(system, places)
    count = places.shape[1]
    values |= states(system, values, count)
    pace = np.zeros(count)
    for k, axis in enumerate(grid):
        largest = np.zeros(count)
        for wave in (w for b in waves.blocks for w in b.waves[k]):
            half = np.sqrt(np.maximum(np.real(sample(wave.square, values)), 0.0))
            largest = np.maximum(largest, np.abs(np.real(sample(wave.centre, values))) + half)
        pace += largest / (number * axis.spacing)
    spreading = [np.broadcast_to(np.real(sample(rate, values)), (count,)) for rate in rates]
    if spreading:
        pace += np.max(spreading, axis=0)
    fastest = float(np.max(pace[np.isfinite(pace)], initial=0.0))
    return 1 / fastest if fastest > 0 else None
