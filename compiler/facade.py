"""What `import nablax` offers: load a spec, look at it, compile it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from nablax.frontend.diagnostics import Diagnostic, Report, Severity
from nablax.frontend.parser import read_source
from nablax.frontend.source import Source
from nablax.overrides import Overrides
from nablax.pipeline import Stages, plan_on, run_stages
from nablax.system import System

if TYPE_CHECKING:
    from jax import Array

    from nablax.backends.residuals.derivatives import Derivatives
    from nablax.backends.residuals.field import Field, PyTree
    from nablax.backends.residuals.losses import Losses, ResidualVector
    from nablax.backends.residuals.residual import Residual
    from nablax.backends.solver import Solver
    from nablax.backends.steady import SteadySolver
    from nablax.backends.training.records import Trained
    from nablax.backends.training.run import Watcher
    from nablax.backends.training.unknowns import Bounds
    from nablax.backends.verification import Verification

Number = int | float


@dataclass(frozen=True)
class Problem:
    """A spec without errors. `warnings` holds what the compiler has to say about it all the same."""

    stages: Stages
    overrides: Overrides
    folder: Path | None

    @property
    def source(self) -> Source:
        return self.stages.report.source

    @property
    def warnings(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self.stages.report.diagnostics if d.severity is Severity.WARNING)

    def show(self) -> str:
        """Equations, normal form, character, and every choice with its reason."""
        from nablax.show import show

        return show(self.stages)

    def _repr_html_(self) -> str:
        from nablax.notebook import problem_html

        return problem_html(self.stages)

    def _repr_latex_(self) -> str:
        return self.latex()

    def latex(self) -> str:
        """The equations as LaTeX."""
        from nablax.show import latex

        assert self.stages.problem is not None
        return latex(self.stages.problem)

    def compile(
        self,
        *,
        params: Mapping[str, Number] | None = None,
        method: str | None = None,
        n: int | Sequence[int] | None = None,
        order: int | None = None,
        step: str | None = None,
        dt: float | None = None,
        tol: float | None = None,
        dtype: str | None = None,
        dealias: float | str | None = None,
        tune: bool | None = None,
        arrays: Sequence[str] | None = None,
    ) -> "Solver | SteadySolver":
        """The solver of this problem; the keywords are those of the `solve` block and win over it.

        A problem without a `time` block has a solver with `solve` alone.
        `tune` times the ways to run the kernels on this device, once, and keeps the fastest.
        `arrays` names functions of the `let` block that become arguments: `solve(params={"c": array})`.
        `params` replaces nominal values, those of static parameters (in axis bounds) included. Raises
        `SpecError` where the choice cannot be made, and `TypeError` where `arrays` holds anything but names.
        """
        from nablax.backends.build import build

        options = {
            "method": method, "n": n, "order": order, "step": step, "dt": dt, "tol": tol, "dtype": dtype,
            "dealias": dealias, "tune": None if tune is None else "on" if tune else "off",
            "arrays": _listed(arrays),
        }  # fmt: skip
        solve = dict(self.overrides.solve) | {k: _text(v) for k, v in options.items() if v is not None}
        parameters = dict(self.overrides.parameters) | {k: _text(v) for k, v in (params or {}).items()}
        stages = self.stages
        if solve or parameters:
            stages = run_stages(self.source, Overrides(parameters, solve), self.folder)
        plan, _ = stages.demand()
        return build(plan)

    def network(self, key: "Array", model: str | None = None) -> "Field":
        """A field with networks of random weights, for `residual`, `losses`, ...

        `model` is text as in the `train` block, `pirate(width=128, blocks=3)`; by default what that block
        says, else `mlp(width=64, depth=4)`. Pure in `key`, so that `jax.vmap` draws ensembles. Raises
        `SpecError` where the text is none.
        """
        from nablax.backends.networks.build import build_field
        from nablax.models import parse_model, read_model

        problem, report = self.system.problem, Report(self.source)
        found = read_model(problem, report) if model is None else parse_model(model, self.source, report)
        report.check()
        assert found is not None
        return build_field(problem, found, key)

    def bounds(self) -> "Bounds":
        """Smooth maps for unknown parameters with an interval: `bounds.free(params)` are numbers without
        bounds, for an optimiser, and `bounds.bounded(free)` the parameters again.
        """
        from nablax.backends.training.unknowns import bounds_of

        return bounds_of(self.system.problem)

    def hard(self, net: object) -> "Field":
        """The field with its conditions built in: initial, Dirichlet, Neumann, Robin and periodic ones.

        `field.exact` has the names of the statements that hold whatever the parameters, and losses leave them
        out; `field.left` those that cannot be built in, with the reason.
        """
        from nablax.backends.residuals.hard import hard_field

        return hard_field(self.system, field(self, net))

    def residual(self, net: object, derivatives: str | None = None) -> "Residual":
        """r = residual(params, points): what the equations leave of a field or network, by name.

        `net` is a `nablax.field(problem, net)`, or what that takes. `derivatives` is `exact`, `nested`,
        `stochastic(16)` or `stochastic(16, dense)`; by default what `train` says, else the planner's choice.
        """
        from nablax.backends.residuals.build import build_residual

        return build_residual(self.system, field(self, net), derivatives)

    def losses(self, net: object, derivatives: str | None = None) -> "Losses":
        """losses(params, batch, key=None, weights=None): mean squares, by name, of all that is stated."""
        from nablax.backends.residuals.build import build_losses

        return build_losses(self.system, field(self, net), derivatives)

    def residual_vector(self, net: object, derivatives: str | None = None) -> "ResidualVector":
        """vector(params, batch, weights=None): all residuals, scaled; their squares add up to the losses."""
        from nablax.backends.residuals.build import build_vector

        return build_vector(self.system, field(self, net), derivatives)

    def derivatives(self, net: object, names: Sequence[str] | None = None) -> "Derivatives":
        """table(params, points): derivatives such as `u`, `dxx(u)`, `dt(U.x)`, for losses of one's own.

        By default those that the equations hold.
        """
        from nablax.backends.residuals.build import build_derivatives

        return build_derivatives(self.system, field(self, net), names)

    def sample(
        self, key: "Array", counts: Mapping[str, int], method: str = "uniform"
    ) -> "dict[str, dict[str, Array]]":
        """A batch of points by place, each {axis name: [n]}; `counts` as {"equation": 4096, "boundary": 256}.

        `boundary` counts for every wall; tables of `data` come whole unless counted. `method` is `uniform`,
        `lhs`, `sobol` or `grid`.
        """
        from nablax.backends.residuals.build import build_batch

        return build_batch(self.system, key, counts, method)

    @property
    def system(self) -> System:
        """The normal form."""
        assert self.stages.system is not None
        return self.stages.system

    def verify(self) -> "Verification":
        """Measured orders of the method and the stepper beside the claimed ones, on a manufactured solution.

        Raises `SpecError` (R711) where a term takes part in none.
        """
        from nablax.backends.build import build
        from nablax.backends.verification import verify

        assert self.stages.problem is not None
        assert self.stages.plan is not None
        report = Report(self.source)
        return verify(self.stages.problem, self.stages.plan, report, build)


def _listed(names: Sequence[str] | None) -> str | None:
    """Names as the text of a list; None for none."""
    if isinstance(names, str):
        names = [names]
    if names is None or not len(names):
        return None
    if isinstance(names, Mapping) or not all(isinstance(name, str) for name in names):
        raise TypeError(
            "`arrays` lists names of functions, as in arrays=['c']; "
            "their values go to solve(params={'c': array})"
        )
    return f"[{', '.join(names)}]"


def _text(value: Number | str | Sequence[int]) -> str:
    """A value in the language's own syntax."""
    if isinstance(value, str):
        return value
    if isinstance(value, Sequence):
        return f"[{', '.join(str(int(v)) for v in value)}]"
    return repr(value.item() if hasattr(value, "item") else value)


