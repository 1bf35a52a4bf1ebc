"""Double precision without touching the host's configuration."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib import import_module

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from nablax.backends.interface import Parameters
from nablax.plan import Dtype


class PrecisionError(Exception):
    """float64 was asked for inside a JAX transformation that runs in single precision."""

    def __init__(self) -> None:
        super().__init__(
            "this solver is planned in float64, and a JAX transformation around it runs in float32: set "
            '`jax.config.update("jax_enable_x64", True)` at the start of the program, or compile with '
            'dtype="float32"'
        )


@contextmanager
def precise(dtype: Dtype, *values: object) -> Iterator[None]:
    """A scope in which `dtype` exists. `values` are the arguments of the call to be made in it.

    Raises `PrecisionError` where the scope cannot be entered: under a transformation of the host's.
    """
    if dtype == "float32" or jax.dtypes.canonicalize_dtype("float64") == "float64":
        yield
        return
    if traced(*values):
        raise PrecisionError
    with _enable_x64():
        yield


def traced(*values: object) -> bool:
    """Whether a transformation is under way: around the caller, or through one of the values."""
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(values)):
        return True
    return isinstance(jnp.zeros(()), jax.core.Tracer)


def in_precision(array: Array, dtype: Dtype) -> Array:
    """Cast to a plan's precision; complex numbers stay complex."""
    return array.astype(np.result_type(dtype, np.complex64) if jnp.iscomplexobj(array) else dtype)


def typed_parameters(params: Parameters, dtype: Dtype) -> Parameters:
    """Parameters, and what travels beside them, as arrays of a plan's precision."""
    return {name: in_precision(jnp.asarray(value), dtype) for name, value in params.items()}


def _enable_x64() -> AbstractContextManager[None]:
    # JAX 0.10 has it at the top; earlier ones among the experiments.
    module = jax if hasattr(jax, "enable_x64") else import_module("jax.experimental")
    enter: Callable[[bool], AbstractContextManager[None]] = module.enable_x64
    return enter(True)
