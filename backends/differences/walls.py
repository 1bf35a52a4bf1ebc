"""Boundary conditions as closures: what each wall of each unknown says about its ghost nodes.

A centred stencil serves every point when the nodes beyond a wall hold the values of one polynomial
through the nearest nodes and the wall conditions. Dirichlet conditions pin the wall node itself and need
no ghost of their own; each further condition gives one primary ghost, the rest follow by extrapolation.

Closure degrees are the largest whose one-dimensional operators were found stable; the spectra are
checked in tests/numerics/differences/test_spectra.py:

- second derivatives: the spectrum stays in the left half-plane for every degree tried, and the global
  order is that of the interior with degree p. It is real up to degree p for Neumann and Robin walls, and up
  to 4, 5 and 5 for Dirichlet walls at p = 4, 6 and 8. Degree 7 at p = 8 leaves the real axis (|Im| up to
  0.15 of the radius): good for diffusion, not for waves, where a complex eigenvalue of the space operator
  is a growing mode. With the second derivative from the equation (`nablax.planning.wall_equations`) it is
  real up to degree p at Dirichlet walls, too, and waves keep their order. With coefficients that vary it
  stays real at p = 6, and at p = 8 where the grid resolves them (changes of 90 % within a fifth of the axis:
  |Im| up to 0.02 of the radius without lower terms, on 16 cells 0.06 with them; without the condition, and at
  degree 5, 0.1). Without that condition waves take degree 5, which limits their order to 5.
- first derivatives with an inflow wall: where the speed falls along the way, waves too short for the grid
  turn round inside, run back to the inflow wall and leave it longer. Each round multiplies them by what the
  closure reflects: at most 1 where the equation gives the slope and the degree is 4 (p = 4), or the second
  derivative besides and the degree is 5 or 7 (p = 6, 8), and the order is p. With the slope alone p = 6 and
  8 take degree 5: order 6, and rates up to 0.1 on grids that resolve the speed. Without it degrees above 3,
  4, 4 (p = 4, 6, 8) are unstable at constant speed, so the global order there is 4, 5, 5, and where the speed
  falls errors grow at a rate that does not depend on the grid (0.9, 1.8 and 1.6 for 1 - x/2 on [0, 1]).
  Where unknowns are coupled through first derivatives (acoustics), the side without a condition takes degree
  2 and Dirichlet sides 3, 5, 5: global order 3 for p >= 4. Where the equations give every even derivative of
  one unknown and every odd one of the other, stencils read mirror images, no eigenvalue has a real part, and
  the order is p; nor has one with coefficients that vary and on walls along which waves run (grids of 20
  cells or more; 6 at walls of given pressure for p = 8, see `Condition.accuracy`).
- first derivatives without time: degree p on every side, and the global order is p (the inverses stay bounded
  as the grid is refined: 2, 6, 17 and 56 for p = 2, 4, 6, 8).
- third derivatives: degree 5 and 4 at the side with two conditions for p = 6 and 8.
- fourth derivatives: a condition of order m costs m - 1 degrees of accuracy, so the degree is p - 1 + m:
  p for clamped, p + 1 for supported, p + 2 for free ends. Spectra are real and non-negative up to degree
  7 (pinned) and 9 (free), which limits p = 8 to order 7 (clamped), 6 (supported) and 7 (free).

The largest eigenvalue of a second derivative lies beyond the centred symbol's extreme by up to 1.02, 1.4,
1.8 and 2.0 (p = 2, 4, 6, 8) with Neumann or Robin walls, and within it with Dirichlet walls.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import sympy as sp
from numpy.typing import NDArray

from nablax.backends.interface import Unsupported
from nablax.problem import Side
from nablax.stencils import fornberg
from nablax.system import Boundary, BoundaryTerm, System
from nablax.traces import time_derivative

Matrix = NDArray[np.float64]
Character = Literal["diffusive", "mixed", "oscillatory", "coupled", "steady"]
"""What limits the closure: damped modes, damped with odd derivatives besides, undamped (waves,
Schrödinger), or first derivatives that couple several unknowns; nothing in steady transport, where no mode
can grow."""


@dataclass(frozen=True, slots=True)
class Condition:
    """Σ terms = data on a wall, not Dirichlet. The data may hold traces. `followed`: it is what the equations
    say there (`nablax.planning.wall_equations`)."""

    terms: tuple[BoundaryTerm, ...]
    data: sp.Expr
    followed: bool = False

    def accuracy(self, order: int) -> int:
        """Of the one-sided derivatives in the data, where differences have the given order.

        Those of the given order feed waves that run along the wall (growth by up to 17 per unit of time at
        order 4). Beside a derivative of order m that the closure multiplies by h^m, order - m suffices; at
        odd m, 3 is the most that was found stable for order 8.
        """
        if not self.followed:
            return order
        m = max(t.order for t in self.terms)
        return max(min(order - m, 3 if m % 2 else order), 1)

    @property
    def numeric(self) -> bool:
        """Whether the coefficients are real numbers, so that the closure is known when it is built."""
        return all(t.coefficient.is_number and t.coefficient.is_real for t in self.terms)


@dataclass(frozen=True, slots=True)
class Wall:
    """One side of one bounded axis for one unknown.

    `pinned` is the Dirichlet value of the wall node, `moving` the rate that a dynamic condition gives it;
    both may hold traces, and with neither the node evolves by the equation. `halo` is the number of ghosts
    wanted beyond the wall, `degree` that of the closure polynomial.

    The centre of curvilinear coordinates is no wall: where `mirror` is not 0, the nodes beyond are those on
    this side times `mirror`, seen half a turn on along the axis `turn` where there is one.
    """

    axis: int
    side: Side
    pinned: sp.Expr | None
    moving: sp.Expr | None
    conditions: tuple[Condition, ...]
    degree: int
    halo: int
    spacing: float
    mirror: Literal[-1, 0, 1] = 0
    turn: int | None = None

    @property
    def held(self) -> bool:
        """Whether the wall node does not evolve by the equation."""
        return self.pinned is not None or self.moving is not None

    @property
    def leaks(self) -> bool:
        """Whether a condition mixes the value with the slope (Robin)."""
        return any({0, 1} <= {t.order for t in c.terms} for c in self.conditions)

    @property
    def near(self) -> int:
        """Nodes that the closure reads, the wall included."""
        return self.halo if self.mirror else self.degree + 1 - len(self.conditions)

    @property
    def numeric(self) -> bool:
        return all(c.numeric for c in self.conditions)


def has_leak(walls: tuple[Wall, Wall] | None) -> bool:
    """Whether one of an axis' walls has a Robin condition."""
    return walls is not None and any(wall.leaks for wall in walls)


