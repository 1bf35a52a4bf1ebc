"""The stepper a plan names, for the scheme it is given."""

from collections.abc import Callable, Mapping
from typing import cast

from jax import Array

from nablax.backends.interface import (
    Affine,
    Courant,
    Exponential,
    Inverse,
    Linearised,
    Parameters,
    Semidiscretisation,
    Split,
    Unsupported,
    Vector,
)
from nablax.backends.memory.convolution import Convolution
from nablax.backends.memory.implicit import ImplicitStep, linear
from nablax.backends.memory.linear import PiecewiseLinear
from nablax.backends.memory.propagation import Propagation
from nablax.backends.memory.quadratic import PiecewiseQuadratic
from nablax.backends.memory.scheme import Remembering
from nablax.backends.stepping.additive import AdditiveRungeKutta, AffineImplicit, DiagonallyImplicit
from nablax.backends.stepping.bundles import Bundle, RungeKuttaBundle
from nablax.backends.stepping.control import Control, Tolerance
from nablax.backends.stepping.convex import ShuOsher
from nablax.backends.stepping.explicit import ExplicitRungeKutta
from nablax.backends.stepping.exponential import ExponentialRungeKutta
from nablax.backends.stepping.leapfrog import Leapfrog, LeapfrogBundle, pairs_of
from nablax.backends.stepping.method import Attempt, Memoryless, Method
from nablax.backends.stepping.tableaus import CLASSICAL, DORMAND_PRINCE, EULER, HEUN
from nablax.plan import PROPAGATED, Stepping

EXPLICIT = {"euler": EULER, "rk2": HEUN, "rk4": CLASSICAL, "dopri5": DORMAND_PRINCE}
REMEMBERING: Mapping[str, type[PiecewiseLinear] | type[PiecewiseQuadratic] | type[Convolution]] = {
    "l1": PiecewiseLinear, "l21sigma": PiecewiseQuadratic, "cq": Convolution,
}  # fmt: skip

AnyMethod = Method[Vector, object, object]


def method_of(stepping: Stepping, scheme: Semidiscretisation[Vector]) -> AnyMethod:
    """Raises `Unsupported` where the scheme lacks what the method needs."""
    name = stepping.name
    if isinstance(scheme, Remembering):
        if name in PROPAGATED:
            return cast(AnyMethod, Memoryless(Propagation(scheme).attempt, order=1, error_order=0))
        implicit = ImplicitStep(scheme.inner, linear(scheme.inner))
        attempt = REMEMBERING[name](scheme, implicit).attempt
        return cast(AnyMethod, Memoryless(attempt, order=stepping.order, error_order=0))
    if name in EXPLICIT:
        return cast(AnyMethod, ExplicitRungeKutta(scheme, EXPLICIT[name]))
    if name == "ssprk3":
        return cast(AnyMethod, Memoryless(ShuOsher(scheme).attempt, order=3, error_order=0))
    if name == "leapfrog":
        attempt = Leapfrog(scheme, pairs_of(scheme.plan)).attempt
        return cast(AnyMethod, Memoryless(attempt, order=2, error_order=0))
    if name in ("etdrk4", "etdrk2"):
        if not hasattr(scheme, "symbol"):
            raise Unsupported(f"`{name}` needs a linear part that is diagonal: the Fourier method")
        return cast(
            AnyMethod, ExponentialRungeKutta(cast(Exponential[Vector], scheme), 4 if name == "etdrk4" else 2)
        )
    if name == "imex":
        return _pair(AdditiveRungeKutta(cast(Split[Vector], scheme)).attempt)
    if isinstance(scheme, Affine) and scheme.affine:
        return _pair(AffineImplicit(cast(Split[Vector], scheme)).attempt)
    if isinstance(scheme, Linearised):
        return _pair(DiagonallyImplicit(scheme, scheme, tolerance_of(stepping)).attempt)
    raise Unsupported(
        "a nonlinear right-hand side cannot be taken implicitly here; `imex` takes its linear part"
    )


def inverse_of(stepping: Stepping, scheme: object) -> Inverse | None:
    """What the method of `method_of` inverts in every step."""
    if isinstance(scheme, Remembering):
        by_split = stepping.name in PROPAGATED or scheme.is_uneven or linear(scheme.inner)
        return "split" if by_split else "jacobian"
    if stepping.name == "imex":
        return "split"
    return "jacobian" if stepping.name == "implicit" else None


def _pair(attempt: Callable[[Array, Vector, Array, Parameters], Attempt[Vector, tuple[()]]]) -> AnyMethod:
    """ARK4(3)6L[2]SA, or its implicit half: of fourth order with a third-order estimate."""
    return cast(AnyMethod, Memoryless(attempt, order=4, error_order=3))


def bundle_of(steps: int, stepping: Stepping, scheme: object) -> Bundle | None:
    """`steps` steps of the method at once, or as many as fit; None where that is one, or not possible."""
    wide, tableau = getattr(scheme, "wide", None), EXPLICIT.get(stepping.name)
    if wide is None:
        return None
    if stepping.name == "leapfrog":
        fitting = min(steps, wide.most)
        return LeapfrogBundle(wide, pairs_of(wide.nodes.plan), fitting) if fitting > 1 else None
    if tableau is None or tableau.first_same_as_last:
        return None
    fitting = min(steps, wide.most // tableau.stages)
    return RungeKuttaBundle(wide, tableau, fitting) if fitting > 1 else None


def paired(stepping: Stepping, scheme: object) -> bool:
    """Whether a step is one pass from array to array, so that two of them end where they began."""
    tableau = EXPLICIT.get(stepping.name)
    return tableau is not None and tableau.stages == 1 and getattr(scheme, "ghostless", False)


def tolerance_of(stepping: Stepping) -> Tolerance:
    return Tolerance(stepping.rtol, stepping.atol)


def control_of(stepping: Stepping, method: AnyMethod, scheme: Semidiscretisation[Vector]) -> Control:
    if isinstance(scheme, Remembering):
        return "mesh"
    if stepping.dt is not None:
        return "fixed"
    if isinstance(scheme, Courant):
        return "courant"
    return "adaptive" if method.error_order else "checked"
