"""A loaded artifact of a steady problem: the interface of a steady solver on one exported program."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import cast

import jax
import numpy as np
from jax import Array

from nablax.backends.artifact.errors import ArtifactError
from nablax.backends.artifact.manifest import Manifest
from nablax.backends.artifact.parameters import complete
from nablax.backends.artifact.parameters import shapes as shapes_of
from nablax.backends.checks import Numbers, check_nodal
from nablax.backends.frames import Frame, Progress
from nablax.backends.interface import Parameters, Rest
from nablax.backends.noise import noise
from nablax.backends.precision import precise, traced
from nablax.backends.rest import check_rest, frame_of
from nablax.backends.solution import SteadySolution
from nablax.outline import Outline

Call = Callable[..., object]


@dataclass(frozen=True, slots=True)
class SteadyArtifact:
    """`solve` and `stream` are those of `nablax.backends.steady.SteadySolver`.

    `solve` goes through jit, through vmap member by member, and through reverse mode. Every call may raise
    `PrecisionError`.
    """

    manifest: Manifest = field(repr=False)
    parameters: Mapping[str, float]
    calls: Mapping[str, Call] = field(repr=False)
    _compiled: Callable[..., Rest] = field(repr=False)

    @property
    def outline(self) -> Outline:
        return self.manifest.outline

    @property
    def differentiable(self) -> bool:
        """Whether reverse mode passes `solve`."""
        return self.manifest.differentiable

    def _repr_html_(self) -> str:
        from nablax.notebook import artifact_html

        return artifact_html(self.outline, self.manifest.platforms)

    def solve(
        self, params: Numbers | None = None, initial: Mapping[str, Array] | None = None
    ) -> SteadySolution:
        """The fields at rest; `initial`, nodal arrays by name, replaces where an iteration begins.

        Eager calls raise `Unsolved` where it does not converge or where the data are not compatible; under
        a transformation the fields are then not a number.
        """
        given = dict(initial or {})
        check_nodal(self.outline.shape, dict(self.manifest.guesses), given)
        with precise(self.outline.dtype, params, given):
            ready = self.complete(params)
            found = self._compiled(ready, given)
        if not traced(params, given, found):
            check_rest(found, self.outline.dtype)
        return SteadySolution(found.fields, ready, found.residuals, found.defects, self.outline)

    def stream(self, params: Numbers | None = None) -> Iterator[Frame | Progress]:
        """The one frame there is. Raises `Unsolved`."""
        yield frame_of(self.solve(params))

    def pace(self, params: Numbers | None = None) -> None:
        """Nothing moves in a steady problem."""

    def rehearse(self) -> None:
        """Trace the program once, on shapes alone. Raises `ArtifactError` if it does not fit the manifest."""
        with precise(self.outline.dtype):
            numbers = shapes_of(self.outline, self.parameters)
            try:
                found = jax.eval_shape(self._compiled, numbers, {})
                shapes = {name: a.shape for name, a in found.fields.items()}
            except Exception as error:  # whatever programs of a stranger make JAX raise
                said = " ".join(f"{type(error).__name__}: {error}".split())[:120]
                raise ArtifactError(f"the programs do not fit together ({said})") from None
        if shapes != dict.fromkeys(self.manifest.shown, self.outline.shape):
            raise ArtifactError("the programs show other fields than the manifest says")

    def complete(self, params: Numbers | None) -> Mapping[str, Array]:
        """Every parameter in the artifact's precision; those that follow from others follow.

        Raises ValueError for an unknown name, `ArtifactError` for another value of a static one.
        """
        return complete(self.outline, self.calls, params)


def steady_artifact(
    manifest: Manifest, parameters: Mapping[str, float], calls: Mapping[str, Call]
) -> SteadyArtifact:
    """Bind the programs of a steady problem."""

    def rest(params: Parameters, given: Mapping[str, Array]) -> Rest:
        outline = manifest.outline
        drawn = {name: noise(seed, outline.shape).astype(outline.dtype) for name, seed in manifest.draws}
        kinds = manifest.kinds()
        fields = {name: given.get(name, np.zeros(outline.shape, kind)) for name, kind in kinds}
        chosen = {name: np.asarray(name in given) for name, _ in kinds}
        found = calls["rest"](dict(params), drawn, fields, chosen)
        return Rest(*cast(tuple[dict[str, Array], Array, Array, dict[str, Array]], found))

    return SteadyArtifact(manifest, parameters, calls, jax.jit(rest))