@dataclass(frozen=True, slots=True)
class Given:
    """What the system says of an unknown on one side; `fixed` where it holds the wall node, itself or
    through its rate."""

    pinned: sp.Expr | None
    moving: sp.Expr | None
    conditions: tuple[Condition, ...]
    fixed: bool

    @property
    def held(self) -> bool:
        return self.pinned is not None or self.moving is not None


def given_at(system: System, unknown: int, axis: int, side: Side) -> Given:
    """The conditions on an unknown on one side.

    A rate without conditions of its own inherits the time derivatives of those of its unknown. Raises
    Unsupported for two conditions on the value of one side, and for a rate whose unknown has
    coefficients that depend on time.
    """
    own = [b for b in system.boundary if (b.unknown, b.axis, b.side) == (unknown, axis, side)]
    of = system.unknowns[unknown].rate_of
    if not own and of is not None and system.time is not None:
        own = _inherited(system, of, axis, side)
    values = [b for b in own if b.dirichlet or b.dynamic]
    if len(values) > 1:
        name = system.unknowns[unknown].name
        raise Unsupported(f"two conditions for the value of `{name}` on one side", values[1].span)
    others = tuple(Condition(b.terms, b.data) for b in own if b not in values)
    rates = [i for i, u in enumerate(system.unknowns) if u.rate_of == unknown]
    fixed = bool(values) or any(
        given_at(system, i, axis, side).held for i in rates if _stated(system, i, axis, side)
    )
    return Given(
        _value(values[0]) if values and not values[0].dynamic else None,
        _value(values[0]) if values and values[0].dynamic else None,
        others,
        fixed,
    )


def _stated(system: System, unknown: int, axis: int, side: Side) -> bool:
    return any((b.unknown, b.axis, b.side) == (unknown, axis, side) for b in system.boundary)


def _inherited(system: System, of: int, axis: int, side: Side) -> list[Boundary]:
    assert system.time is not None
    time, found = system.time.symbol, []
    for b in system.boundary:
        if (b.unknown, b.axis, b.side) != (of, axis, side) or b.derived:
            continue
        if any(t.coefficient.has(time) for t in b.terms):
            raise Unsupported("a boundary coefficient of a second-order field depends on time", b.span)
        data = time_derivative(b.data, system.unknowns, time)
        if data is not None:
            found.append(replace(b, data=data))
    return found


