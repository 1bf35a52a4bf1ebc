"""`nablax.surrogate`: a gradient for functions that JAX cannot differentiate, by random shifts."""

from collections.abc import Callable
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax
from jax.typing import ArrayLike

BlackBox: TypeAlias = Callable[[Array | np.ndarray], ArrayLike]
"""Of JAX arrays where it is traced, of NumPy arrays on the host."""


def smoothed(
    function: BlackBox, width: float, samples: int = 16, output: tuple[int, ...] | None = None
) -> Callable[[Array, Array], Array]:
    """f(x, key): the value of `function` at x, with an estimated gradient; x and values are real arrays.

    Its derivative along v is the mean over `samples` of (f(x + width·ξ) - f(x - width·ξ))/(2 width) · (ξ·v),
    ξ standard normal: antithetic, and without bias for the derivative of the smoothed function
    E f(x + width·ξ), which exists wherever f has jumps or no slope at all (Yu. Nesterov, V. Spokoiny, Found.
    Comput. Math. 17 (2017) 527). The variance of entry i of a gradient is (|g|² + g_i²)/samples + O(width²)
    where f is smooth with gradient g, and at most h²/(4 width² samples) at a jump of height h; the even part
    of f adds nothing. The bias against a smooth f is O(width²). Forward and reverse mode apply, once; second
    derivatives are zero.

    A function made of JAX operations is traced. With `output`, the shape of its values, it is any Python
    function of NumPy arrays and is called on the host, once and then twice for each sample.

    Raises ValueError for a width or a number of samples that is not positive.
    """
    if not width > 0:
        raise ValueError(f"the width of the smoothing is positive, and this one is {width}")
    if samples < 1:
        raise ValueError(f"the gradient is a mean over at least one sample, and {samples} are asked for")
    call = function if output is None else _on_host(function, output)

    @jax.custom_jvp
    def value(x: Array, key: Array) -> Array:
        return jnp.asarray(call(x))

    @value.defjvp
    def slope(primals: tuple[Array, Array], tangents: tuple[Array, Array]) -> tuple[Array, Array]:
        x, key = primals
        along = tangents[0]
        shifts = jax.random.normal(key, (samples, *x.shape), x.dtype)

        def pair(shift: Array) -> Array:
            ahead, behind = (jnp.asarray(call(lax.stop_gradient(x) + s * shift)) for s in (width, -width))
            return (ahead - behind) / (2 * width)

        rises = lax.stop_gradient(lax.map(pair, shifts))
        lengths = jnp.tensordot(shifts, along, axes=x.ndim)
        found = value(x, key)
        return found, jnp.tensordot(lengths, rises, axes=1).astype(found.dtype) / samples

    return value


def _on_host(function: BlackBox, output: tuple[int, ...]) -> BlackBox:
    def call(x: Array | np.ndarray) -> Array:
        def host(values: Array) -> np.ndarray:
            found = np.asarray(function(np.asarray(values)), x.dtype)
            if found.shape != output:
                raise ValueError(
                    f"the function gave an array of shape {list(found.shape)}, and `output` says "
                    f"{list(output)}"
                )
            return found

        like = jax.eval_shape(lambda: jnp.zeros(output, x.dtype))
        called: Array = jax.pure_callback(host, like, x, vmap_method="sequential")
        return called

    return call