def _train_text(name: str, value: object) -> str:
    """An option of `train` in the language's own syntax. Raises TypeError for another kind of value."""
    if isinstance(value, str | int | float) or getattr(value, "shape", None) == ():
        return _text(cast(Number | str, value))
    raise TypeError(
        f"`{name}` is text, as in a `train` block ('mlp(width=64, depth=4)', '[adam(1000), lm(50)]'), and "
        f"this is of type {type(value).__name__}; a network of your own goes into `nablax.field`"
    )


def field(
    problem: Problem,
    net: object,
    params: "PyTree" = None,
    coefficients: Mapping[str, object] | None = None,
) -> "Field":
    """The unknowns of a problem as a network with parameters.

    `net` maps ONE point [axes] (space axes in declared order, then time) to [components] in declared order:
    an equinox module, something with `apply(params, z)` (flax), or a plain `net(params, z)`, whose
    parameters may be given as `params`. `coefficients` has a network for every unknown field `C(x) ~ 0.5`,
    from its own arguments to one number: 0 stands for the start value. Raises ValueError for anything else.
    """
    from nablax.backends.residuals.field import make_field

    assert problem.stages.problem is not None
    return make_field(problem.stages.problem, net, params, coefficients)


def parse(
    text: str,
    *,
    name: str = "spec",
    folder: str | Path | None = None,
    params: Mapping[str, Number] | None = None,
) -> Problem:
    """The problem that a text states; raises `SpecError` with all diagnostics.

    `folder` is where the files named by the spec are looked for.
    """
    overrides = Overrides({k: _text(v) for k, v in (params or {}).items()}, {})
    place = None if folder is None else Path(folder)
    stages = run_stages(read_source(name, text), overrides, place)
    if stages.system is None:
        # A problem that no solver takes has a residual all the same: `compile` says what is in the way.
        stages.report.check()
    return Problem(stages, overrides, place)