def _value(boundary: Boundary) -> sp.Expr:
    return boundary.data / sp.Add(*(t.coefficient for t in boundary.terms))


def closure_degree(
    accuracy: int, highest: int, pinned: bool, conditions: tuple[Condition, ...], character: Character
) -> int:
    """Degree of the closure polynomial on a wall; the module's docstring has the reasons.

    `highest` is the highest derivative of the unknown along the axis.
    """
    q = len(conditions)
    table: dict[int, int]
    if character == "steady":
        table = {p: p for p in (2, 4, 6, 8)}
    elif highest <= 1:
        if character == "coupled":
            table = {2: 2, 4: 3, 6: 5, 8: 5} if pinned else {2: 2, 4: 2, 6: 2, 8: 2}
            if q == accuracy // 2:
                table = {2: 2, 4: 4, 6: 6, 8: 8}
        else:
            table = {2: 2, 4: 3, 6: 4, 8: 4} if pinned else {2: 2, 4: 4, 6: 6, 8: 8}
            if pinned and q:
                table = {2: 2, 4: 4, 6: 5, 8: 5 if q == 1 else 7}
    elif highest == 2:
        if q == 0 and pinned:
            table = {2: 2, 4: 4, 6: 5, 8: {"diffusive": 7, "mixed": 6}.get(character, 5)}
        else:
            table = {2: 2, 4: 4, 6: 6, 8: 8}
    elif highest == 3:
        table = {2: 2, 4: 4, 6: 5, 8: 4} if q else {2: 3, 4: 4, 6: 6, 8: 7}
    else:
        table = {}
    order = max((t.order for c in conditions for t in c.terms), default=0)
    if table:
        degree = table[accuracy]
    elif accuracy == 2:
        degree = 2
    else:
        degree = min(accuracy - 1 + max(order, 1), 7 if pinned else 9)
    # A closure never has fewer nodes than its conditions need, nor a lower degree than the centred
    # formulas through the primary ghosts.
    return max(degree, 2 * q, order)


def condition_weights(wall: Wall, order: int) -> Matrix:
    """Weights of d^m/dx^m at the wall, m = 0..order, on the nodes -q .. near-1 counted inwards.

    Shape (order + 1, degree + 1); in physical units, with the sign of the axis' own direction.
    """
    q = len(wall.conditions)
    weights = fornberg(np.arange(-q, wall.near), 0.0, order)
    direction = 1.0 if wall.side == 0 else -1.0
    scale = np.array([(direction / wall.spacing) ** m for m in range(order + 1)])
    return np.asarray(weights * scale[:, None])


def extension(wall: Wall) -> Matrix:
    """Ghosts q+1 .. halo from the nodes -q .. near-1; shape (halo - q, degree + 1), none if halo <= q."""
    q = len(wall.conditions)
    nodes = np.arange(-q, wall.near)
    rows = [fornberg(nodes, float(-g), 0)[0] for g in range(q + 1, wall.halo + 1)]
    return np.array(rows).reshape(len(rows), wall.degree + 1)


def closure(wall: Wall, coefficients: tuple[tuple[float, ...], ...]) -> tuple[Matrix, Matrix]:
    """Ghosts as near values and data: `ghosts = G @ near + B @ data`.

    Ghosts are counted outwards (first row: the one next to the wall), near nodes inwards.
    `coefficients[c][j]` is the number that stands for the j-th coefficient of condition c. Shapes
    (halo, near) and (halo, conditions).
    """
    if wall.mirror:
        return wall.mirror * np.eye(wall.halo), np.zeros((wall.halo, 0))
    q, near = len(wall.conditions), wall.near
    # Unknown nodes -q..near-1 as combinations of (near values, data).
    primary = np.zeros((q, near + q))
    if q:
        highest = max(t.order for c in wall.conditions for t in c.terms)
        weights = condition_weights(wall, highest)
        rows = np.array(
            [
                sum(a * weights[t.order] for a, t in zip(values, c.terms, strict=True))
                for values, c in zip(coefficients, wall.conditions, strict=True)
            ]
        )
        primary = np.linalg.solve(rows[:, :q], np.hstack([-rows[:, q:], np.eye(q)]))
    everything = np.vstack([primary, np.hstack([np.eye(near), np.zeros((near, q))])])
    ghosts = np.vstack([primary[::-1], extension(wall) @ everything])[: wall.halo]
    return ghosts[:, :near], ghosts[:, near:]
