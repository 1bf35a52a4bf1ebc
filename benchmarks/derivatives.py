"""Other ways to the derivatives of a scalar network at one point: text books' and other libraries'."""

from collections.abc import Callable, Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jax.experimental import jet

from nablax.backends.residuals import nested
from nablax.derivatives.needs import Form, homogeneous
from nablax.derivatives.waring import Direction, power_sum

Net = Callable[[Array], Array]
Derive = Callable[[Net, Array, Sequence[Form]], tuple[Array, ...]]
"""Values of forms of a scalar network at one point."""


def _first(net: Net, point: Array) -> Array:
    """The network's only output, as a scalar."""
    return net(point)[0]


def by_grad(net: Net, point: Array, forms: Sequence[Form]) -> tuple[Array, ...]:
    def slope(f: Callable[[Array], Array], axis: int) -> Callable[[Array], Array]:
        return lambda z: jax.grad(f)(z)[axis]

    found = []
    for form in forms:
        total = jnp.zeros((), point.dtype)
        for orders, weight in form:
            f: Callable[[Array], Array] = partial(_first, net)
            for axis, order in enumerate(orders):
                for _ in range(order):
                    f = slope(f, axis)
            total = total + float(weight) * f(point)
        found.append(total[None])
    return tuple(found)


def by_jvp(net: Net, point: Array, forms: Sequence[Form]) -> tuple[Array, ...]:
    return nested.derivatives(net, point, forms, range(point.shape[0]))


def by_jet(net: Net, point: Array, forms: Sequence[Form]) -> tuple[Array, ...]:
    """Univariate jets along the directions of a power sum; one jet per direction serves all orders."""
    sums = [[power_sum(part) for part in homogeneous(form)] for form in forms]
    highest: dict[Direction, int] = {}
    for found in [part for parts in sums for part in parts]:
        assert found is not None
        for v in found.directions:
            highest[v] = max(highest.get(v, 0), found.degree)
    series: dict[Direction, Sequence[Array]] = {}
    for v, order in highest.items():
        along = jnp.array([float(e) for e in v], point.dtype)
        if order == 0:
            continue
        zeros = [jnp.zeros_like(point)] * (order - 1)
        primal, rest = jet.jet(net, (point,), ([along, *zeros],))
        series[v] = [primal, *rest]
    results: list[Array] = []
    for parts in sums:
        total = jnp.zeros((1,), point.dtype)
        for found in parts:
            assert found is not None
            for v, w in zip(found.directions, found.weights, strict=True):
                total = total + float(w) * (series[v][found.degree] if found.degree else net(point))
        results.append(total)
    return tuple(results)


def folx_laplacian(net: Net, point: Array) -> Array:
    """The forward Laplacian of `folx`, in all arguments."""
    import folx

    found: Array = folx.forward_laplacian(lambda z: net(z)[0])(point).laplacian
    return found


def grad_laplacian(net: Net, point: Array) -> Array:
    """The trace of the Hessian by reverse over reverse mode."""
    return jnp.trace(jax.jacrev(jax.grad(lambda z: net(z)[0]))(point))


def jvp_laplacian(net: Net, point: Array) -> Array:
    """Second derivatives along every axis by nested forward mode."""

    def second(along: Array) -> Array:
        def slope(z: Array) -> Array:
            rate: Array = jax.jvp(net, (z,), (along,))[1]
            return rate

        found: Array = jax.jvp(slope, (point,), (along,))[1][0]
        return found

    return jnp.sum(jax.vmap(second)(jnp.eye(point.shape[0], dtype=point.dtype)))


def hessian_laplacian(net: Net, point: Array) -> Array:
    """The trace of the Hessian by forward over reverse mode, as JAX's own `jax.hessian` has it."""
    return jnp.trace(jax.hessian(lambda z: net(z)[0])(point))


def jet_laplacian(net: Net, point: Array) -> Array:
    """Univariate jets along every axis."""

    def second(along: Array) -> Array:
        found: Array = jet.jet(net, (point,), ([along, jnp.zeros_like(point)],))[1][1][0]
        return found

    return jnp.sum(jax.vmap(second)(jnp.eye(point.shape[0], dtype=point.dtype)))
