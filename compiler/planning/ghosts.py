"""How many explicit steps go by between two times at which ghost nodes are attached.

Measured on 2 CPU cores (docs/benchmarks.md): attaching ghosts costs about two evaluations of a stencil;
a bundle costs some 0.7 seconds of compile time, and a further step in it next to nothing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf, prod

import sympy as sp

from nablax.integrals import INTEGRALS
from nablax.nonlocal_operators import Nonlocal
from nablax.passes.jets import jets, orders_of
from nablax.plan import Choice, GridAxis, Method, Stepping
from nablax.planning.settings import Settings
from nablax.reductions import Maximum, Mean, Minimum
from nablax.stencils import radius
from nablax.system import FluxTerm, Orders, System

STAGES = {"euler": 1, "rk2": 2, "rk4": 4, "leapfrog": 1}
EVALUATIONS = 8  # in one bundle: more of them gained little
SPREAD = 1.25  # how many times the grid an array may cover with its ghosts
WORTH = 2e9  # point updates of unknowns in a run that make up for compiling a bundle


@dataclass(frozen=True, slots=True)
class Ghosts:
    """Steps in a bundle, and why as many; `fixed` where no other number is possible."""

    steps: int
    reason: str
    fixed: bool = False


def choose_ghosts(
    system: System,
    method: Method,
    order: int,
    grid: tuple[GridAxis, ...],
    stepping: Stepping,
    duration: float,
    settings: Settings,
    choices: list[Choice],
) -> int:
    """Steps in a bundle; 1 attaches ghosts at every evaluation."""
    found = bundle_size(system, order, grid, stepping, duration) if method == "fd" else None
    if found is not None:
        value = "every step" if found.steps == 1 else f"once for {found.steps} steps (on a CPU)"
        choices.append(Choice("ghosts", value, found.reason))
    if settings.tune:
        timed = "the ways to attach ghosts are timed once on each device, and the fastest is kept"
        reason = "there is one way to run this problem" if found is None or found.fixed else timed
        choices.append(Choice("tune", "on", reason, True, settings.places.get("tune")))
    return 1 if found is None else found.steps


def bundle_size(
    system: System, order: int, grid: tuple[GridAxis, ...], stepping: Stepping, duration: float
) -> Ghosts | None:
    """None where there is nothing to choose: a step solves, or keeps a rate for the next one."""
    stages = STAGES.get(stepping.name)
    if stages is None or system.time is None or system.constraints:
        return None
    if not all(a.periodic or _fixed(system, k, order) for k, a in enumerate(grid)):
        return Ghosts(1, "they follow from wall conditions and change with every step", True)
    if whole_grid(system):
        return Ghosts(1, "a term holds a value of the whole grid", True)
    reach = [_reach(system, k, order) for k in range(len(grid))]
    if not any(reach):
        return None
    if stages == 1 and not any(a.periodic for a in grid):
        return Ghosts(1, "no stencil reads beyond a wall", True)
    if len(grid) == 3 and not all(a.periodic for a in grid):
        return Ghosts(1, "in 3-D between walls what lies beyond them would cost more than it saves")
    depth = _depth(grid, reach)
    fitting = min(EVALUATIONS, depth) // stages
    if fitting <= 1:
        return Ghosts(1, "more would be a large part of the grid")
    longest = min((s for s in (stepping.dt, stepping.bound, stepping.cap) if s), default=inf)
    work = prod(a.points for a in grid) * len(system.unknowns) * duration / longest
    if work < WORTH:
        return Ghosts(1, "the run is too short to pay for compiling more")
    size = max(s for s in (2, 4, 8) if s <= fitting)
    wide = max(r * stages * size for r in reach)
    return Ghosts(size, f"{wide} layers of ghosts, and no step between waits for them")


def whole_grid(system: System) -> bool:
    """Whether a right side holds an integral or another value that ghosts must not enter."""
    if any(term.operator is not None for terms in system.right_sides for term in terms.linear):
        return True
    kinds = (*INTEGRALS, Mean, Maximum, Minimum, *Nonlocal)
    return any(
        flux.flux.has(*kinds) or flux.coefficient.has(*kinds)
        for terms in system.right_sides
        for flux in (*terms.nonlinear, *terms.conservative, *terms.forcing)
    )


def _depth(grid: tuple[GridAxis, ...], reach: list[int]) -> int:
    """Evaluations for which the ghosts keep within `SPREAD`."""
    depth = 0
    while depth < EVALUATIONS:
        cover = prod(1 + 2 * (depth + 1) * r / a.points for a, r in zip(grid, reach, strict=True))
        if cover > SPREAD:
            break
        depth += 1
    return depth


def _fixed(system: System, axis: int, order: int) -> bool:
    """Whether no ghost is read along a bounded axis and its walls hold one value for all time."""
    pinned = [_pinned(system, u, axis) for u in range(len(system.unknowns))]
    for evolution in system.evolution:
        terms = evolution.terms
        fluxes = (*terms.nonlinear, *terms.conservative, *terms.forcing)
        along = [t.orders[axis] for t in terms.linear]
        along += [orders[axis] for flux in fluxes for orders in _orders(flux, system)]
        highest = max(along, default=0)
        if radius(highest, order) > 1 or (highest and not pinned[evolution.unknown]):
            return False
    free = [u for u in range(len(system.unknowns)) if not pinned[u]]
    return not any(b.axis == axis and b.unknown in free for b in system.boundary)


def _pinned(system: System, unknown: int, axis: int) -> bool:
    """One Dirichlet condition on either side, its value constant in time, and nothing else."""
    own = [b for b in system.boundary if (b.unknown, b.axis) == (unknown, axis)]
    of = system.unknowns[unknown].rate_of
    if not own and of is not None:
        return _pinned(system, of, axis)
    if system.time is None:
        return False
    t = system.time.symbol
    constant = all(
        b.dirichlet and not b.data.has(t) and not any(term.coefficient.has(t) for term in b.terms)
        for b in own
    )
    return constant and sorted(b.side for b in own) == [0, 1]


def _reach(system: System, axis: int, order: int) -> int:
    """How far one evaluation reads along an axis."""
    found = [0]
    for evolution in system.evolution:
        terms = evolution.terms
        found += [radius(t.orders[axis], order) for t in terms.linear]
        for flux in (*terms.nonlinear, *terms.conservative, *terms.forcing):
            outer = radius(flux.orders[axis], order)
            inner = [radius(o[axis], order) for o in _inner(flux, system)]
            found.append(outer + max(inner, default=0))
    return max(found)


def _orders(flux: FluxTerm, system: System) -> Iterator[Orders]:
    """Orders of all derivatives a flux term takes, those inside the flux included."""
    yield flux.orders
    for inner in _inner(flux, system):
        yield tuple(a + b for a, b in zip(inner, flux.orders, strict=True))


def _inner(flux: FluxTerm, system: System) -> list[Orders]:
    symbols = [a.symbol for a in system.axes]
    return [orders_of(jet, symbols) for jet in jets(flux.flux) if isinstance(jet, sp.Derivative)]
