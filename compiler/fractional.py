"""Fractional derivatives of known series, and fractional gradients of networks; loaded on first use.

`FLinear` is a linear layer whose weights see a fractional derivative of its output, and
`with_fractional_layers` puts it in the place of a model's linear layers; `scale_by_distance`,
`scale_by_dimension`, `scale_by_weight`, `grunwald_letnikov_momentum`, `fractional_momentum` and
`fractional_energy` are fractional update rules as optax transformations.
`caputo_of_series` takes the derivative of a series at all its times.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nablax.backends.fractional_gradients.descent import fractional_energy, fractional_momentum
    from nablax.backends.fractional_gradients.dimensions import scale_by_dimension
    from nablax.backends.fractional_gradients.layer import FLinear, with_fractional_layers
    from nablax.backends.fractional_gradients.optimisers import (
        grunwald_letnikov_momentum,
        scale_by_distance,
        scale_by_weight,
    )
    from nablax.backends.memory.series import caputo_of_series

__all__ = [
    "FLinear",
    "caputo_of_series",
    "fractional_energy",
    "fractional_momentum",
    "grunwald_letnikov_momentum",
    "scale_by_dimension",
    "scale_by_distance",
    "scale_by_weight",
    "with_fractional_layers",
]


def __getattr__(name: str) -> object:
    if name in ("FLinear", "with_fractional_layers"):
        from nablax.backends.fractional_gradients import layer

        return getattr(layer, name)
    if name == "caputo_of_series":
        from nablax.backends.memory import series

        return series.caputo_of_series
    if name == "scale_by_dimension":
        from nablax.backends.fractional_gradients import dimensions

        return dimensions.scale_by_dimension
    if name in ("fractional_energy", "fractional_momentum"):
        from nablax.backends.fractional_gradients import descent

        return getattr(descent, name)
    if name in __all__:
        from nablax.backends.fractional_gradients import optimisers

        return getattr(optimisers, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
