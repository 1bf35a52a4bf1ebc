"""What is chosen where the `train` block is silent, and why."""

from collections.abc import Sequence

from nablax.models import Model
from nablax.problem import Problem
from nablax.training.records import Phase, Sampler, Weighting
from nablax.training.tables import relative_errors

WHY_COUNTS = "enough to see the solution, few enough for quick steps"
_DENSE = 3000  # weights up to which normal equations are a matter of milliseconds
_LOW = 3  # coordinates up to which a small network and least squares win


def small(problem: Problem) -> bool:
    """Whether a small network with Levenberg–Marquardt is the first thing to try."""
    coordinates = len(problem.axes) + (problem.time is not None)
    return coordinates <= _LOW and not problem.families and not problem.coefficients


def phases(model: Model | None, low: bool) -> tuple[tuple[Phase, ...], str]:
    if low and (model is None or model.width**2 * model.depth <= _DENSE):
        return (
            (Phase("lm", 400),),
            "least squares on a small network: most accurate per second in few dimensions",
        )
    why = "the model is too large for least squares" if low else "many dimensions: steps must be cheap"
    return (Phase("adam", 20000, schedule="cosine"),), why


def model(second: bool) -> tuple[Model, str]:
    if second:
        return Model("mlp", width=20, depth=3), "small enough for dense least squares"
    return Model("mlp", width=64, depth=4), "the usual size"


def counts(places: Sequence[str], second: bool) -> tuple[tuple[str, int], ...]:
    families = dict.fromkeys(p.split("/")[0] for p in places)
    inside, edge = (2048, 128) if second else (4096, 256)
    return tuple((f, inside if f == "equation" else edge) for f in families if f != "data")


def sampler(second: bool, sampled: bool) -> tuple[Sampler, str]:
    if sampled:
        return Sampler("uniform", "none", 1000), "new points now and then: none is fitted by heart"
    every = 15 if second else 1000
    return Sampler("sobol", "rad", every), "points go where the residual is large, so that fronts are seen"


def weighting(problem: Problem) -> tuple[Weighting, str]:
    """Misfits are in units of `sigma`; times (sigma / size of the values)² they are as large as the others.

    Equations hold exactly and measurements do not: misfits that weigh 1/sigma² make a network follow the
    noise and break the equations. The most precise table sets the factor, the others keep their share.
    """
    errors = relative_errors(problem)
    if not errors:
        return Weighting(), "all terms alike"
    factor = min(1.0, *errors.values()) ** 2
    fixed = tuple((f"data/{name}", factor) for name in errors)
    return Weighting(fixed), "equations hold exactly, measurements within their sigma: noise is not followed"


def checkpoint(phases: Sequence[Phase]) -> int:
    return max(1, sum(p.steps for p in phases) // 20)
