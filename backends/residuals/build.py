"""From a system and a field to residuals, losses, vectors and tables; what has no residual is refused."""

from collections.abc import Mapping, Sequence

from jax import Array

from nablax.backends.residuals.derivatives import Derivatives, wanted
from nablax.backends.residuals.field import Field
from nablax.backends.residuals.losses import Losses, ResidualVector
from nablax.backends.residuals.residual import Residual
from nablax.backends.residuals.sampling import sample
from nablax.derivatives.available import check_available
from nablax.derivatives.evaluation import Evaluation, make_evaluation
from nablax.derivatives.statements import INSIDE, Statement, places, statements
from nablax.system import System


def build_residual(system: System, field: Field, derivatives: str | None) -> Residual:
    """Raises `SpecError` where an equation has no residual."""
    return Residual(field, _evaluation(system, places(statements(system))[INSIDE], derivatives))


def build_losses(system: System, field: Field, derivatives: str | None) -> Losses:
    """Raises `SpecError` where a statement has no residual."""
    return Losses(field, _by_place(system, field, derivatives))


def build_vector(system: System, field: Field, derivatives: str | None) -> ResidualVector:
    """Raises `SpecError` where a statement has no residual."""
    return ResidualVector(field, _by_place(system, field, derivatives))


def build_derivatives(system: System, field: Field, names: Sequence[str] | None) -> Derivatives:
    """Raises `FieldError` for a name that is no derivative."""
    return Derivatives(
        field, _evaluation(system, wanted(system, None if names is None else tuple(names)), None)
    )


def build_batch(
    system: System, key: Array, counts: Mapping[str, int], method: str
) -> dict[str, dict[str, Array]]:
    """Raises `FieldError` for a place or method that is not there, `SpecError` for a table."""
    grouped = places(statements(system))
    return sample(system.problem, tuple(grouped), key, counts, method)


def _by_place(system: System, field: Field, asked: str | None) -> dict[str, Evaluation]:
    """Every place, without the statements that hold by construction."""
    return {
        place: _evaluation(system, [s for s in found if s.name not in field.exact], asked)
        for place, found in places(statements(system)).items()
    }


def _evaluation(system: System, found: Sequence[Statement], asked: str | None) -> Evaluation:
    check_available(system, found)
    return make_evaluation(system.problem, found, asked)
