"""Measured orders beside claimed ones, on a manufactured solution (`nablax verify`).

Two studies. In space: finer and finer grids, each advanced with a step error far below that of the grid,
against the exact solution, up to the walls; of finite volumes the averages over cells, in the mean. In
time, where there is a stepper: halved steps on one grid, each against the next, so that the grid's error
cancels. A level that takes longer than the limit is the last one of its study; where the orders so far
neither reach the claim nor contradict it, the study is not finished.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import ceil, inf, isfinite
from time import process_time
from typing import Literal

import jax.numpy as jnp
import numpy as np
import sympy as sp

from nablax.backends.frames import Unsolved
from nablax.backends.memory.march import Steps
from nablax.backends.nodes import samples
from nablax.backends.precision import precise
from nablax.backends.solver import Solver
from nablax.backends.steady import SteadySolver
from nablax.frontend.diagnostics import Report
from nablax.manufactured import Manufactured, manufacture
from nablax.passes.coefficients import at_start
from nablax.past import order_in_time
from nablax.plan import PROPAGATED, Plan, StepperName
from nablax.planning.make import make_plan
from nablax.planning.spectrum import nominal
from nablax.planning.wall_equations import order_at_walls
from nablax.problem import Option, OptionValue, Problem
from nablax.sampling import sample

SLACK = 0.3  # by which a fitted order may fall short of the claimed one
SHARE = 0.02  # of a grid's error that its steps may have
FLOOR = 1e-11  # smaller errors of a grid say nothing: rounding, enlarged by the condition of the operator
RESOLVED = 1e-9  # a spectral error below it has fallen as far as matters
ROUNDING = 3e-13  # smaller differences between steps say nothing
GRIDS = {1: (16, 24, 32, 48, 64, 96), 2: (12, 16, 24, 32, 48), 3: (8, 12, 16, 20, 24)}
FEW_POINTS = {1: (11, 13, 16, 20, 24, 32), 2: (11, 13, 16, 20, 24), 3: (11, 12, 14, 16, 20)}  # order 6 and 8
MODES = {1: (12, 16, 24, 32, 48, 64), 2: (12, 16, 24, 32, 48), 3: (8, 12, 16, 24, 32)}
AGREED = 0.1  # orders that differ by less are one
REFINEMENTS = 3  # at least; more while the order is still short of the claimed one
HALVINGS = 8  # at most
GAUSS_NODES = 4  # per axis and cell, for averages: exact to degree 7
FIRST_STEPS, MOST_STEPS = 8, 100_000
MESH = 512  # steps for which there is room where all are remembered
HELD = {1: 16, 2: 12, 3: 10}  # points per axis of the study in time
AGREEMENT = 1e-7  # of an implicit stepper with an explicit one, both with steps that follow every mode

LIMIT = 60.0  # seconds of computing, of one level

Build = Callable[[Plan], Solver | SteadySolver]
Tell = Callable[[str], None]


def _untold(line: str) -> None:
    del line


@dataclass(frozen=True, slots=True)
class Course:
    """How a verification goes: `tell` is given a line for each of its steps, and `limit` is the seconds after
    which a level is the last of its study."""

    tell: Tell = _untold
    limit: float = LIMIT


@dataclass(frozen=True, slots=True)
class Level:
    """One run of a study.

    `error` is relative to the largest value of the field (in the mean, of finite volumes), the worst
    field's: against the exact solution in space, against half the step in time; infinite for a run that
    broke down. `order` is measured against the level before; None where rounding is all that is left.
    """

    n: tuple[int, ...]
    steps: int
    error: float
    order: float | None
    rounded: bool = False  # the error is what rounding leaves


@dataclass(frozen=True, slots=True)
class Study:
    """`measured` is the order fitted to the last levels; `claimed` None asks for an error that falls
    faster than any power (a spectral method). Not `finished`: the limit of time came before its levels could
    tell whether the claim holds, and `passed` is false for want of an answer."""

    kind: Literal["space", "time"]
    method: str
    claimed: float | None
    levels: tuple[Level, ...]
    measured: float | None
    passed: bool
    reason: str
    finished: bool = True


@dataclass(frozen=True, slots=True)
class Verification:
    """`solution` is the manufactured one, as text by component."""

    solution: Mapping[str, str]
    studies: tuple[Study, ...]

    @property
    def passed(self) -> bool:
        return all(s.passed for s in self.studies)

    @property
    def missed(self) -> bool:
        """Whether a claim is contradicted."""
        return any(s.finished and not s.passed for s in self.studies)


def verify(
    problem: Problem, plan: Plan, report: Report, build: Build, course: Course = Course()
) -> Verification:
    """Measure the orders of the method and the stepper of a plan on the problem it was made for.

    Raises `SpecError` with R711 for terms that take part in no manufactured solution.
    """
    problem = at_start(problem)
    course.tell("manufacturing a solution and its data")
    made = manufacture(problem, report, swinging=False)
    report.check()
    assert made is not None
    studies = [space_study(made, plan, build, course)]
    if plan.system.time is not None and plan.stepping.name not in PROPAGATED:
        course.tell("manufacturing a solution that swings in time")
        moving = manufacture(problem, report, swinging=True)
        report.check()
        assert moving is not None
        studies.append(time_study(moving, plan, build, course))
    return Verification({name: str(e) for name, e in made.solution.items()}, tuple(studies))


# --- space ---


def space_study(made: Manufactured, plan: Plan, build: Build, course: Course = Course()) -> Study:
    """Errors on finer and finer grids, until the order is there or the grids are spent."""
    claimed = _order_in_space(plan)
    levels: list[Level] = []
    study: Study | None = None
    grids = MODES if claimed is None else FEW_POINTS if plan.method == "fd" and plan.order >= 6 else GRIDS
    for n in grids[len(plan.grid)]:
        counts = (n,) * len(plan.grid)
        started = process_time()
        here = _accurate(made, plan, counts)
        if here is None:
            continue  # too few points for the stencil
        course.tell(f"space: {plan.method} on {_size(counts)}")
        levels.append(_level(levels, counts, *_grid_error(here, made, build(here)), FLOOR))
        study = _space_verdict(plan.method, claimed, levels)
        spent = process_time() - started
        course.tell(f"space: {plan.method} on {_size(counts)}: {_outcome(levels[-1], spent)}")
        exact = len(levels) > 1 and all(level.rounded for level in levels)
        if exact or (len(levels) > REFINEMENTS and (study.passed or _settled(levels))):
            return study
        if spent > course.limit and len(levels) > 1:
            return _cut_short(study, _size(counts), spent, course.limit)
    return study if study is not None else _space_verdict(plan.method, claimed, levels)


def _settled(levels: Sequence[Level]) -> bool:
    """Whether the last three orders agree: finer grids would measure the same one."""
    last = [level.order for level in levels[-3:]]
    orders = [order for order in last if order is not None]
    return len(orders) == 3 and max(orders) - min(orders) < AGREED


def _size(counts: Sequence[int]) -> str:
    return " x ".join(map(str, counts)) + (" points" if len(counts) == 1 else "")


def _outcome(level: Level, spent: float) -> str:
    steps = f", {level.steps} steps" if level.steps else ""
    return f"error {level.error:.1e}{steps}, {spent:.1f} s"


def _cut_short(study: Study, last: str, spent: float, limit: float) -> Study:
    """The study with what its levels show so far, and that a finer one was not begun."""
    said = f"cut short, no finer level was begun: {last} took {spent:.0f} s, and the limit is {limit:g} s"
    reason = "; ".join(part for part in (study.reason, said) if part)
    return replace(study, reason=reason, finished=study.passed or _contradicts(study))


def _contradicts(study: Study) -> bool:
    """Whether levels that fall short of the claim would do so on finer ones as well: a run broke down, or the
    last refinement brought the order no nearer than the one before it."""
    if any(level.error == inf for level in study.levels):
        return True
    orders = [level.order for level in study.levels if level.order is not None]
    return len(orders) > 1 and orders[-1] < orders[-2] + AGREED


def _order_in_space(plan: Plan) -> float | None:
    """What the method claims up to the walls; None for faster than any power."""
    if plan.method == "spectral":
        return None
    return float(order_at_walls(plan.system, plan.order)[0] if plan.method == "fd" else plan.order)


def _accurate(made: Manufactured, plan: Plan, counts: tuple[int, ...]) -> Plan | None:
    """The plan on another grid, with a stepper whose error is soon below the grid's: of order 4, or exact for
    the manufactured solution."""
    if plan.system.time is None:
        return _plan(made, plan, counts, plan.stepping.name)
    if plan.system.has_memory:
        return _plan(made, plan, counts, "l1")
    if plan.method == "spectral":
        return _plan(made, plan, counts, "etdrk4")
    if plan.method == "fv":
        return _plan(made, plan, counts, "ssprk3")
    explicit = _plan(made, plan, counts, "rk4")
    if explicit is not None and _first_steps(explicit) > MOST_STEPS:
        return _plan(made, plan, counts, plan.stepping.name)
    return explicit


def _space_verdict(method: str, claimed: float | None, levels: Sequence[Level]) -> Study:
    if claimed is None:
        best = min((level.error for level in levels), default=inf)
        passed = best <= RESOLVED
        reason = f"the error falls to {best:.1e}"
        if not passed:
            reason = f"the error stops at {best:.1e}, above {RESOLVED:g}"
        if all(level.error <= FLOOR for level in levels):
            reason = f"exact to rounding: every error is below {FLOOR:g}"
        measured = next((level.order for level in reversed(levels) if level.order is not None), None)
        return Study("space", method, None, tuple(levels), measured, passed, reason)
    return _verdict("space", method, claimed, levels, [level.n[0] for level in levels], FLOOR)


def _grid_error(plan: Plan, made: Manufactured, solver: Solver | SteadySolver) -> tuple[int, float]:
    """(steps, error at the end), with so many steps that halving them changes the error little."""
    exact = {name: _exact(plan, value) for name, value in made.solution.items()}
    norm = _mean_norm if plan.method == "fv" else _largest
    if isinstance(solver, SteadySolver):
        return 0, _distance(_at_rest(solver), exact, norm)
    steps = _first_steps(plan)
    before = _advanced(solver, steps)
    error = _distance(before, exact, norm)
    for _ in range(HALVINGS):
        if plan.stepping.recall is not None and 2 * steps > plan.stepping.recall.capacity:
            break
        steps *= 2
        after = _advanced(solver, steps)
        error, change = _distance(after, exact, norm), _distance(before, after, norm)
        if change <= max(SHARE * error, ROUNDING):
            break
        before = after
    return steps, error


def _exact(plan: Plan, solution: sp.Expr) -> np.ndarray:
    """The solution at the last frame: on the nodes, or averaged over the cells of finite volumes."""
    values = nominal(plan.system)
    if plan.system.time is not None:
        values[plan.system.time.symbol] = np.asarray(plan.frames[-1])
    lines = [a.first + a.spacing * np.arange(a.points) for a in plan.grid]
    shifts, weights = np.zeros(1), np.ones(1)
    if plan.method == "fv":
        shifts, weights = (v / 2 for v in np.polynomial.legendre.leggauss(GAUSS_NODES))
    total = np.zeros(plan.shape)
    for picked in product(range(len(shifts)), repeat=len(lines)):
        moved = [x + shifts[i] * a.spacing for x, i, a in zip(lines, picked, plan.grid, strict=True)]
        grids = np.meshgrid(*moved, indexing="ij")
        here = values | {a.symbol: g for a, g in zip(plan.system.axes, grids, strict=True)}
        total = total + np.prod(weights[list(picked)]) * sample(solution, here)
    return total


def _largest(values: np.ndarray) -> float:
    return float(np.max(np.abs(values)))


def _mean_norm(values: np.ndarray) -> float:
    # Limiters cut the order at single cells, beside extrema: the mean is what they claim an order for.
    return float(np.mean(np.abs(values)))


def _distance(
    found: Mapping[str, np.ndarray],
    wanted: Mapping[str, np.ndarray],
    norm: Callable[[np.ndarray], float] = _largest,
) -> float:
    worst = 0.0
    for name, values in wanted.items():
        worst = max(worst, norm(found[name] - values) / norm(values))
    return worst if isfinite(worst) else inf


# --- time ---


def time_study(made: Manufactured, plan: Plan, build: Build, course: Course = Course()) -> Study:
    """Differences between runs with a step and with half of it, on one grid."""
    counts = (HELD[len(plan.grid)],) * len(plan.grid)
    while (here := _plan(made, plan, counts, plan.stepping.name)) is None:
        counts = tuple(n + 4 for n in counts)  # until the stencil fits
    name = plan.stepping.name
    course.tell(f"time: {name} on {_size(here.shape)}")
    solver = build(here)
    assert isinstance(solver, Solver)
    steps = _first_steps(here)
    reference = None
    if plan.stepping.name in ("imex", "implicit"):
        explicit = _accurate(made, plan, counts)
        if explicit is not None and explicit.stepping.name == "rk4":
            # Where the fastest mode of the grid is not followed, implicit steppers show the order of
            # their stages; and only another stepper tells whether they solve the same equations.
            steps = _first_steps(explicit)
            other = build(explicit)
            assert isinstance(other, Solver)
            reference = _converged(other, 2 * steps)
    levels: list[Level] = []
    fields = _advanced(solver, steps)
    study: Study | None = None
    for _ in range(HALVINGS):
        if here.stepping.recall is not None and 2 * steps > here.stepping.recall.capacity:
            break
        started = process_time()
        finer = _advanced(solver, 2 * steps)
        levels.append(_level(levels, here.shape, steps, _distance(fields, finer), ROUNDING))
        study = _time_verdict(here, levels)
        spent = process_time() - started
        course.tell(f"time: {name} with {2 * steps} steps: {_outcome(levels[-1], spent)}")
        fields, steps = finer, 2 * steps
        if study.passed and len(levels) >= REFINEMENTS:
            break
        if spent > course.limit and len(levels) > 1:
            study = _cut_short(study, f"{steps} steps", spent, course.limit)
            break
    if study is None:
        study = _time_verdict(here, levels)
    if reference is not None and study.passed:
        apart = _distance(fields, reference)
        if apart > AGREEMENT:
            return replace(study, passed=False, reason=f"`rk4` ends elsewhere, {apart:.1e} away")
    return study


def _converged(solver: Solver, steps: int) -> Mapping[str, np.ndarray]:
    """The end of a run with so many steps that half of them end within half of `AGREEMENT` of it."""
    fields = _advanced(solver, steps)
    for _ in range(HALVINGS):
        steps *= 2
        coarser, fields = fields, _advanced(solver, steps)
        if _distance(coarser, fields) < AGREEMENT / 2:
            break
    return fields


def _time_verdict(plan: Plan, levels: Sequence[Level]) -> Study:
    steps = [level.steps for level in levels]
    claimed = order_in_time(plan) if plan.system.has_memory else plan.stepping.order
    return _verdict("time", plan.stepping.name, claimed, levels, steps, ROUNDING)


def _first_steps(plan: Plan) -> int:
    span, bound = plan.frames[-1] - plan.frames[0], plan.stepping.bound
    return FIRST_STEPS if bound is None else max(FIRST_STEPS, ceil(1.2 * span / bound))


def _advanced(solver: Solver, steps: int) -> dict[str, np.ndarray]:
    """The fields at the last frame, after equal steps; not a number after a breakdown.

    By the program whose step and count are arguments, so that one compilation serves a whole study.
    """
    compiled, plan = solver.compiled, solver.plan
    number = np.dtype(plan.dtype).type
    with precise(plan.dtype):
        params = {k: jnp.asarray(v, plan.dtype) for k, v in solver.parameters.items()}
        ready = compiled.prepare(params)
        state = compiled.start(params, {}, samples(plan)).state
        h = number((plan.frames[-1] - plan.frames[0]) / steps)
        if plan.stepping.recall is None:
            moved = compiled.march(state.t, state.y, h, np.int32(steps), compiled.aid(h, ready), ready)
        else:
            begins = jnp.asarray(h * np.arange(plan.stepping.recall.capacity))
            listed = Steps(begins, jnp.full_like(begins, h))
            moved = compiled.follow(state.y, listed, np.int32(0), np.int32(steps), ready)
        shown = compiled.show(number(plan.frames[-1]), moved.y, ready)
        whole = bool(moved.finite)
    return {name: np.asarray(a) if whole else np.full(a.shape, np.nan) for name, a in shown.items()}


def _at_rest(solver: SteadySolver) -> dict[str, np.ndarray]:
    try:
        return {name: np.asarray(a) for name, a in solver.solve().fields.items()}
    except Unsolved:
        return {c.name: np.full(solver.plan.shape, np.nan) for c in solver.plan.system.problem.components}


# --- both ---


def _plan(made: Manufactured, plan: Plan, counts: tuple[int, ...], stepper: StepperName) -> Plan | None:
    """The plan on another grid with the same method; None where the grid is too small for it."""
    problem = made.system.problem
    options: dict[str, OptionValue] = {
        "method": plan.method,
        "n": tuple(sp.Integer(n) for n in counts),
        "dtype": "float64",
    }
    if problem.time is None:
        options["tol"] = sp.Rational(str(ROUNDING))
    else:
        options["step"] = stepper
    if plan.order:
        options["order"] = sp.Integer(plan.order)
    if any(kept != 1 for kept in plan.dealias):
        options["dealias"] = sp.Float(plan.dealias[0])
    output: tuple[Option, ...] = ()
    if made.system.has_memory and made.duration is not None:
        options |= {"dt": sp.Float(made.duration / MESH), "memory": "direct"}
    time = problem.time
    if time is not None and made.duration is not None:
        start = float(sample(time.lower, nominal(made.system)))
        time = replace(time, upper=sp.Float(start + made.duration))
        output = (Option("every", sp.Float(made.duration), problem.span),)
    solve = tuple(Option(name, value, problem.span) for name, value in options.items())
    asked = replace(problem, time=time, solve=solve, output=output)
    quiet = Report(problem.source)  # what it says of the grid, it says of ours
    return make_plan(replace(made.system, problem=asked), quiet)


def _level(before: Sequence[Level], n: tuple[int, ...], steps: int, error: float, floor: float) -> Level:
    order = None
    if before and floor < error < inf and before[-1].error < inf:
        last = before[-1]
        ratio = n[0] / last.n[0] if n != last.n else steps / last.steps
        order = float(np.log(last.error / error) / np.log(ratio))
    return Level(n, steps, error, order, error <= floor)


def _verdict(
    kind: Literal["space", "time"],
    method: str,
    claimed: float,
    levels: Sequence[Level],
    sizes: Sequence[int],
    floor: float,
) -> Study:
    """The order fitted to the last three levels whose error is above the floor."""
    used = [(n, level.error) for n, level in zip(sizes, levels, strict=True) if floor < level.error < inf]

    def study(measured: float | None, passed: bool, reason: str) -> Study:
        return Study(kind, method, claimed, tuple(levels), measured, passed, reason)

    if len(used) < 2:
        small = bool(levels) and levels[-1].error <= floor and len(used) <= 1
        whole = all(level.error < inf for level in levels)
        below = "every error is" if not used else "the error falls"
        reason = (
            f"exact to rounding: {below} below {floor:g}" if small and whole else "too few runs went through"
        )
        return study(None, small and whole, reason)
    n, errors = np.log([p[0] for p in used[-3:]]), np.log([p[1] for p in used[-3:]])
    measured = float(-np.polyfit(n, errors, 1)[0])
    passed = measured >= claimed - SLACK
    return study(measured, passed, "" if passed else f"it falls short by {claimed - measured:.2f}")
