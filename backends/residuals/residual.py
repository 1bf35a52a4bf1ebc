"""`problem.residual(field)`: what the equations leave of a field, at any points."""

from dataclasses import dataclass

from jax import Array

from nablax.backends.residuals.evaluate import values_at
from nablax.backends.residuals.field import Field, PyTree
from nablax.backends.residuals.points import Points, check_balls, gather
from nablax.derivatives.evaluation import Evaluation
from nablax.derivatives.statements import INSIDE


@dataclass(frozen=True, slots=True, weakref_slot=True, eq=False, repr=False)
class Residual:
    """r = residual(params, points): what every equation leaves, by name (`equation/momentum`).

    A scalar equation gives an array of the points' shape, a vector equation one more axis for its
    components. Pure, and good for jit, vmap and grad; nothing is trained here. Where directions are drawn
    (in many dimensions), the values are unbiased estimates and need a `key`; their mean square is biased, and
    `problem.losses` has an unbiased one.
    """

    field: Field
    evaluation: Evaluation

    def __call__(self, params: PyTree, points: Points, key: Array | None = None) -> dict[str, Array]:
        z = gather(self.field.problem, points, INSIDE)
        check_balls(self.field.problem, self.evaluation, z, INSIDE)
        return values_at(self.field, self.evaluation, params, z, {}, key)

    def __repr__(self) -> str:
        return f"<Residual {', '.join(self.names)} of {self.field!r}>"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(s.name for s in self.evaluation.needs.statements)