def load(path: str | Path, *, params: Mapping[str, Number] | None = None) -> Problem:
    """The problem in a `.pde` file; raises `SpecError` with all diagnostics, or OSError."""
    file = Path(path)
    return parse(file.read_text(encoding="utf-8"), name=str(path), folder=file.parent, params=params)


def train(
    problem: Problem,
    options: Mapping[str, Number | str] | None = None,
    *,
    folder: str | Path | None = None,
    resume: bool = False,
    watcher: "Watcher | None" = None,
) -> "Trained":
    """Train networks on a problem, as its `train` block says; `options` win over those of the block.

    With a `folder`, checkpoints go there, and `resume` goes on with the newest; nothing is written without
    one. `watcher.saw(reading)` is called after every chunk of steps. Runs in the precision of the run
    whatever the host's setting. Raises `SpecError`, `OutputError` for the folder, and TypeError for an option
    that is neither text nor a number.
    """
    from nablax.backends.precision import precise
    from nablax.backends.training.finish import judged, scored
    from nablax.backends.training.loop import programs_of
    from nablax.backends.training.run import Silent
    from nablax.backends.training.run import train as train_task
    from nablax.backends.training.task import make_task

    given = dict(problem.overrides.train) | {k: _train_text(k, v) for k, v in (options or {}).items()}
    changes = Overrides(problem.overrides.parameters, problem.overrides.solve, given)
    stages = run_stages(problem.source, changes, problem.folder) if options else problem.stages
    system, training, _ = stages.demand_training()
    place = None if folder is None else Path(folder)
    with precise(training.dtype):
        task = make_task(system, training)
        trained = train_task(task, programs_of(task), place, resume, watcher or Silent())
        planner = partial(plan_on, problem.source, changes, problem.folder)
        return scored(task, judged(task, trained), stages.plan, planner)
