"""A steady plan made to run: one pure function from parameters to fields."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NoReturn, cast

import jax
import jax.numpy as jnp
from jax import Array

from nablax.backends.arguments import complete, default_parameters
from nablax.backends.checks import Number, Numbers, check_nodal
from nablax.backends.frames import Frame, Progress
from nablax.backends.interface import Equilibrium, Parameters, Rest, Tabled, Unsupported
from nablax.backends.nodes import noisy_fields, samples
from nablax.backends.precision import precise, traced, typed_parameters
from nablax.backends.rest import check_rest, frame_of
from nablax.backends.solution import SteadySolution
from nablax.outline import Outline
from nablax.outlining import outline_of
from nablax.passes.interval import interval_form
from nablax.plan import Plan


@dataclass(frozen=True, slots=True)
class SteadySolver:
    """`solve` is pure: it goes through jit, vmap, forward and reverse mode. Nothing moves in time.

    Every call may raise `PrecisionError`: float64 planned, float32 in force, and a transformation around.
    """

    plan: Plan = field(repr=False)
    outline: Outline = field(repr=False)
    parameters: Mapping[str, float]
    scheme: Equilibrium = field(repr=False)
    compiled: Callable[..., Rest] = field(repr=False)

    def _repr_html_(self) -> str:
        return self.plan._repr_html_()

    def solve(
        self, params: Numbers | None = None, initial: Mapping[str, Array] | None = None
    ) -> SteadySolution:
        """The fields at rest.

        `initial`, nodal arrays of shape `plan.shape` by name, replaces where an iteration begins. Eager
        calls raise `Unsolved` where it does not converge or where the data are not compatible; under a
        transformation the fields are then not a number, and the defects are there to be looked at.
        """
        given = dict(initial or {})
        check_nodal(self.plan.shape, {u.name: u.complex for u in self.plan.system.unknowns}, given)
        with precise(self.plan.dtype, params, given):
            ready = complete(self.plan, self.parameters, params)
            found = self.compiled({**ready, **self.tables()}, given, samples(self.plan))
        if not traced(params, given, found):
            check_rest(found, self.plan.dtype)
        return SteadySolution(found.fields, ready, found.residuals, found.defects, self.outline)

    def tables(self) -> Parameters:
        """Matrices that follow from the grid alone, which the program takes among the parameters."""
        found = self.scheme.tables(None) if isinstance(self.scheme, Tabled) else {}
        return cast(Parameters, found)

    def stream(self, params: Numbers | None = None) -> Iterator[Frame | Progress]:
        """The one frame there is. Raises `Unsolved`."""
        yield frame_of(self.solve(params))

    def rhs(self, t: Number, y: object, params: Numbers | None = None) -> NoReturn:
        """Raises TypeError: nothing moves in a steady problem."""
        raise TypeError("a steady problem has no right-hand side in time: use `solve`")

    def step(self, state: object, params: Numbers | None = None) -> NoReturn:
        """Raises TypeError: nothing moves in a steady problem."""
        raise TypeError("a steady problem takes no steps in time: use `solve`")

    def initial(self, params: Numbers | None = None, fields: object = None) -> NoReturn:
        """Raises TypeError: nothing moves in a steady problem."""
        raise TypeError("a steady problem has no state in time: `solve` takes a first guess")


def build(plan: Plan) -> SteadySolver:
    """Bind the scheme of a steady plan. Nothing is compiled yet. Raises `Unsupported`."""
    scheme = _scheme(plan)

    def solve(params: Parameters, fields: Mapping[str, Array], drawn: Mapping[str, Array]) -> Rest:
        typed = typed_parameters(params, plan.dtype)
        given = noisy_fields(plan, typed, drawn) | {n: jnp.asarray(a) for n, a in fields.items()}
        return scheme.solve(typed, given)

    defaults = MappingProxyType(default_parameters(plan.system))
    return SteadySolver(plan, outline_of(plan), defaults, scheme, jax.jit(solve))


def _scheme(plan: Plan) -> Equilibrium:
    if plan.method == "fd":
        from nablax.backends.differences.steady import build_steady

        return build_steady(plan)
    if plan.method == "spectral" and not all(a.periodic for a in plan.grid):
        if interval_form(plan.system) is None:
            from nablax.backends.spectral.galerkin import build_steady as build_eigenfunctions

            return build_eigenfunctions(plan)
        from nablax.backends.spectral.jacobi import build_interval

        return build_interval(plan)
    if plan.method == "spectral":
        from nablax.backends.spectral.steady import build_steady as build_spectral

        return build_spectral(plan)
    raise Unsupported(f"no steady solver for the method `{plan.method}`")
